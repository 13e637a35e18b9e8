"""Models with layers, losses and metrics of one's own."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from tests.conformance.case import for_classes, sequential


class Scaled(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs, training=None):
        if training:
            self.seen.assign(0.9 * self.seen + 0.1 * ops.mean(inputs))
        return (inputs - self.seen) * self.scale


def own_layer():
    return for_classes(sequential((8,), layers.Dense(12, activation="relu"), Scaled()))


class Own(keras.Model):
    """Neither built nor with an `Input`."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.hidden, self.attention = layers.Dense(8, activation="relu"), layers.MultiHeadAttention(2, 3)
        self.flat, self.last = layers.Flatten(), layers.Dense(3, activation="softmax")

    def call(self, inputs):
        hidden = self.hidden(inputs)
        return self.last(self.flat(self.attention(hidden, hidden)))


def own_model():
    return for_classes(Own())


def focal(y_true, y_pred):
    true = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), 3)
    return -ops.sum(true * (1 - y_pred) ** 2 * ops.log(y_pred + 1e-7), axis=-1)


def own_loss():
    model = sequential((8,), layers.Dense(12, activation="relu"))
    model.compile(keras.optimizers.Adam(0.01), focal, metrics=["sparse_categorical_accuracy"])
    return model


def quantiles():
    def pinball(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(0.9 * error, -0.1 * error), axis=-1)

    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), pinball, metrics=["mae"])
    return model


class WithinOne(keras.metrics.Metric):
    def __init__(self, name="within_one", **settings):
        super().__init__(name=name, **settings)
        self.hits, self.all = (self.add_variable((), "zeros", name=name) for name in ("hits", "all"))

    def update_state(self, y_true, y_pred, sample_weight=None):
        near = ops.abs(ops.reshape(y_true, (-1,)) - ops.reshape(y_pred, (-1,))) < 1
        self.hits.assign_add(ops.sum(ops.cast(near, "float32")))
        self.all.assign_add(ops.cast(ops.size(near), "float32"))

    def result(self):
        return self.hits / self.all


def own_metric():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=[WithinOne()])
    return model


def random_constant():
    mask = (np.random.rand(12) > 0.5).astype("float32")
    inputs = keras.Input((8,))
    hidden = layers.Dense(12, activation="relu")(inputs) * mask
    return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden)))


class GraphConvolution(layers.Layer):
    """As in Keras's traffic forecasting, on four roads; eagerly, its mean corrupts memory in TensorFlow 2.21."""

    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.units = units
        self.sources, self.targets = [0, 1, 1, 2, 2, 3, 3, 0], [1, 0, 2, 1, 3, 2, 0, 3]

    def build(self, shape):
        self.weight = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform")

    def call(self, features):
        """`features`: (roads, rows, steps, numbers)."""
        near = tf.math.unsorted_segment_mean(tf.gather(features, self.targets), self.sources, num_segments=4)
        return ops.relu(ops.concatenate([ops.matmul(features, self.weight), ops.matmul(near, self.weight)], axis=-1))


class GraphLSTM(layers.Layer):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.convolve, self.recurrent, self.last = GraphConvolution(3), layers.LSTM(5, activation="relu"), layers.Dense(2)

    def call(self, inputs):
        hidden = self.convolve(ops.transpose(inputs, [2, 0, 1, 3]))
        roads, rows, steps, width = ops.shape(hidden)
        hidden = self.last(self.recurrent(ops.reshape(hidden, (roads * rows, steps, width))))
        return ops.transpose(ops.reshape(hidden, (roads, rows, 2)), [1, 2, 0])


def graph_convolution():
    inputs = keras.Input((6, 4, 1))
    model = keras.Model(inputs, GraphLSTM()(inputs))
    model.compile(keras.optimizers.RMSprop(0.002), keras.losses.MeanSquaredError())
    return model
