"""Searches on a cluster of real processes, some of which are killed."""

from __future__ import annotations

import os
import signal
from collections import Counter

import distributed
import numpy as np
import psutil
import pytest

from nbtune import UsageError, tune
from nbtune.record import log
from nbtune.record.events import DONE, EpochEnded, TrialEnded
from tests.conftest import dense
from tests.execution.dask.conftest import QUIET, left_on, pids, wait_until, workers

LONG = {"units": [4, 6, 8, 10], "epochs": 100_000, "patience": None}


def events(search, kind):
    return [event for event in log.read(search.directory).events if isinstance(event, kind)]


def test_the_numbers_are_those_of_a_local_search_and_nothing_is_left(flowers, here, client):
    grid = {"units": [4, 8], "layers": [1, 2], "learning_rate": [0.01, 0.1], "epochs": 4, "patience": None, "dir": str(here)}
    there = tune(dense, flowers, name="there", dask=client, **grid)
    assert left_on(client) == []
    assert not any(client.run(lambda: "tensorflow" in __import__("sys").modules).values()), "never in a Dask worker itself"
    local = tune(dense, flowers, name="local", workers=2, **grid)
    assert [trial.status for trial in there.trials] == ["done"] * 8
    for one, other in zip(there.trials, local.trials, strict=True):
        assert one.values == other.values
        assert one.history == other.history
    x = flowers[0]
    np.testing.assert_array_equal(there.best_model.predict(x, verbose=0), local.best_model.predict(x, verbose=0))
    assert there.refit(2).count_params() == local.best_model.count_params()
    again = tune(dense, flowers, name="there", dask=client, **grid)
    assert len(events(again, TrialEnded)) == 8, "nothing is trained again"


def kills_its_worker(units):
    """The process that trains, or the Dask worker above it."""
    if units == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    if units == 8:
        worker = psutil.Process().parents()[2]
        assert "distributed" in " ".join(worker.cmdline()) or "multiprocessing" in " ".join(worker.cmdline())
        worker.kill()
    return dense(units=units)


@pytest.mark.slow
def test_a_trial_that_kills_its_workers_is_failed_and_the_cluster_goes_on(flowers, here, client):
    grid = {"units": [4, 6, 8, 10], "engine": "trial", "epochs": 2, "retries": 0, "dir": str(here)}
    search = tune(kills_its_worker, flowers, dask=client, **grid)
    assert [trial.status for trial in search.trials] == ["done", "failed", "failed", "done"]
    assert "SIGKILL" in search.trials[1].error
    assert "was lost while it trained this" in search.trials[2].error
    wait_until(lambda: workers(client) == 2)  # its nanny has started another one


def test_a_stack_whose_worker_is_killed_goes_on_elsewhere(flowers, here, client):
    grid = {**LONG, "learning_rate": [0.01, 0.003], "epochs": 1500}  # two stacks of four
    search = tune(dense, flowers, dask=client, wait=False, dir=str(here), **grid)
    wait_until(lambda: any(trial.status == "running" and trial.epochs > 3 for trial in search.trials))
    os.kill(next(iter(pids(client).values())), signal.SIGKILL)
    assert search.wait(120)
    assert [trial.status for trial in search.trials] == ["done"] * 8
    assert set(Counter(end.trial for end in events(search, TrialEnded)).values()) == {1}, "none is done twice"
    assert left_on(client) == []


@pytest.mark.slow
def test_folds_have_the_scores_of_a_local_search_though_a_worker_is_killed(flowers, here, client):
    grid = {"units": [4, 8], "learning_rate": [0.01], "folds": 3, "epochs": 20, "patience": None, "dir": str(here)}
    for engine in ("fused", "trial"):
        there = tune(dense, flowers, name=f"there_{engine}", dask=client, wait=False, engine=engine, **grid)
        wait_until(lambda: any(trial.status == "running" and trial.epochs > 3 for trial in there.trials))  # noqa: B023
        os.kill(next(iter(pids(client).values())), signal.SIGKILL)
        assert there.wait(180)
        local = tune(dense, flowers, name=f"local_{engine}", workers=2, engine=engine, **grid)
        for one, other in zip(there.trials, local.trials, strict=True):
            assert one.status == "done"
            assert len(one.scores) == 3
            np.testing.assert_allclose(one.scores, other.scores, rtol=1e-5)
        np.testing.assert_allclose(there.oof, local.oof, rtol=1e-4, atol=1e-6)
        assert set(Counter(end.trial for end in events(there, TrialEnded)).values()) == {1}
    assert left_on(client) == []


def test_it_is_paused_goes_on_and_is_stopped(flowers, here, client):
    search = tune(dense, flowers, dask=client, wait=False, dir=str(here), **LONG)
    wait_until(lambda: search.trials[0].epochs > 3)
    search.pause()
    wait_until(lambda: len(events(search, EpochEnded)) == _settled(search), 5)
    assert len(events(search, EpochEnded)) == _settled(search)
    before = search.trials[0].epochs
    search.resume()
    wait_until(lambda: search.trials[0].epochs > before)
    search.stop()
    assert {trial.status for trial in search.trials} <= {"stopped", "pending"}
    assert search.trials[0].weights, "its best epoch so far was handed in"
    assert search.best_model.count_params() > 0
    assert left_on(client) == []


def _settled(search):
    """Epochs so far, once what was on its way has come."""
    import time

    time.sleep(0.8)
    return len(events(search, EpochEnded))


def test_a_worker_that_joins_late_gets_work(flowers, here, client, cluster):
    cluster.scale(1)
    wait_until(lambda: workers(client) == 1)
    search = tune(dense, flowers, dask=client, wait=False, engine="trial", dir=str(here), **{**LONG, "units": [4, 5, 6, 7]})
    wait_until(lambda: search.trials[0].status == "running")
    cluster.scale(2)
    wait_until(lambda: sum(trial.status == "running" for trial in search.trials) == 2)
    search.stop()


def test_where_the_scheduler_goes_the_search_is_paused_and_goes_on_elsewhere(flowers, here, client, monkeypatch):
    monkeypatch.setattr("nbtune.execution.dask.connection.SECONDS_TO_CONNECT", 2)
    with distributed.LocalCluster(n_workers=1, **QUIET) as other:
        search = tune(dense, flowers, dask=other.scheduler_address, wait=False, dir=str(here), **{**LONG, "epochs": 1500})
        wait_until(lambda: any(trial.epochs > 3 for trial in search.trials))
    with pytest.raises(UsageError, match="the search is paused: no Dask scheduler answers"):
        search.wait(60)
    assert search.state == "paused"
    search.resume(dask=client)
    assert search.wait(120)
    assert [trial.status for trial in search.trials] == [DONE] * 4
