"""What nbtune must know before training leaves the model that is fitted as the function returned it, against `model.fit`."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from nbtune import tune
from tests.conformance.reference import Terms, difference, fit

TERMS = Terms(epochs=3, batch_size=16)
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(80, 6, 4)).astype("float32"), RNG.integers(0, 3, 80)
TRAIN, VALIDATION = tuple(part[:64] for part in ROWS), tuple(part[64:] for part in ROWS)


class Sampling(layers.Layer):
    """Draws from a generator of its own in every call, evaluation included."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.generator = keras.random.SeedGenerator(7)

    def call(self, inputs):
        return inputs + 0.3 * keras.random.normal(keras.ops.shape(inputs), seed=self.generator)


class Counting(layers.Layer):
    """Weighs its input by how often it was called."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        self.calls.assign_add(1.0)
        return inputs / (1.0 + self.calls)


class Late(layers.Layer):
    """Draws the seed of its kernel when it is built."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 8), initializer="glorot_uniform")
        self.mask = (np.random.rand(8) > 0.3).astype("float32")

    def call(self, inputs):
        return keras.ops.matmul(inputs, self.kernel) * self.mask


class OnlyInGraphs(layers.Layer):
    """An operation that ends the process when it runs outside of a graph, as `unsorted_segment_mean` does in TensorFlow 2.21."""

    def call(self, inputs):
        assert not tf.executing_eagerly(), "called eagerly"
        return inputs


def ended(*hidden):
    model = keras.Sequential([*hidden, layers.Flatten(), layers.Dense(3, activation="softmax")])
    return model


def compiled(model, rate):
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def recurrent_dropout(learning_rate):
    return compiled(ended(keras.Input((6, 4)), layers.LSTM(5, recurrent_dropout=0.3, dropout=0.2)), learning_rate)


def sampling(learning_rate):
    return compiled(ended(keras.Input((6, 4)), Sampling(), layers.Dense(5, activation="relu")), learning_rate)


def counting(learning_rate):
    return compiled(ended(keras.Input((6, 4)), Counting(), layers.Dense(5, activation="relu")), learning_rate)


def unbuilt(learning_rate):
    return compiled(ended(Late(), layers.ReLU()), learning_rate)


def unbuilt_dense(learning_rate):
    return compiled(ended(layers.Dense(6, activation="relu"), layers.Dropout(0.2)), learning_rate)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.attention = layers.MultiHeadAttention(2, 3, dropout=0.1)
        self.flat, self.last = layers.Flatten(), layers.Dense(3, activation="softmax")

    def call(self, inputs, training=None):
        return self.last(self.flat(self.attention(inputs, inputs, training=training)))


def subclassed(learning_rate):
    return compiled(Subclassed(), learning_rate)


def only_in_graphs(learning_rate):
    return compiled(ended(keras.Input((6, 4)), OnlyInGraphs(), layers.Dense(5)), learning_rate)


KINDS = [recurrent_dropout, sampling, counting, unbuilt, unbuilt_dense, subclassed, only_in_graphs]


@pytest.mark.parametrize("engine", ["trial", "fused"])
@pytest.mark.parametrize("build", KINDS, ids=lambda build: build.__name__)
def test_the_numbers_are_those_of_model_fit(build, engine, here):
    terms = {"epochs": TERMS.epochs, "batch_size": [TERMS.batch_size], "patience": None, "objective": TERMS.objective}
    data = {"data": TRAIN, "validation_data": VALIDATION}
    search = tune(build, **data, learning_rate=[0.01, 0.003], engine=engine, workers=0, dir=str(here), **terms)
    assert search.coverage.done == 2, search.trials[0].error
    for trial in search.trials:
        expected = fit(build, {"learning_rate": trial.values["learning_rate"]}, TRAIN, VALIDATION, TERMS)
        assert difference(trial.history, expected.history) < 1e-5
        assert trial.best_epoch == expected.best_epoch


@pytest.mark.parametrize("build", [unbuilt, subclassed, sampling], ids=lambda build: build.__name__)
def test_the_best_model_scores_what_it_scored(build, here):
    terms = {"epochs": TERMS.epochs, "batch_size": [TERMS.batch_size], "patience": None, "objective": TERMS.objective}
    data = {"data": TRAIN, "validation_data": VALIDATION}
    search = tune(build, **data, learning_rate=[0.01], engine="trial", workers=0, dir=str(here), **terms)
    expected = fit(build, {"learning_rate": 0.01}, TRAIN, VALIDATION, TERMS)
    keras.utils.set_random_seed(99)
    for ours, theirs in zip(search.best_model.get_weights(), expected.model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
    if build is not sampling:  # which draws anew each time
        assert search.best_model.evaluate(*VALIDATION, verbose=0)[0] == pytest.approx(search.best.score, rel=1e-5)
