"""How many workers a machine carries."""

from __future__ import annotations

import math
import os
from types import SimpleNamespace

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


@pytest.mark.parametrize(("left", "free"), [(math.inf, 16_000), (1.5e9, 1_500), (64e9, 16_000)])
def test_a_container_lends_less_than_the_machine_has(monkeypatch, left, free):
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: SimpleNamespace(available=16_000_000_000))
    monkeypatch.setattr(machine.cgroup, "memory_left", lambda: left)
    assert machine.memory_mb() == pytest.approx(free)


@pytest.mark.parametrize(("granted", "cores"), [(0.5, 1), (1.5, 2), (math.inf, 8)])
def test_a_container_lends_fewer_cores_than_the_machine_has(monkeypatch, granted, cores):
    monkeypatch.setattr("loky.cpu_count", lambda: 8)
    monkeypatch.setattr(machine.cgroup, "cores", lambda: granted)
    assert machine.cores() == cores
