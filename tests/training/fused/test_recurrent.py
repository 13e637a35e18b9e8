"""The loop over the steps for all trials of a stack: the outputs and slopes of Keras's own loop, trial by trial."""

from __future__ import annotations

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from nbtune.training.fused.layers import recurrent
from nbtune.training.fused.layers.dropout import as_drawn_by
from nbtune.training.private import keras as private
from nbtune.training.private.tensorflow import teach_vectorized_map

TRIALS = 3
RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=(4, 7, 3)).astype("float32")
TOKENS = RNG.integers(0, 5, (4, 7)).astype("int32")  # of which 0 is masked


class Doubling(layers.Layer):
    """A cell that puts out something else than its state."""

    state_size = 3

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 3))
        self.recurrent_kernel = self.add_weight(shape=(3, 3))

    def call(self, inputs, states):
        state = keras.ops.tanh(inputs @ self.kernel + states[0] @ self.recurrent_kernel)
        return 2 * state, [state]


def words():
    return layers.Embedding(5, 3, mask_zero=True)


def own_and_keras():
    return [layers.LSTMCell(2), layers.GRUCell(3), Doubling()]


MODELS = {
    "LSTM": (lambda: [layers.LSTM(4, return_sequences=True), layers.LSTM(2)], SERIES),
    "backwards": (lambda: [layers.Bidirectional(layers.GRU(3, return_sequences=True))], SERIES),
    "cells": (lambda: [layers.RNN(Doubling(), return_sequences=True), layers.RNN(own_and_keras())], SERIES),
    "masked": (lambda: [words(), layers.Bidirectional(layers.LSTM(3, return_sequences=True)), layers.SimpleRNN(2)], TOKENS),
    "zeros for masked": (lambda: [words(), layers.RNN(Doubling(), return_sequences=True, zero_output_for_mask=True)], TOKENS),
    "unknown steps": (lambda: [keras.Input((None, 3)), layers.GRU(3, go_backwards=True)], SERIES),
}


@pytest.mark.parametrize(("name", "jit"), [*((name, False) for name in MODELS), ("LSTM", True)])
def test_outputs_and_slopes_are_those_of_keras(name, jit):
    parts, rows = MODELS[name]
    keras.utils.set_random_seed(1)
    model = keras.Sequential(parts())
    model(rows)
    recurrent.prepare(model)
    teach_vectorized_map()
    variables = model.trainable_variables
    several = lambda v: np.stack([np.asarray(v) + 0.1 * RNG.normal(size=v.shape) for _ in range(TRIALS)])  # noqa: E731
    weights = [several(v).astype("float32") for v in variables]

    def one(values, own=True):
        computing = private.computing_by(as_drawn_by(False), recurrent.loop) if own else contextlib.nullcontext()
        with computing, keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))) as scope:
            values = [scope.get_current_value(v) for v in variables]
            out = model(rows)
        return [out, *tf.gradients(tf.reduce_sum(out**2), values)]

    of_all = lambda weights: tf.vectorized_map(one, weights, fallback_to_while_loop=False)  # noqa: E731
    ours = tf.function(of_all, autograph=False, jit_compile=jit)([tf.constant(weight) for weight in weights])
    alone = tf.function(lambda values: one(values, own=False), autograph=False)
    for trial in range(TRIALS):
        theirs = alone([tf.constant(weight[trial]) for weight in weights])
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a[trial], tf.convert_to_tensor(b), rtol=1e-4, atol=2e-6)
