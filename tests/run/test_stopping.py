"""A stop keeps what was trained: score, history and weights of the best epoch of what was under way, whoever trains it."""

from __future__ import annotations

import os
import signal
import threading
import time

import keras
import numpy as np
import psutil
import pytest

from nbtune import tune
from nbtune.run import lifecycle
from tests.cases import cases
from tests.conftest import dense, fill
from tests.run.test_lifecycle import is_free, none_train, wait_until

pytestmark = pytest.mark.usefixtures("nothing_in_reserve")

GRID = {"units": [4, 6, 8], "epochs": 100_000, "patience": None, "workers": 1}
ENGINES = ["fused", "trial"]


@pytest.fixture
def started(flowers, here):
    """Starts a search of which some epochs are trained."""
    made = []

    def start(build=dense, data=flowers, epochs=3, **options):
        made.append(tune(build, data, validation_data=data, wait=False, **{**GRID, "dir": str(here), **options}))
        wait_until(lambda: any(trial.epochs >= epochs for trial in made[-1].trials))
        return made[-1]

    yield start
    for search in made:
        search.stop()


def undisturbed(search, flowers, epochs):
    """The histories of the same networks, of a search with so many epochs, by `model.fit`."""
    terms = {"epochs": epochs, "patience": None, "workers": 0, "engine": "trial", "validation_data": flowers}
    return tune(dense, flowers, units=[4, 6, 8], dir=str(search.directory.parent / "other"), **terms).trials


@pytest.mark.parametrize("engine", cases(ENGINES, ["fused"]))
def test_what_was_under_way_keeps_its_best_epoch(started, flowers, engine):
    search = started(engine=engine)
    search.stop()
    early = [trial for trial in search.trials if trial.status == "stopped"]
    assert len(early) == (3 if engine == "fused" else 1)
    assert search.coverage.stopped == len(early)
    assert search.coverage.pending == 3 - len(early)
    best = search.best
    assert best.provisional
    assert str(search).startswith(f"stopped: 0 done, {len(early)} stopped early")
    wholes = undisturbed(search, flowers, max(trial.epochs for trial in early))
    for trial in early:
        assert trial.epochs == len(trial.history["val_loss"]) >= 3
        assert trial.score == max(trial.history["val_accuracy"]) == trial.history["val_accuracy"][trial.best_epoch - 1]
        assert "stopped early, after" in trial.error
        whole = wholes[[4, 6, 8].index(trial.values["units"])]
        for name, values in trial.history.items():
            np.testing.assert_allclose(values, whole.history[name][: trial.epochs], rtol=1e-3, atol=1e-5, err_msg=name)
    accuracy = search.best_model.evaluate(*flowers, verbose=0, return_dict=True)["accuracy"]
    assert accuracy == pytest.approx(best.score)
    frame = search.to_frame()
    assert (frame.status == "stopped").sum() == len(early)
    assert frame.score.max() == best.score
    assert "compile" in search.code()
    assert search.refit(2) is not None


@pytest.mark.parametrize("engine", cases(ENGINES, ["fused"]))
def test_it_is_there_when_the_cell_is_run_again_and_goes_on(started, flowers, engine):
    first = started(engine=engine)
    first.stop()
    was = first.best
    search = started(engine=engine)
    assert f"0 of 3 done before, {first.coverage.stopped} stopped early; going on in" in "".join(search._run.notes)
    wait_until(lambda: search.trials[int(was.id)].epochs > was.epochs)
    search.stop()
    now = search.trials[int(was.id)]
    assert {name: values[: was.epochs] for name, values in now.history.items()} == was.history
    assert search.best.score >= was.score
    search.resume()
    assert search.best_so_far.score >= was.score, "it stays until there is more"
    search.stop()
    assert search.best.score >= was.score, "also where it is stopped again at once"


def test_a_pause_before_and_stops_at_once_from_everywhere(started):
    search = started(engine="fused")
    search.pause()
    began = time.monotonic()
    threads = [threading.Thread(target=search.stop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert time.monotonic() - began < lifecycle.SECONDS_TO_HAND_IN
    assert search.best.provisional
    assert search.best_model is not None
    assert is_free(search)
    assert none_train()


def never_ends(units):
    """A network that trains three epochs and then stands still."""

    class Stands(keras.Model):
        def train_step(self, data):
            if int(self.optimizer.iterations) > 9:
                time.sleep(1000)
            return super().train_step(data)

    inputs = keras.Input((4,))
    made = Stands(inputs, keras.layers.Dense(3, activation="softmax")(keras.layers.Dense(units)(inputs)))
    made.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return made


def test_one_that_hands_nothing_in_keeps_its_score(started, monkeypatch):
    monkeypatch.setattr(lifecycle, "SECONDS_TO_HAND_IN", 1.5)
    search = started(never_ends)
    began = time.monotonic()
    search.stop()
    assert 1 < time.monotonic() - began < 6
    (first,) = (trial for trial in search.trials if trial.status == "stopped")
    assert (first.status, first.epochs, first.weights) == ("stopped", 3, None)
    assert search.best.score == max(first.history["val_accuracy"])
    assert none_train()


def test_workers_that_die_meanwhile_end_the_wait(started):
    search = started(never_ends)
    stop = threading.Thread(target=search.stop)
    began = time.monotonic()
    stop.start()
    wait_until(lambda: search._run._life.phase == "stopping")
    for process in psutil.Process().children(recursive=True):
        if process.memory_info().rss > 200e6:
            process.kill()
    stop.join(20)
    assert not stop.is_alive()
    assert time.monotonic() - began < 6
    assert (search.coverage.stopped, search.coverage.failed) == (1, 0)
    assert search.best.epochs == 3
    assert none_train()


@pytest.mark.parametrize("engine", cases(ENGINES, ["fused"]))
def test_a_full_disk_meanwhile_costs_weights_and_no_more(started, small_disk, engine):
    search = started(engine=engine, units=[400, 500, 600], dir=str(small_disk))
    fill(small_disk, 0)
    began = time.monotonic()
    search.stop()
    assert time.monotonic() - began < lifecycle.SECONDS_TO_HAND_IN + 3
    assert search.state == "stopped"
    assert search.best.score is not None
    assert is_free(search)
    assert none_train()


@pytest.mark.parametrize("engine", cases(ENGINES, ["fused"]))
def test_repeats_that_were_trained_count(started, flowers, engine):
    search = started(engine=engine, repeats=3)
    search.stop()
    best = search.best
    assert len(best.scores) == (3 if engine == "fused" else 1)
    assert best.score == pytest.approx(np.mean(best.scores))
    accuracy = search.best_model.evaluate(*flowers, verbose=0, return_dict=True)["accuracy"]
    assert accuracy == pytest.approx(max(best.scores))


@pytest.mark.parametrize("engine", cases(ENGINES, ["fused"]))
def test_an_interrupt_without_workers_keeps_what_there_is(flowers, here, engine):
    timer = threading.Timer(8.0, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        search = tune(dense, flowers, dir=str(here), engine=engine, **{**GRID, "workers": 0})
    finally:
        timer.cancel()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        signal.signal(signal.SIGINT, before)
    assert search.state == "stopped"
    assert search.best.provisional
    assert search.best_model is not None


@pytest.mark.slow
def test_it_ends_when_its_minutes_are_over_and_has_as_many_when_it_is_resumed(flowers, here):
    search = tune(dense, flowers, dir=str(here), minutes=0.1, engine="trial", **{**GRID, "workers": 0})
    assert search.state == "stopped"
    assert "the 0.1 minutes are over" in str(search)
    assert (search.coverage.stopped, search.coverage.pending) == (1, 2)
    assert len(search.coverage.untried) == 2
    epochs = search.best.epochs
    began = time.monotonic()
    search.resume()
    assert 5 < time.monotonic() - began < 20
    assert search.state == "stopped"
    assert search.best.epochs > epochs
    assert "the 0.1 minutes are over" in str(search)
