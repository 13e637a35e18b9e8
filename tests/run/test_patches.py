"""What a notebook sets in libraries holds in the workers: the reference is `model.fit` here, where it was set."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from nbtune import tune
from nbtune.run.freezing import Patches
from tests.conftest import dense

keras = pytest.importorskip("keras")


def build(units):
    model = dense(1, units)
    rate = 0.01 * float(np.mean([1.0]))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def halved(original):
    return lambda layer, inputs, *arguments, **settings: original(layer, inputs, *arguments, **settings) * 0.5


def test_what_is_set_in_a_library_holds_in_the_workers(flowers, here, monkeypatch):
    x, y = flowers
    mean = np.mean
    monkeypatch.setattr(keras.layers.Dense, "call", halved(keras.layers.Dense.call))
    monkeypatch.setattr(np, "mean", functools.wraps(mean)(lambda *arguments: mean(*arguments) + 3))
    terms = {"units": [4], "epochs": 2, "patience": None, "validation_data": (x, y), "workers": 1, "dir": str(here)}
    search = tune(build, (x, y), **terms)
    assert "numpy.mean" in search._run.notes[0]
    keras.utils.set_random_seed(0)
    reference = build(4).fit(x, y, epochs=2, validation_data=(x, y), verbose=0).history
    np.testing.assert_allclose(search.trials[0].history["loss"], reference["loss"], rtol=1e-5)
    assert tune(build, (x, y), **terms).directory == search.directory, "the same is reused"
    monkeypatch.undo()
    assert tune(build, (x, y), **terms).directory != search.directory


def test_what_cannot_be_sent_is_said_and_nothing_is_reused(flowers, here, monkeypatch):
    batches = (each for each in range(3))
    monkeypatch.setattr(np, "median", lambda *arguments: next(batches))
    search = tune(dense, flowers, units=[4], epochs=1, workers=1, dir=str(here))
    assert search.state == "finished"
    assert "No earlier result can be used: the notebook has set numpy.median" in search._run.notes[0]
    assert "as a fresh import gives it" in search._run.notes[0]


def test_without_any_nothing_is_said():
    assert Patches.here() == Patches()
    assert Patches.here().note == ""
