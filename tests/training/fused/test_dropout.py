"""Dropout in a stack: Keras's numbers, and a rate for each trial."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from nbtune import tune
from nbtune.training.fused.layers.dropout import as_drawn_by
from tests.conformance.reference import Terms, difference, fit

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(75, 6)).astype("float32"), RNG.integers(0, 3, 75)  # the last batch is a shorter one
TRAIN, VALIDATION = tuple(part[:60] for part in ROWS), tuple(part[60:] for part in ROWS)


@pytest.mark.parametrize("shape", [[32, 10], [7, 3]])
@pytest.mark.parametrize("run_by_xla", [False, True])
@pytest.mark.parametrize("keras_by_xla", [False, True])
def test_the_same_numbers_drop_out_whoever_draws(shape, run_by_xla, keras_by_xla):
    rows = tf.ones(shape)
    theirs = tf.function(lambda: keras.random.dropout(rows, 0.3, seed=5), jit_compile=keras_by_xla)()
    ours = tf.function(lambda: as_drawn_by(keras_by_xla)(rows, 0.3, seed=5), jit_compile=run_by_xla)()
    np.testing.assert_array_equal(ours, theirs)


def build(rate):
    hidden = [layers.Dense(8, activation="relu"), layers.Dropout(rate), layers.BatchNormalization(), layers.Dropout(rate / 2)]
    model = keras.Sequential([keras.Input((6,)), *hidden, layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_trials_of_several_rates_share_a_stack_with_the_numbers_of_model_fit(here):
    rates = [0.0, 0.2, 0.5]
    terms = {"epochs": 3, "batch_size": [16], "patience": None, "objective": "val_loss", "workers": 0, "engine": "fused"}
    search = tune(build, TRAIN, validation_data=VALIDATION, axis={"rate": rates}, dir=str(here), **terms)
    assert search.plan.stacks == 2  # a rate of 0 draws nothing
    assert not any(trial.alone for trial in search.trials)
    for trial in search.trials[1:]:
        theirs = fit(build, {"rate": trial.values["rate"]}, TRAIN, VALIDATION, Terms(epochs=3, batch_size=16))
        assert difference(trial.history, theirs.history) < 1e-5
