"""Real searches, started, steered, broken and killed at moments that do not suit them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from nbtune import UsageError, tune
from nbtune.errors import SearchFailed
from nbtune.record.progress import Progress
from nbtune.run.crew import Crew
from nbtune.run.lifecycle import Run
from nbtune.run.schedule import Schedule
from tests.cases import cases
from tests.conftest import dense, fill

pytestmark = pytest.mark.usefixtures("nothing_in_reserve")

LONG = {"units": [4, 6, 8, 10], "epochs": 100_000, "patience": None, "workers": 2}
ROUNDS = int(os.environ.get("NBTUNE_STARTS", "4"))  # `make soak` sets more


def wait_until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def processes():
    """What trains: the processes below this one, but for what multiprocessing keeps."""
    return [p for p in psutil.Process().children(recursive=True) if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def search(flowers, here):
    made = tune(dense, flowers, wait=False, dir=str(here), **LONG)
    yield made
    made.stop()


def none_train():
    """Soon: those who were only coming see first when they are there that they are not wanted any more."""
    wait_until(lambda: not processes(), 20)
    return True


def is_free(search):
    """Whether another search could take the folder."""
    return not search._run.project._lock.is_locked


def test_resume_then_stop_stops(flowers, here):
    search = tune(dense, flowers, wait=False, dir=str(here), **LONG)
    for _ in range(3):
        search.stop()
        assert search.state == "stopped"
        assert is_free(search)
        assert none_train()
        search.resume()
    search.stop()
    assert search.coverage.done == 0


def test_a_large_grid_can_be_stopped_while_it_starts(flowers, here):
    rates = [1e-4 + i * 1e-6 for i in range(1600)]
    search = tune(dense, flowers, units=[4, 5, 6], learning_rate=rates, epochs=1, workers=1, wait=False, dir=str(here))
    began = time.monotonic()
    search.stop()
    assert time.monotonic() - began < 5, "a second on a machine with nothing else to do"
    assert search.state == "stopped"
    assert search.coverage.total == 4800


def test_what_is_slow_to_start_can_be_stopped(search, monkeypatch):
    search.stop()
    opening = threading.Event()
    monkeypatch.setattr(Crew, "_with_data", lambda crew, site: opening.set() or time.sleep(5) or crew.job)
    search.resume()
    assert opening.wait(60)
    began = time.monotonic()
    search.pause()
    search.resume()
    search.stop()
    assert time.monotonic() - began < 2
    assert none_train()


def test_everybody_steers_at_once(search):
    """From many threads in any order: it neither hangs nor breaks, and the last stop holds."""

    def steer(seed):
        draw = random.Random(seed)
        for _ in range(8):
            time.sleep(draw.uniform(0, 0.5))
            with contextlib.suppress(UsageError):
                getattr(search, draw.choice(["pause", "resume", "stop", "retry"]))()

    threads = [threading.Thread(target=steer, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    search.stop()
    assert search.state == "stopped"
    assert none_train()


@pytest.mark.parametrize("round", cases(range(ROUNDS), [0]))
def test_started_and_stopped_at_a_random_moment(flowers, here, round):
    draw = random.Random(round)
    search = tune(dense, flowers, wait=False, dir=str(here), **LONG)
    for _ in range(2):
        time.sleep(draw.expovariate(1))
        if draw.random() < 0.5:
            search.pause()
            time.sleep(draw.uniform(0, 0.3))
            if draw.random() < 0.5:
                search.resume()
        if draw.random() < 0.5 and (found := processes()):
            draw.choice(found).kill()
        began = time.monotonic()
        search.stop()
        assert time.monotonic() - began < 10
        assert search.state == "stopped"
        assert is_free(search)
        assert none_train()
        cover = search.coverage
        assert cover.total == cover.done + cover.failed + cover.stopped + cover.pending == 4
        search.resume()
    search.stop()
    assert all(trial.status != "running" for trial in search.trials)


def test_a_fault_of_its_own_ends_it_and_is_said(search, monkeypatch):
    wait_until(lambda: any(trial.epochs for trial in search.trials))

    def apply(progress, event, old=Progress.apply):
        if type(event).__name__ == "EpochEnded":
            raise KeyError("a column")
        old(progress, event)

    monkeypatch.setattr(Progress, "apply", apply)
    with pytest.raises(SearchFailed, match=r"a fault of nbtune, not of your function: KeyError: 'a column'"):
        search.wait(60)
    assert search.state == "failed"
    assert str(search).startswith("failed: ")
    assert "a fault of nbtune" in str(search)
    assert "KeyError" in (search.directory / "workers.log").read_text()
    assert is_free(search)
    assert none_train()
    monkeypatch.undo()
    search.resume()
    assert search.state == "running"


def test_tune_raises_it(flowers, here, monkeypatch):
    monkeypatch.setattr(Schedule, "take", lambda *arguments: 1 / 0)
    with pytest.raises(SearchFailed, match="ZeroDivisionError"):
        tune(dense, flowers, units=[4], epochs=1, workers=1, dir=str(here))


def test_halted_workers_end_with_their_supervisor(search):
    wait_until(lambda: any(trial.epochs for trial in search.trials))
    search.pause()
    found = processes()
    supervisor = psutil.Process().children()[0]
    assert [p for p in found if p.status() == psutil.STATUS_STOPPED]
    supervisor.kill()
    _, alive = psutil.wait_procs([p for p in found if p != supervisor], timeout=10)
    assert not alive
    search.resume()
    wait_until(lambda: any(trial.epochs for trial in search.trials))


SCRIPT = """
import os, sys, time
import numpy as np
import nbtune

def build(units):
    import keras
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(3, activation="softmax")])

y = np.repeat([0, 1, 2], 30)
x = (np.random.default_rng(0).normal(size=(90, 4)) + y[:, None]).astype("float32")
search = nbtune.tune(build, (x, y), units=[4, 8], epochs=100000, patience=None, wait=False, workers=1)
while not any(t.epochs for t in search.trials): time.sleep(.1)
"""


@pytest.fixture
def scratch():
    """A short path: sockets have to fit into it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def started(here, scratch, more):
    """A script with a search that runs, once it has said so; its processes."""
    (here / "script.py").write_text(SCRIPT + more)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(scratch)}
    script = subprocess.Popen([sys.executable, "script.py"], cwd=here, env=environment, text=True, stdout=subprocess.PIPE)
    assert script.stdout.readline().strip() == "running"
    return script, psutil.Process(script.pid).children(recursive=True)


def test_a_forked_child_of_a_killed_kernel_does_not_keep_it_training(here, scratch):
    more = "if os.fork() == 0: time.sleep(100); os._exit(0)\nprint('running', flush=True); time.sleep(600)"
    script, children = started(here, scratch, more)
    script.kill()
    _, alive = psutil.wait_procs(children, timeout=10)
    try:
        assert len(alive) == 1, "the forked one"
        assert "script.py" in " ".join(alive[0].cmdline())
        assert not list(scratch.iterdir())
    finally:
        for process in alive:
            process.kill()
        script.communicate()


@pytest.mark.parametrize("paused", cases([False, True], [False]))
def test_what_is_left_when_everything_is_killed_goes_with_the_next_search(here, scratch, paused):
    more = f"{'search.pause()' if paused else ''}\nprint('running', flush=True); time.sleep(600)"
    script, children = started(here, scratch, more)
    (here / ".nbtune" / "search" / "trial_0").mkdir(exist_ok=True)
    (here / ".nbtune" / "search" / "trial_0" / ".123.weights.h5").write_bytes(b"half of them")
    for process in [psutil.Process(script.pid), *children]:
        process.kill()
    script.communicate()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert [path.name[:7] for path in scratch.iterdir()] == ["nbtune-"], "nobody was left to remove it"
    script, children = started(here, scratch, "print('running', flush=True); time.sleep(600)")
    assert len(list(scratch.iterdir())) == 1, "its own"
    script.kill()
    psutil.wait_procs(children, timeout=10)
    script.communicate()
    assert not list(scratch.iterdir())
    assert not list((here / ".nbtune").rglob(".*.weights.h5"))


def wait_for_end_or_pause(search):
    wait_until(lambda: search.state != "running", 60)


ROOMS = [(room, engine) for room in range(0, 65_536, 4096) for engine in ("fused", "trial")]
FEW_ROOMS = [(0, "fused"), (8192, "trial"), (24_576, "fused"), (61_440, "trial")]  # `test_store` has them all, without workers


@pytest.mark.parametrize(("room", "engine"), cases(ROOMS if "NBTUNE_STARTS" in os.environ else FEW_ROOMS, FEW_ROOMS[:1]))
def test_a_disk_with_little_room_never_hangs_it(flowers, small_disk, room, engine):
    terms = {"units": [400, 500, 600], "epochs": 3, "patience": None, "workers": 1, "engine": engine, "retries": 0}
    search = tune(dense, flowers, wait=False, dir=str(small_disk), **terms)
    fill(small_disk, room)
    wait_for_end_or_pause(search)
    if search.state == "paused":
        with pytest.raises(UsageError, match="No space left on device; make room, then resume"):
            search.wait()
        try:
            search.resume()  # as somebody would who has made too little room
        except UsageError as error:
            assert "make room" in str(error)
        wait_for_end_or_pause(search)
    search.stop()
    assert search.state in ("stopped", "finished")
    assert is_free(search)
    assert none_train()
    (small_disk / "filler").unlink()
    search.resume()
    assert search.wait(60)
    assert search.state == "finished"
    assert search.coverage.done == 3
    assert search.best_model is not None
    again = tune(dense, flowers, dir=str(small_disk), **terms)
    assert [(trial.status, trial.score) for trial in again.trials] == [(trial.status, trial.score) for trial in search.trials]


@pytest.mark.parametrize("engine", cases(["fused", "trial"], ["fused"]))
def test_without_workers_a_full_disk_fails_no_trial(flowers, small_disk, engine, monkeypatch):
    terms = {"units": [400, 500], "epochs": 2, "patience": None, "workers": 0, "engine": engine, "dir": str(small_disk)}
    with monkeypatch.context() as full:
        full.setattr(Run, "_hire", lambda run, hire=Run._hire: fill(small_disk, 8192) or hire(run))
        with pytest.raises(SearchFailed, match="make room, then resume"):
            tune(dense, flowers, **terms)
    (small_disk / "filler").unlink()
    search = tune(dense, flowers, **terms)
    assert [trial.status for trial in search.trials] == ["done", "done"]


def test_an_interrupt_while_it_starts_leaves_nothing(flowers, here):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            tune(slow_to_look_at, flowers, units=[4], workers=1, dir=str(here))
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)
    assert not list(here.iterdir())
    assert none_train()


def slow_to_look_at(units):
    time.sleep(1000)
