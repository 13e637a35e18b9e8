"""Small data and functions that several tests train on."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import psutil
import pytest
from hypothesis import settings

from nbtune.execution.local import warm

settings.register_profile("nbtune", deadline=None)  # a busy machine is no failure
settings.load_profile("nbtune")


def pytest_collection_finish():
    """What the libraries made when they were imported stays, and no collection looks at it again; Keras asks for many."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def flowers():
    """Three classes in four features, 90 rows: (x, y)."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 30)
    return (rng.normal(size=(90, 4)) + y[:, None]).astype("float32"), y


@pytest.fixture(autouse=True, scope="module")
def forgotten():
    """What a module of tests has built goes with it: TensorFlow's graphs would add up to gigabytes."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()
        gc.collect()
        gc.freeze()  # what is left stays: later collections would take seconds, and there are several in a test


@pytest.fixture
def nothing_in_reserve(monkeypatch):
    """No worker waits for the next search: what is left below this process is left by mistake."""
    pool = warm.reserve()
    if pool.held_mb():
        pool.take().end()
    warm.reserve.cache_clear()
    monkeypatch.setenv("NBTUNE_STANDBY", "0")
    yield
    warm.reserve.cache_clear()


def workers():
    """The processes that train: those that are forked from a fork server."""
    below = [p for p in psutil.Process().children(recursive=True) if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    servers = {p.pid for p in below if "forkserver" in " ".join(p.cmdline())}
    return [p for p in below if p.ppid() in servers]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_disk(tmp_path):
    """A disk of four MB, really."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk, room):
    """Leaves so many bytes on a disk; the file to remove is `filler`."""
    (disk / "filler").write_bytes(b"x" * max(shutil.disk_usage(disk).free // 4096 * 4096 - room, 0))


def dense(layers=1, units=8, classes=3, features=4):
    """The plain style: returns an uncompiled model."""
    import keras

    model = keras.Sequential([keras.Input((features,))])
    for _ in range(layers):
        model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(classes, activation="softmax"))
    return model
