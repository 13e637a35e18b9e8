"""Processes that are really killed, at random moments: every combination is accounted for, none is trained twice.

`make soak` runs 50 seeds; every other run of the tests a few.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from nbtune.record import log
from nbtune.record.events import DONE, TrialEnded, TrialStarted
from tests.cases import cases

SEEDS = range(int(os.environ.get("NBTUNE_SOAK", "2")))

SCRIPT = """
import json
import numpy as np
import nbtune
from tests.cases import cases

def build(units):
    import keras
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(3, activation="softmax")])

y = np.repeat([0, 1, 2], 30)
x = (np.random.default_rng(0).normal(size=(90, 4)) + y[:, None]).astype("float32")
grid = dict(units=[3, 4, 5, 6], learning_rate=[0.03, 0.003])
search = nbtune.tune(build, (x, y), **grid, epochs=12, patience=None, retries=3, workers=2)
print(json.dumps([[trial.id, trial.status, trial.score, trial.error] for trial in search.trials]))
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return finish(start(tmp_path_factory.mktemp("calm")))


@pytest.fixture
def scratch():
    """A short path, for sockets have to fit into it; what is left there at the end was left behind."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def start(folder, scratch=None):
    (folder / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **({"TMPDIR": str(scratch)} if scratch else {})}
    command = [sys.executable, "script.py"]
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def finish(script):
    out, _ = script.communicate(timeout=200)
    return json.loads(out.strip().splitlines()[-1])


def workers_below(script):
    return [p for p in psutil.Process(script.pid).children(recursive=True) if p.memory_info().rss > 200e6]


@pytest.mark.parametrize("seed", cases(SEEDS, SEEDS[:1]))
def test_whatever_is_killed_the_grid_is_explored_once(tmp_path, scratch, undisturbed, seed):
    moments = random.Random(seed)
    for _ in range(2):
        script = start(tmp_path, scratch)
        time.sleep(moments.uniform(3, 12))
        if script.poll() is not None:
            break
        children = psutil.Process(script.pid).children(recursive=True)
        victim = moments.choice(["kernel", "worker", "supervisor"])
        if victim == "kernel":
            script.kill()
        elif victim == "supervisor" and (below := psutil.Process(script.pid).children()):
            below[0].kill()
        elif victim == "worker" and (found := workers_below(script)):
            moments.choice(found).kill()
        if victim == "kernel":
            _, alive = psutil.wait_procs(children, timeout=15)
            assert not alive, "no process outlives the kernel"
            script.communicate()
        else:
            finish(script)
    assert finish(start(tmp_path, scratch)) == undisturbed
    assert not list(scratch.iterdir()), "no temporary file is left behind"
    done: set[str] = set()
    for event in log.read(tmp_path / ".nbtune" / "search").events:
        assert not (isinstance(event, TrialStarted) and event.trial in done), "what is done is not trained again"
        if isinstance(event, TrialEnded) and event.status == DONE:
            done.add(event.trial)
    assert len(done) == 8
