"""A cluster of two processes for the tests of a module."""

from __future__ import annotations

import os
import time

import pytest

distributed = pytest.importorskip("distributed", reason="distributed is not installed")

QUIET = {"dashboard_address": ":0", "threads_per_worker": 1, "silence_logs": 50}


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(n_workers=2, **QUIET) as made:
        yield made


@pytest.fixture
def client(cluster):
    """With two workers, whatever the test before did to them."""
    cluster.scale(2)
    with distributed.Client(cluster, set_as_default=False) as made:
        made.wait_for_workers(2, timeout=60)
        yield made


def left_on(client):
    """What a search may have left: tasks, topics, plugins and resources on workers, processes below them."""
    tasks, topics = client.run_on_scheduler(_known)
    return [*tasks, *topics, *(each for found in client.run(_held).values() for each in found)]


def _known(dask_scheduler):
    topics = dask_scheduler._broker._topics
    return list(dask_scheduler.tasks), [name for name in topics if name.startswith("nbtune")]


def _held(dask_worker):
    import psutil

    resources = [name for name, amount in dask_worker.state.total_resources.items() if amount]
    plugins = [name for name in dask_worker.plugins if name.startswith("nbtune")]
    below = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True) if child.status() != "zombie"]
    return [*resources, *plugins, *(line for line in below if "nbtune" in line)]


def pids(client):
    return client.run(os.getpid)


def workers(client):
    """How many the scheduler knows. One that is just leaving answers nobody."""
    return client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.workers))


def wait_until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
