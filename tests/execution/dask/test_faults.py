"""A scheduler and workers from the command line, of which something is killed at a random moment.

`make soak` runs 20 seeds; every other run of the tests one.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time

import psutil
import pytest

from nbtune.record import log
from nbtune.record.events import DONE, TrialEnded, TrialStarted

SEEDS = range(int(os.environ.get("NBTUNE_DASK_SOAK", "1")))

SCRIPT = """
import json, sys
import numpy as np
import nbtune
import helper

def build(units):
    import keras
    from another import softmax
    return keras.Sequential([keras.Input((4,)), helper.dense(units), softmax(3)])

y = np.repeat([0, 1, 2], 30)
x = (np.random.default_rng(0).normal(size=(90, 4)) + y[:, None]).astype("float32")
grid = dict(units=[3, 4, 5, 6], learning_rate=[0.03, 0.003])
where = {"dask": sys.argv[1]} if len(sys.argv) > 1 else {"workers": 2}
search = nbtune.tune(build, (x, y), **grid, epochs=200, patience=None, retries=3, **where)
print(json.dumps([[trial.id, trial.status, trial.score, trial.error] for trial in search.trials]))
"""
HELPER = "import keras\n\ndef dense(units):\n    return keras.layers.Dense(units)\n"
ANOTHER = "def softmax(units):\n    import keras\n    return keras.layers.Dense(units, activation='softmax')\n"


class Machines:
    """A scheduler and two workers in folders of their own, which see nothing of the user's."""

    def __init__(self, folder):
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.scheduler = self.dask("scheduler", "--host", "127.0.0.1", "--port", self.address.rpartition(":")[2])
        self.workers = [self.worker(), self.worker()]

    def dask(self, *words):
        folder = self._folder / f"machine-{time.monotonic_ns()}"
        folder.mkdir()
        words = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": (folder / "said").open("w")}
        return subprocess.Popen(words, cwd=folder, env={**os.environ, "TMPDIR": str(folder)}, **quiet)

    def worker(self):
        return self.dask("worker", self.address, "--nthreads", "1", "--no-nanny", "--death-timeout", "60")

    def mend(self):
        if self.scheduler.poll() is not None:
            self.scheduler = self.dask("scheduler", "--host", "127.0.0.1", "--port", self.address.rpartition(":")[2])
        self.workers = [self.worker() if worker.poll() is not None else worker for worker in self.workers]

    def below(self):
        """What is left of searches: processes below those of the workers, folders."""
        found = [child for worker in self.workers for child in psutil.Process(worker.pid).children(recursive=True)]
        return [*found, *self._folder.glob("machine-*/nbtune-*")]

    def end(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def machines(tmp_path):
    made = Machines(tmp_path)
    yield made
    made.end()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return finish(start(tmp_path_factory.mktemp("calm")))


def start(folder, *words):
    for name, text in (("script", SCRIPT), ("helper", HELPER), ("another", ANOTHER)):
        (folder / f"{name}.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "script.py", *words]
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def finish(script):
    out, _ = script.communicate(timeout=200)
    lines = out.strip().splitlines()
    return json.loads(lines[-1]) if script.returncode == 0 else None


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_killed_the_grid_is_explored_once(tmp_path, machines, undisturbed, seed):
    moments = random.Random(seed)
    home = tmp_path / "home"
    home.mkdir()
    script = start(home, machines.address)
    for _ in range(2):
        time.sleep(moments.uniform(4, 10))
        if script.poll() is not None:
            break
        kill(moments.choice(["worker", "training", "scheduler", "kernel"]), moments, machines, script)
        time.sleep(moments.uniform(0, 3))
        machines.mend()
        if script.poll() is not None:
            script = start(home, machines.address)
    found = finish(script) or finish(start(home, machines.address))
    assert found == undisturbed
    done: set[str] = set()
    for event in log.read(home / ".nbtune" / "search").events:
        assert not (isinstance(event, TrialStarted) and event.trial in done), "what is done is not trained again"
        if isinstance(event, TrialEnded) and event.status == DONE:
            done.add(event.trial)
    assert len(done) == 8
    until = time.monotonic() + 90  # a host that lost its kernel waits for it for a minute
    while left := machines.below():
        assert time.monotonic() < until, left
        time.sleep(0.5)


def kill(what, moments, machines, script):
    victim = {"scheduler": machines.scheduler, "kernel": script}.get(what) or moments.choice(machines.workers)
    if what != "training":
        victim.kill()
        victim.wait()
        return
    below = [p for p in psutil.Process(victim.pid).children(recursive=True) if p.memory_info().rss > 200e6]
    if below:
        moments.choice(below).kill()
