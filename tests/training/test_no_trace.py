"""What nbtune must know before training leaves the model that is fitted as the function returned it, against `model.fit`."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from nbtune import tune
from tests.cases import cases
from tests.conformance.reference import Terms, difference, fit

TERMS = Terms(epochs=2, batch_size=16)
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
    return keras.Sequential([*hidden, layers.Flatten(), layers.Dense(3, activation="softmax")])


def compiled(model):
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def recurrent_dropout():
    return compiled(ended(keras.Input((6, 4)), layers.LSTM(5, recurrent_dropout=0.3, dropout=0.2)))


def sampling():
    return compiled(ended(keras.Input((6, 4)), Sampling(), layers.Dense(5, activation="relu")))


def counting():
    return compiled(ended(keras.Input((6, 4)), Counting(), layers.Dense(5, activation="relu")))


def unbuilt():
    return compiled(ended(Late(), layers.ReLU()))


def unbuilt_dense():
    return compiled(ended(layers.Dense(6, activation="relu"), layers.Dropout(0.2)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.attention = layers.MultiHeadAttention(2, 3, dropout=0.1)
        self.flat, self.last = layers.Flatten(), layers.Dense(3, activation="softmax")

    def call(self, inputs, training=None):
        return self.last(self.flat(self.attention(inputs, inputs, training=training)))


def subclassed():
    return compiled(Subclassed())


def only_in_graphs():
    return compiled(ended(keras.Input((6, 4)), OnlyInGraphs(), layers.Dense(5)))


KINDS = [recurrent_dropout, sampling, counting, unbuilt, unbuilt_dense, subclassed, only_in_graphs]
OPTIONS = {"epochs": TERMS.epochs, "batch_size": [TERMS.batch_size], "patience": None, "objective": TERMS.objective}


def searched(build, here, rates, engine):
    terms = {"learning_rate": rates, "engine": engine, "validation_data": VALIDATION, "workers": 0, "dir": str(here)}
    search = tune(build, TRAIN, **terms, **OPTIONS)
    assert search.coverage.done == len(rates), search.trials[0].error
    return search


@pytest.mark.parametrize("build", cases(KINDS, [sampling, unbuilt, recurrent_dropout]), ids=lambda build: build.__name__)
def test_a_trial_is_model_fit_to_the_bit(build, here):
    [trial] = searched(build, here, [0.01], "trial").trials
    expected = fit(build, {"learning_rate": 0.01}, TRAIN, VALIDATION, TERMS)
    assert difference(trial.history, expected.history) == 0
    assert trial.best_epoch == expected.best_epoch


@pytest.mark.parametrize("build", cases([unbuilt, subclassed], [subclassed]), ids=lambda build: build.__name__)
def test_a_stack_builds_what_fit_would_build(build, here):
    trials = searched(build, here, [0.01, 0.003], "fused").trials
    assert [trial.alone for trial in trials] == [None, None]
    expected = fit(build, {"learning_rate": 0.003}, TRAIN, VALIDATION, TERMS)
    assert difference(trials[1].history, expected.history) < 1e-5


def test_the_best_model_is_built_as_it_was_trained(here):
    search = searched(unbuilt, here, [0.01], "trial")
    expected = fit(unbuilt, {"learning_rate": 0.01}, TRAIN, VALIDATION, TERMS)
    keras.utils.set_random_seed(99)
    for ours, (_, theirs) in zip(search.best_model.get_weights(), expected.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert search.best_model.evaluate(*VALIDATION, verbose=0)[0] == pytest.approx(search.best.score, rel=1e-6)
