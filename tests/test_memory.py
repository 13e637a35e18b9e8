"""Memory over 300 trials: neither the kernel nor the workers grow with what they have done. Part of `make soak`."""

from __future__ import annotations

import os
import time

import numpy as np
import psutil
import pytest

import nbtune
from tests.conftest import dense

pytestmark = [
    pytest.mark.skipif("NBTUNE_SOAK" not in os.environ, reason="takes minutes; make soak runs it"),
    pytest.mark.timeout(3600),
]

TRIALS, WARM_UP = 300, 60


def memory_of_workers():
    processes = psutil.Process().children(recursive=True)
    return sum(process.memory_full_info().uss for process in processes if process.is_running()) / 1e6


def growth(done, megabytes):
    """MB a trial, by least squares."""
    return np.polyfit(done, megabytes, 1)[0]


def test_memory_is_flat(flowers, here, capsys):
    grid = {"units": list(range(2, 2 + TRIALS // 2)), "learning_rate": [0.1, 0.01]}
    search = nbtune.tune(dense, flowers, **grid, epochs=1, workers=2, wait=False, dir=str(here))
    samples = []
    while search.state != "finished":
        time.sleep(1)
        try:
            samples.append((search.coverage.done, psutil.Process().memory_full_info().uss / 1e6, memory_of_workers()))
        except psutil.NoSuchProcess:  # a worker that was replaced just then
            continue
    assert search.coverage.done == TRIALS
    done, kernel, workers = np.array([sample for sample in samples if sample[0] >= WARM_UP and sample[2] > 100]).T
    with capsys.disabled():
        print(f"\nkernel {growth(done, kernel):+.3f} MB a trial; workers {growth(done, workers):+.3f} MB a trial, ", end="")
        print(f"{workers.max():.0f} MB at most")
    assert growth(done, kernel) < 0.05
    assert growth(done, workers) < 0.5
