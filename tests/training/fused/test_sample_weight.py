"""Weighted rows: the reference engine against `model.fit` written out by hand, and stacks against the reference."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.model_selection import train_test_split

from nbtune import tune
from tests.cases import cases
from tests.conftest import dense
from tests.training.fused.test_fit import TOKENS, X, Y, check, classifier, job_of, relu  # noqa: F401 - a fixture among them


@functools.cache
def weights(rows=210, seed=1):
    """From a thousandth to a thousand, and one row in six does not count."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(rows) < 1 / 6, 0, 10 ** rng.uniform(-3, 3, rows))


def weighed():
    """A function whose model has the same metric with and without weights."""

    def build():
        model = classifier(relu)()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
        return model

    return build


@pytest.fixture(scope="module")
def split():
    """The rows as nbtune splits them: x, x_val, y, y_val, weights, weights_val."""
    return train_test_split(X, Y, weights(), test_size=0.2, random_state=0, stratify=Y)


@pytest.mark.parametrize("which", cases(["both", "training", "validation"], ["both"]))
def test_every_epoch_equals_model_fit(here, split, which):
    x, x_val, y, y_val, w, w_val = split
    weight, weight_val = (w if which != "validation" else None), (w_val if which != "training" else None)
    whole = {"data": (X, Y, weights())}
    own = {"data": (x, y) if weight is None else (x, y, weight)}
    own["validation_data"] = (x_val, y_val) if weight_val is None else (x_val, y_val, weight_val)
    build = weighed()
    given = whole if which == "both" else own
    search = tune(build, **given, learning_rate=[0.02], epochs=4, engine="trial", workers=0, dir=str(here))

    keras.utils.set_random_seed(0)
    model = build()
    model.optimizer.learning_rate = 0.02
    keras.utils.set_random_seed(0)
    validation = (x_val, y_val, weight_val)
    history = model.fit(x, y, epochs=4, sample_weight=weight, validation_data=validation, verbose=0).history
    assert set(search.trials[0].history) == set(history) >= {"val_loss", "val_accuracy", "val_weighted_accuracy"}
    for name, values in history.items():
        np.testing.assert_allclose(search.trials[0].history[name], values, rtol=1e-5, err_msg=name)


@pytest.mark.slow
def test_a_row_of_weight_two_is_as_good_as_two_rows(here):
    """One batch of all rows and plain gradient descent: there the order does not count. Its mean is over other counts."""

    def build(learning_rate):
        model = keras.Sequential([keras.Input((8,)), layers.Dense(3, activation="softmax", kernel_initializer="ones")])
        model.compile(keras.optimizers.SGD(learning_rate), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
        return model

    many = np.arange(210) % 3
    terms = {"epochs": 3, "validation_data": (X, Y), "batch_size": [512], "workers": 0, "dir": str(here)}
    weighted = tune(build, (X, Y, many), learning_rate=[0.1], **terms).trials[0].history
    repeated = tune(build, (X.repeat(many, 0), Y.repeat(many)), learning_rate=[0.1 * many.mean()], **terms).trials[0].history
    np.testing.assert_allclose(np.array(weighted["loss"]) / many.mean(), repeated["loss"], rtol=1e-4)
    for name in ("accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(weighted[name], repeated[name], rtol=1e-4, err_msg=name)


@pytest.mark.slow
def test_a_metric_that_is_weighted_stays_the_objective(here):
    """The usual objective is `val_accuracy`, which Keras makes of `weighted_metrics` if `metrics` have no accuracy."""

    def build():
        model = classifier(relu)()
        model.compile("adam", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
        return model

    search = tune(build, (X, Y, weights()), learning_rate=[0.02], epochs=2, engine="trial", workers=0, dir=str(here))
    assert set(search.trials[0].history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert "'metrics'" not in search.code()


@pytest.mark.slow
def test_refit_weighs_both_parts(here, split):
    x, x_val, y, y_val, w, _ = split
    search = tune(
        dense, (x, y, w), validation_data=(x_val, y_val), epochs=2, units=[4], workers=0, dir=str(here),
        axis={"features": [8]}, learning_rate=[0.02],
    )  # fmt: skip
    ours = search.refit(epochs=2)
    keras.utils.set_random_seed(0)
    model = dense(units=4, features=8)
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    keras.utils.set_random_seed(0)
    both = np.concatenate([w, np.ones(len(y_val))])
    model.fit(np.concatenate([x, x_val]), np.concatenate([y, y_val]), sample_weight=both, epochs=2, verbose=0)
    for one, other in zip(ours.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


# ---- stacks; 168 rows to train on make a last batch of 8


def test_a_stack_of_losses_with_weighted_metrics(job_of):  # noqa: F811
    losses = ["sparse_categorical_crossentropy", "mean_squared_error"]
    check(*job_of(weighed(), (X, Y, weights()), loss=losses, learning_rate=[0.01]))


@pytest.mark.slow
def test_a_stack_of_regressions(job_of):  # noqa: F811
    def build():
        return keras.Sequential([keras.Input((8,)), layers.Dense(6, activation="tanh"), layers.Dense(2)])

    check(*job_of(build, (X, 2.5 * X[:, :2] + 0.1, weights()), loss=["huber"], learning_rate=[0.01]))


def test_a_stack_with_a_mask_and_a_loss_that_divides_by_the_weights(job_of):  # noqa: F811
    """Neither lets a batch be padded."""

    def build():
        hidden = [lambda: layers.Embedding(32, 5, mask_zero=True), layers.GlobalAveragePooling1D]
        model = classifier(*hidden, shape=(6,))()
        loss = keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
        model.compile("adam", loss, metrics=["accuracy"], weighted_metrics=["accuracy"])
        return model

    check(*job_of(build, (TOKENS, Y, weights()), epochs=3), ids=["1"])


@pytest.mark.slow
def test_a_stack_with_a_weighted_metric_that_is_no_mean(job_of):  # noqa: F811
    def build():
        model = keras.Sequential([keras.Input((8,)), layers.Dense(1, activation="sigmoid")])
        model.compile("adam", "binary_crossentropy", weighted_metrics=[keras.metrics.AUC(name="auc")])
        return model

    check(*job_of(build, (X, (Y > 1).astype(int), weights()), objective="max:val_auc", epochs=3), ids=["1"])


@pytest.mark.slow
def test_a_stack_whose_validation_rows_weigh_the_same(job_of, split):  # noqa: F811
    x, x_val, y, y_val, w, _ = split
    check(*job_of(weighed(), (x, y, w), validation_data=(x_val, y_val), epochs=3), ids=["0"])
