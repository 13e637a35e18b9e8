"""How many workers a machine carries."""

from __future__ import annotations

import os

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtune import machine


def test_there_is_a_core_and_no_more_than_there_are():
    assert 1 <= machine.cores() <= os.cpu_count()


def test_there_is_memory_and_no_more_than_there_is():
    assert 0 < machine.memory_mb() <= psutil.virtual_memory().total / 1e6


@pytest.mark.parametrize(
    ("cores", "free", "workers"),
    [(1, 2000, 1), (2, 8000, 2), (16, 2000, 4), (8, 100, 1), (8, 0, 1), (4, 100_000, 4)],
)
def test_one_worker_a_core_as_far_as_memory_goes(monkeypatch, cores, free, workers):
    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.setattr(machine, "memory_mb", lambda: free)
    assert machine.usual_workers() == workers


def test_what_workers_hold_already_is_theirs(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr(machine, "memory_mb", lambda: 1000.0)
    assert (machine.usual_workers(), machine.usual_workers(held_mb=500)) == (1, 2)


@given(st.integers(1, 128), st.floats(0, 1e6))
def test_workers_fit_the_machine(cores, free):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "cores", lambda: cores)
        patch.setattr(machine, "memory_mb", lambda: free)
        workers = machine.usual_workers()
    assert 1 <= workers <= cores
    assert workers == 1 or machine.SHARED_MB + workers * machine.WORKER_MB <= free


@pytest.fixture
def container(monkeypatch):
    """Puts texts in place of the files under /sys/fs/cgroup."""

    def place(files):
        class Path:
            def __init__(self, path):
                self.path = path

            def read_text(self):
                if self.path not in files:
                    raise FileNotFoundError(self.path)
                return files[self.path]

        monkeypatch.setattr(machine, "Path", Path)
        monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 16_000_000_000}))

    return place


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, 16_000),
        ({"/sys/fs/cgroup/memory.max": "max\n", "/sys/fs/cgroup/memory.current": "5000\n"}, 16_000),
        ({"/sys/fs/cgroup/memory.max": "2000000000\n", "/sys/fs/cgroup/memory.current": "500000000\n"}, 1_500),
        ({"/sys/fs/cgroup/memory.max": "64000000000\n", "/sys/fs/cgroup/memory.current": "0\n"}, 16_000),
        (
            {
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": "3000000000",
                "/sys/fs/cgroup/memory/memory.usage_in_bytes": "1000000000",
            },
            2_000,
        ),
    ],
    ids=["none", "unlimited", "binder", "roomy", "version 1"],
)
def test_a_container_lends_less_than_the_machine_has(container, files, free):
    container(files)
    assert machine.memory_mb() == pytest.approx(free)
