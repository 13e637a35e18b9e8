"""What a notebook sets in libraries is found also where it is data or a library's own, if code names it; and nothing else."""

from __future__ import annotations

import functools
import math
import random
import statistics
from unittest import mock

import numpy as np
import pytest

from nbtune.data.content.altered import altered
from nbtune.data.content.objects import Contents
from nbtune.data.content.planted import planted


class Normal(statistics.NormalDist):
    pass


def helper(values):
    return random.random() * math.exp(math.pi) + Normal(0, 1).mean + np.linalg.norm(values)


def build(units, inner=helper):
    import numpy

    return inner(units) + np.mean(units) + np.abs(units) + np.exp(units) * np.pi * numpy.float32(1) + len(str(np.newaxis))


class Called:
    def __call__(self):
        return 1


WAYS = {
    "numpy:mean": (np, "mean", np.median),
    "numpy:pi": (np, "pi", 3),
    "numpy:abs": (np, "abs", np.negative),
    "numpy:exp": (np, "exp", np.log),
    "numpy:float32": (np, "float32", np.float64),
    "numpy:newaxis": (np, "newaxis", 0),
    "numpy.linalg:norm": (np.linalg, "norm", np.linalg.det),
    "math:pi": (math, "pi", 3),
    "math:exp": (math, "exp", math.log),
    "random:random": (random, "random", random.gauss),
    "statistics:NormalDist.samples": (statistics.NormalDist, "samples", statistics.NormalDist.pdf),
    "statistics:NormalDist.new": (statistics.NormalDist, "new", True),
}


@pytest.mark.parametrize("path", WAYS)
def test_what_a_library_does_not_say_itself_is_found(monkeypatch, path):
    assert altered(build) == {}
    holder, name, thing = WAYS[path]
    monkeypatch.setattr(holder, name, thing, raising=False)
    assert altered(build) == {path: thing}
    assert altered(functools.partial(build, 3)) == {path: thing}
    assert altered([max, "np"]) == {}, "nothing names it"
    monkeypatch.undo()
    assert altered(build) == {}


@pytest.mark.parametrize("thing", [mock.Mock(), mock.MagicMock(), Called()], ids=["mock", "magic", "own"])
def test_an_object_that_stands_in_for_a_function_is_found(monkeypatch, thing):
    monkeypatch.setattr(np, "median", thing)
    assert planted() == {"numpy:median": thing}


def test_what_a_mock_returns_counts():
    assert Contents()(mock.MagicMock(return_value=1)) == Contents()(mock.MagicMock(return_value=1))
    assert Contents()(mock.MagicMock(return_value=1)) != Contents()(mock.MagicMock(return_value=2))


def uses_keras():
    import keras
    import tensorflow as tf

    keras.ops.mean(tf.nn.dropout(tf.math.reduce_mean([1.0]), 0.5))
    keras.layers.BatchNormalization()
    keras.metrics.Accuracy()
    keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1, 2))
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), tf.keras.layers.LSTM(2)]).compile(loss=keras.losses.Poisson())


def test_of_keras_and_tensorflow_too(monkeypatch):
    keras, tf = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    assert altered(uses_keras) == {}
    other, dense = keras.layers.EinsumDense, "keras.src.layers.core.dense:Dense"
    ways = {
        "keras.layers:Dense": (keras.layers, "Dense", other),
        "keras._tf_keras.keras.layers:LSTM": (tf.keras.layers, "LSTM", keras.layers.GRU),
        "keras.ops:mean": (keras.ops, "mean", keras.src.backend.numpy.mean),
        "tensorflow._api.v2.nn:dropout": (tf.nn, "dropout", tf.compat.v1.nn.dropout),
        f"{dense}.call": (keras.layers.Dense, "call", other.call),
        f"{dense}.build": (keras.layers.Dense, "build", mock.MagicMock()),
        f"{dense}.supports_masking": (keras.layers.Dense, "supports_masking", True),
        "keras.src.layers.layer:Layer.__call__": (keras.layers.Layer, "__call__", keras.Model.fit),
        "keras.src.optimizers.adam:Adam.update_step": (keras.optimizers.Adam, "update_step", keras.optimizers.SGD.update_step),
    }
    for path, (holder, name, thing) in ways.items():
        with monkeypatch.context() as patch:
            patch.setattr(holder, name, thing, raising=False)
            assert altered(uses_keras) == {path: thing}
    assert altered(uses_keras) == {}


def test_what_a_library_adds_to_its_own_classes_elsewhere_is_not_an_alteration():
    tf = pytest.importorskip("tensorflow")
    constant, variable = tf.constant([1.0]), tf.Variable([1.0])  # the operators of both come from other modules
    assert altered([lambda: (constant, variable)]) == {}
