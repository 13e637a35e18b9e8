"""What a beginner is told who has no cluster, or another one than is needed."""

from __future__ import annotations

import importlib.util

import distributed
import pytest

from nbtune import UsageError, tune
from nbtune.execution.dask import hosts
from tests.conftest import dense
from tests.execution.dask.conftest import QUIET, left_on


def told(flowers, here, dask, **others):
    with pytest.raises(UsageError) as caught:
        tune(dense, flowers, units=[4], dask=dask, dir=str(here), **others)
    assert not list(here.iterdir()), "nothing is left on disk"
    return str(caught.value)


def test_distributed_is_not_installed(flowers, here, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "distributed" else find(name))
    assert "%pip install distributed" in told(flowers, here, "tcp://127.0.0.1:1")


def test_nobody_is_at_the_address(flowers, here, monkeypatch):
    monkeypatch.setattr("nbtune.execution.dask.connection.SECONDS_TO_CONNECT", 1)
    assert "no Dask scheduler answers at tcp://127.0.0.1:1: is it running" in told(flowers, here, "tcp://127.0.0.1:1")


def test_the_address_is_none(flowers, here):
    assert "write tcp://host:8786" in told(flowers, here, "nonsense://here:1")
    assert "neither the address of a Dask scheduler" in told(flowers, here, "auto")
    assert "neither the address of a Dask scheduler" in told(flowers, here, 3)


def test_what_is_for_this_machine_alone(flowers, here):
    assert told(flowers, here, "tcp://127.0.0.1:1", workers=2).startswith("workers is for this machine's processes")


def test_a_client_that_is_closed(flowers, here, cluster):
    closed = distributed.Client(cluster, set_as_default=False)
    closed.close()
    assert "this Client is closed" in told(flowers, here, closed)


def test_a_cluster_without_workers(flowers, here, monkeypatch):
    monkeypatch.setattr(hosts, "SECONDS_FOR_WORKERS", 1)
    with distributed.LocalCluster(n_workers=0, **QUIET) as empty:
        assert "has no workers" in told(flowers, here, empty)


@pytest.mark.parametrize("name", ["Python", "Keras", "TensorFlow", "nbtune"])
def test_a_worker_with_another_version(flowers, here, client, monkeypatch, name):
    known = hosts.versions()
    monkeypatch.setattr(hosts, "versions", lambda: {**known, name: "9.9"})
    said = told(flowers, here, client)
    assert "2 of 2 Dask workers cannot train this" in said
    assert f"has {name} {known[name]}, and this kernel 9.9" in said
    assert left_on(client) == []
