"""What is said before training, and what is not: a look's facts in, sentences out. No model is built here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nbtune.ask.function import Function
from nbtune.ask.logged import usual_objective
from nbtune.ask.options import Options
from nbtune.ask.targets import Output, Targets
from nbtune.data.read import read_data
from nbtune.record.heldout import HeldOut
from nbtune.record.job import Look, Terms
from nbtune.run.advice import advice
from nbtune.run.request import Request

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 4))
CLASSES = np.arange(100) % 3
TWO = np.arange(100) % 2
SEVERAL = np.stack([TWO, CLASSES > 0, CLASSES > 1], axis=1).astype(int)
ONE_HOT = np.eye(3)[CLASSES]
NUMBERS = RNG.normal(size=100)


def build(units, rate=0.1):
    return units, rate


def forgets(units, learning_rate=0.1):
    return None


def asked(
    data, ends_in, activation, loss=None, logits=False, first="Dense", held_out=None, function=build, loss_axis=None, **options
):
    """The advice for a model that ends in so many units with this activation, compiled with `loss` if it is given."""
    options = Options.of(**{"units": [8, 16], "build": function, "data": data, "loss": loss_axis, **options})
    read = read_data(data)
    look = Look((Output("dense", (ends_in,), loss),), loss, True, first=first, activations=[activation], logits=[logits])
    losses = [str(v) for v in options.loss.values] if options.loss else []
    targets = Targets.of(read.y, look.outputs, losses, loss is not None)
    terms = Terms(Function.of(function), {}, Path(), Path(), 1, None, 0.0, 32, 0)
    objective = options.objective or usual_objective(targets, None)
    job = terms.completed(Path(), frozenset({"loss", "learning_rate"}), targets, objective, look)
    return advice(Request(options, terms.function, read, None, ""), job, held_out or HeldOut(20))


@pytest.mark.parametrize(
    ("y", "units", "activation", "how", "remedy"),
    [
        (CLASSES, 3, "linear", {}, 'Dense(3, activation="softmax")'),
        (CLASSES, 3, "relu", {}, 'Dense(3, activation="softmax")'),
        (ONE_HOT, 3, "tanh", {}, 'Dense(3, activation="softmax")'),
        (CLASSES, 3, "linear", {"loss": "sparse_categorical_crossentropy"}, 'Dense(3, activation="softmax")'),
        (CLASSES, 3, "sigmoid", {}, 'Dense(3, activation="softmax")'),
        (TWO, 1, "softmax", {}, 'Dense(1, activation="sigmoid")'),
        (TWO, 1, "linear", {}, 'Dense(1, activation="sigmoid")'),
        (TWO, 1, "relu", {}, 'Dense(1, activation="sigmoid")'),
        (TWO, 1, "linear", {"loss": "binary_crossentropy"}, 'Dense(1, activation="sigmoid")'),
        (SEVERAL, 3, "linear", {}, 'Dense(3, activation="sigmoid")'),
        (SEVERAL, 3, "softmax", {}, 'Dense(3, activation="sigmoid")'),
        (CLASSES, 3, "softmax", {"loss": "sparse_categorical_crossentropy", "logits": True}, "from_logits=True"),
        (CLASSES + 1, 4, "softmax", {}, "give y - 1"),
        (NUMBERS, 1, "sigmoid", {}, "end it in Dense(1)"),
        (NUMBERS, 1, "relu", {}, "end it in Dense(1)"),
        (NUMBERS, 1, "softmax", {}, "Dense(1)"),
        (50_000 + 20_000 * NUMBERS, 1, "linear", {}, "y.std()"),
    ],
)
def test_an_end_that_does_not_fit_the_labels(y, units, activation, how, remedy):
    (said,) = asked((X, y), units, activation, **how)
    assert remedy in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("y", "units", "activation", "how"),
    [
        (CLASSES, 3, "softmax", {}),
        (CLASSES, 3, None, {}),
        (CLASSES, 3, "add", {}),
        (CLASSES, 5, "softmax", {}),
        (CLASSES, 3, "linear", {"loss": "sparse_categorical_crossentropy", "logits": True}),
        (CLASSES, 3, "linear", {"loss": "mean_squared_error"}),
        (CLASSES, 3, "linear", {"loss": "categorical_hinge"}),
        (ONE_HOT, 3, "sigmoid", {"loss": "binary_crossentropy"}),
        (TWO, 1, "sigmoid", {}),
        (TWO, 1, "tanh", {"loss": "hinge"}),
        (TWO, 2, "softmax", {}),
        (SEVERAL, 3, "sigmoid", {}),
        (NUMBERS, 1, "linear", {}),
        (np.abs(NUMBERS), 1, "relu", {}),
        (200 + 50 * NUMBERS, 1, "linear", {}),
    ],
)
def test_no_false_alarm(y, units, activation, how):
    assert asked((X, y), units, activation, **how) == []


def test_losses_on_the_axis_are_judged_one_by_one():
    assert asked((X, CLASSES), 3, "linear", loss_axis=["mean_squared_error"]) == []
    (said,) = asked((X, CLASSES), 3, "linear", loss_axis=["mean_squared_error", "categorical_crossentropy"])
    assert "categorical_crossentropy expects" in said


def test_a_parameter_that_the_function_does_not_use():
    (said,) = asked((X, CLASSES), 3, "softmax", function=forgets)
    assert said.startswith("forgets takes units and does not use it")
    fitting = {"function": forgets, "units": [8], "learning_rate": [0.1, 0.01]}
    assert asked((X, CLASSES), 3, "softmax", **fitting) == []  # uncompiled: it is applied all the same
    (said,) = asked((X, CLASSES), 3, "softmax", loss="sparse_categorical_crossentropy", **fitting)
    assert "learning_rate" in said


SCALES = np.array([1.0, 500.0, 0.2, 5.0])


@pytest.mark.parametrize(
    ("x", "remedy"),
    [
        (X * SCALES, "x.std(axis=0)"),
        (RNG.integers(0, 256, (100, 64)), "x / 255"),
        (RNG.integers(0, 256, (100, 8, 8, 1)).astype(float), "x / 255"),
        (1000 + X, "Normalization"),
    ],
)
def test_features_that_no_network_likes(x, remedy):
    (said,) = asked((x, CLASSES), 3, "softmax")
    assert remedy in said
    assert asked((x, CLASSES), 3, "softmax", first="Normalization") == []
    assert asked((x, CLASSES), 3, "softmax", first=None) == []


@pytest.mark.parametrize("x", [X, X * 20, RNG.integers(0, 17, (100, 64)).astype(float), X * np.array([1, 9, 1, 1])])
def test_features_that_are_fine(x):
    assert asked((x, CLASSES), 3, "softmax") == []


def test_a_constant_column_is_no_scale():
    x = X * 10
    x[:, 2] = 0.001
    assert asked((x, CLASSES), 3, "softmax") == []


def test_ranking_by_the_training_data():
    (said,) = asked((X, CLASSES), 3, "softmax", objective="accuracy")
    assert "--objective val_accuracy" in said


def test_classes_so_uneven_that_accuracy_misleads():
    rare = HeldOut.of(100, {"0": 91, "1": 9})
    (said,) = asked((X, TWO), 1, "sigmoid", held_out=rare)
    assert said.startswith("91% of the rows are of class 0, so that always answering 0 has accuracy 0.91")
    assert asked((X, TWO), 1, "sigmoid", held_out=rare, objective="val_f1_score") == []
    assert asked((X, TWO), 1, "sigmoid", held_out=HeldOut.of(100, {"0": 63, "1": 37})) == []


@pytest.mark.parametrize(
    ("counts", "uneven"),
    [
        ({0: 69, 1: 31}, False),
        ({0: 70, 1: 30}, True),
        ({0: 50, **dict.fromkeys(range(1, 6), 10)}, True),
        ({0: 40, 1: 30, 2: 30}, False),
    ],
)
def test_what_counts_as_uneven(counts, uneven):
    assert HeldOut.of(100, counts).uneven is uneven
