"""What a Dask cluster adds to a trial: `python -m benchmarks.cluster`, with the extra `dask` installed.

Trials sleep for as long as a fit would take, in place of the worker process, so that a machine with few cores shows the way of a
task alone: from the schedule over Dask to a worker and back, with ten epochs' events. `--many` has 200 workers in one process
train 20,000 trials, and shows what the process of kernel, scheduler and workers together holds on the way.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import queue
import tempfile
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import psutil
from distributed import Client, LocalCluster

from nbtune.ask.function import Function
from nbtune.execution.dask import host
from nbtune.execution.dask.cluster import Cluster
from nbtune.record.events import DONE, EpochEnded, TrialEnded, TrialStarted, to_dict
from nbtune.record.job import Terms
from nbtune.run.schedule import Schedule, outcome_of

EPOCHS = 10


class Sleeping:
    """A local backend whose trials sleep; `arguments` are {"trial", "values": {"seconds"}}."""

    def __init__(self, count, threads, supervisor, log, emit):
        self._emit = emit

    def submit_file(self, task, path, timeout, arguments):
        future = Future()
        timer = threading.Timer(arguments["values"]["seconds"], self._end, [arguments["trial"], future])
        timer.daemon = True
        timer.start()
        return future

    def _end(self, trial, future):
        epochs = [EpochEnded(trial, epoch, {"loss": 0.1, "val_loss": 0.1}) for epoch in range(1, EPOCHS + 1)]
        self._emit([TrialStarted(trial, 0.0), *epochs])
        future.set_result(to_dict(TrialEnded(trial, DONE, 0.1, 1)))

    def close(self):
        pass


def sleep_instead():
    host.Workers = Sleeping
    host.SupervisorProcess = lambda: SimpleNamespace(scratch=Path(tempfile.mkdtemp(prefix="nbtune-benchmark-")), end=int)


def explored(client, trials, seconds, each=lambda ended: None):
    """Seconds from the first trial handed out to the last that came back."""
    folder = Path(tempfile.mkdtemp(prefix="nbtune-benchmark-"))
    (folder / "data").mkdir()
    job = Terms(Function.of(_build), {}, folder / "data", folder, EPOCHS, None, 0.0, 32, 0)
    events = [0]
    cluster = Cluster(client, folder / "workers.log", lambda got: events.__setitem__(0, events[0] + len(got)))
    try:
        schedule = Schedule([[str(i)] for i in range(trials)], lambda: cluster.size, 0, lambda trial: False)
        came: queue.SimpleQueue = queue.SimpleQueue()
        ended, began = 0, time.monotonic()
        while not schedule.over:
            for stack in schedule.due():
                future = cluster.submit("fit", job, None, trial=stack.trials[0], values={"seconds": seconds})
                future.add_done_callback(lambda future, stack=stack: came.put((stack, future)))
            stack, future = came.get()
            ended += len(schedule.take(stack, outcome_of(future)))
            each(ended)
        assert ended == trials
        took = time.monotonic() - began
        assert events[0] == trials * (EPOCHS + 1), "every event came, once"
        return took
    finally:
        cluster.close()


def _build(units):
    raise AssertionError("it is not called")


def scaling(counts, seconds, rounds):
    print("| workers | trials | wall time | efficiency | overhead a trial |\n|--:|--:|--:|--:|--:|")
    for workers in counts:
        with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as local, Client(local) as client:
            client.run(sleep_instead)
            trials = rounds * workers
            took = explored(client, trials, seconds)
        over = took * workers / trials - seconds
        share = seconds * rounds / took
        print(f"| {workers} | {trials} | {took:.1f} s | {share:.1%} | {1000 * over:.0f} ms |", flush=True)


def many(workers, trials, seconds):
    process, marks = psutil.Process(), {}

    def mark(ended):
        if ended % (trials // 10) == 0 and ended not in marks:
            marks[ended] = (time.monotonic(), process.cpu_times().user, process.memory_info().rss / 1e6)

    settings = {"threads_per_worker": 1, "processes": False, "dashboard_address": None, "memory_limit": 0}  # all in one process
    with LocalCluster(n_workers=workers, **settings) as local, Client(local) as client:
        client.run(sleep_instead)
        mark(0)
        explored(client, trials, seconds, mark)
    print("| trials | trials a second | processor time a trial | memory |\n|--:|--:|--:|--:|")
    for (before, (t0, c0, _)), (after, (t1, c1, mb)) in itertools.pairwise(sorted(marks.items())):
        print(f"| {after:,} | {(after - before) / (t1 - t0):.0f} | {1000 * (c1 - c0) / (after - before):.1f} ms | {mb:,.0f} MB |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=30, help="trials a worker")
    parser.add_argument("--many", action="store_true")
    parser.add_argument("--trials", type=int, default=20_000)
    asked = parser.parse_args()
    logging.getLogger("distributed").setLevel(logging.ERROR)
    if asked.many:
        many(200, asked.trials, 4.0)
    else:
        scaling(asked.workers, asked.seconds, asked.rounds)
