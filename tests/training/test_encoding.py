"""Losses and metrics of nbtune's choice on labels in another form than they take."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from nbtune.ask.labels import CLASSES, MULTI_LABEL, NUMBERS, ONE_HOT, Labels
from nbtune.training.encoding import EncodedLoss, EncodedMetric, known_loss, loss, metric

RNG = np.random.default_rng(0)
Y = np.arange(40) % 3
P = RNG.dirichlet(np.ones(3), 40).astype("float32")
BINARY = np.arange(40) % 2
SIGMOID = RNG.random((40, 1)).astype("float32")


def value(made, y, p):
    made = keras.metrics.get(made)
    made.update_state(y, p)
    return float(made.result())


@pytest.mark.parametrize("y", [Y, Y[:, None], Y.astype("uint8"), Y.astype("float32")], ids=["(n,)", "(n, 1)", "uint8", "float32"])
@pytest.mark.parametrize("name", ["mean_squared_error", "categorical_crossentropy", "categorical_hinge", "kl_divergence"])
def test_a_loss_on_classes_is_the_loss_on_one_hot_rows(y, name):
    made = loss(name, Labels(CLASSES, 3), 3)
    expected = keras.losses.get(name)(keras.utils.to_categorical(Y, 3), P)
    assert float(made(y, P)) == pytest.approx(float(np.mean(expected)), rel=1e-6)
    weighted = float(made(y, P, sample_weight=np.arange(40.0)))
    assert weighted == pytest.approx(float(np.mean(np.array(expected) * np.arange(40))), rel=1e-5)


def test_a_sparse_loss_takes_one_hot_rows():
    made = loss("sparse_categorical_crossentropy", Labels(ONE_HOT, 3), 3)
    assert float(made(np.eye(3)[Y], P)) == pytest.approx(float(keras.losses.SparseCategoricalCrossentropy()(Y, P)))


def test_what_fits_is_left_as_it_is():
    assert loss("mse", Labels(NUMBERS, 1), 1) == "mean_squared_error"
    given = keras.losses.SparseCategoricalCrossentropy(name="ce")
    assert loss(given, Labels(CLASSES, 3), 3) is given
    assert metric("accuracy", Labels(CLASSES, 3), 3) == "accuracy"


def test_a_wrapped_loss_and_metric_can_be_saved():
    made = EncodedLoss(keras.losses.CategoricalCrossentropy(label_smoothing=0.1), "one-hot")
    copy = keras.losses.deserialize(keras.losses.serialize(made))
    assert float(copy(Y, P)) == pytest.approx(float(made(Y, P)))
    made = EncodedMetric(keras.metrics.F1Score("macro"), "one-hot")
    assert value(keras.metrics.deserialize(keras.metrics.serialize(made)), Y, P) == pytest.approx(value(made, Y, P))


def test_metrics_of_classes_are_those_of_scikit_learn():
    of = Labels(CLASSES, 3)
    sure = P > 0.5
    hot = np.eye(3)[Y]
    assert value(metric("f1_score", of, 3), Y, P) == pytest.approx(f1_score(Y, P.argmax(1), average="macro"), rel=1e-5)
    assert value(metric("precision", of, 3), Y, P) == pytest.approx(precision_score(hot, sure, average="micro"), rel=1e-5)
    assert value(metric("recall", of, 3), Y, P) == pytest.approx(recall_score(hot, sure, average="micro"), rel=1e-5)
    assert value(metric("auc", of, 3), Y, P) == pytest.approx(roc_auc_score(hot, P, average="micro"), abs=0.01)


def test_metrics_of_two_classes_are_those_of_scikit_learn():
    of = Labels(CLASSES, 2)
    sure = SIGMOID[:, 0] > 0.5
    assert value(metric("f1_score", of, 1), BINARY, SIGMOID) == pytest.approx(f1_score(BINARY, sure), rel=1e-5)
    assert value(metric("precision", of, 1), BINARY, SIGMOID) == pytest.approx(precision_score(BINARY, sure), rel=1e-5)
    assert value(metric("recall", of, 1), BINARY, SIGMOID) == pytest.approx(recall_score(BINARY, sure), rel=1e-5)
    assert value(metric("auc", of, 1), BINARY, SIGMOID) == pytest.approx(roc_auc_score(BINARY, SIGMOID), abs=0.01)


def test_several_labels_a_row_count_from_one_half_on():
    several = (RNG.random((40, 3)) > 0.5).astype("float32")
    assert value(metric("f1_score", Labels(MULTI_LABEL, 3), 3), several, P) == pytest.approx(
        f1_score(several, P > 0.5, average="macro"), rel=1e-5
    )


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("mse", "mean_squared_error"),
        (keras.losses.SparseCategoricalCrossentropy(name="ce"), "sparse_categorical_crossentropy"),
        (keras.losses.KLDivergence(), "kl_divergence"),
        (keras.losses.huber, "huber"),
        (keras.losses.Huber, "huber"),
        (lambda y, p: p, None),
        (EncodedLoss("mse", "one-hot"), None),
    ],
)
def test_losses_of_keras_are_known_by_any_name(given, name):
    assert known_loss(given) == name
