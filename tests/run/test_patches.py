"""What a notebook sets in libraries holds in the workers: the reference is `model.fit` here, where it was set."""

from __future__ import annotations

import functools
from unittest import mock

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


def built_with_numpy(units):
    model = dense(1, units)
    rate = 0.001 * float(np.pi + np.mean([0.0, 0.0, 6.0]) + np.median([0.0, 0.0, 3.0]) + np.std([1.0, 3.0]))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_so_do_data_and_the_librarys_own_things(flowers, here, monkeypatch):
    x, y = flowers
    terms = {"units": [4], "epochs": 2, "patience": None, "validation_data": (x, y), "workers": 1, "dir": str(here)}
    ordinary = tune(built_with_numpy, (x, y), **terms)
    assert not [note for note in ordinary._run.notes if "Set in the notebook" in note]
    mean, median = np.mean, np.median
    for name, thing in {"mean": median, "median": mean, "pi": 3.0, "std": mock.MagicMock(return_value=2.5)}.items():
        monkeypatch.setattr(np, name, thing)
    monkeypatch.setattr(keras.layers.Dense, "supports_masking", True, raising=False)
    search = tune(built_with_numpy, (x, y), **terms)
    assert search.directory != ordinary.directory
    assert "Set in the notebook, and so for the workers: numpy." in search._run.notes[0]
    assert "and 2 more. Trials are trained one by one" in search._run.notes[0]
    keras.utils.set_random_seed(0)
    reference = built_with_numpy(4).fit(x, y, epochs=2, validation_data=(x, y), verbose=0).history
    np.testing.assert_allclose(search.trials[0].history["loss"], reference["loss"], rtol=1e-5)
    monkeypatch.undo()
    assert tune(built_with_numpy, (x, y), **terms).trials[0].score == ordinary.trials[0].score


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
