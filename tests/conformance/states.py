"""Models with state, seed generators and random constants of their own."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from tests.conformance.case import for_classes, sequential


class Whitened(layers.Layer):
    """Two variables are assigned and read in the same step, one from the other."""

    def build(self, shape):
        self.mean = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False)
        self.power = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False)
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, inputs, training=None):
        if training:
            self.mean.assign(0.7 * self.mean + 0.3 * ops.mean(inputs, axis=0))
            self.power.assign(0.7 * self.power + 0.3 * ops.mean(ops.square(inputs - self.mean), axis=0))
        return self.gain * (inputs - self.mean) / ops.sqrt(self.power + 1e-3)


def two_variables():
    return for_classes(sequential((8,), layers.Dense(10), Whitened(), layers.ReLU()))


class Queue(layers.Layer):
    """Keeps the last rows that it has seen, as contrastive learning does, and where the next ones go."""

    def build(self, shape):
        self.kept = self.add_weight(shape=(20, shape[-1]), initializer="random_normal", trainable=False)
        self.place = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, inputs, training=None):
        near = ops.softmax(ops.matmul(inputs, ops.transpose(self.kept)))
        if training:
            rows = (self.place + ops.arange(5)) % 20
            seen = ops.reshape(ops.stop_gradient(inputs[:5]), (5, inputs.shape[-1]))
            self.kept.assign(ops.scatter_update(self.kept, rows[:, None], seen))
            self.place.assign((self.place + 5) % 20)
        return inputs + ops.matmul(near, self.kept)


def queue():
    return for_classes(sequential((8,), layers.Dense(6), Queue()))


def spectral_normalised():
    """Keras's own layer that assigns a kernel while it is called."""
    convolution = layers.SpectralNormalization(layers.Conv2D(5, 3, activation="relu"))
    dense = layers.SpectralNormalization(layers.Dense(6, activation="relu"))
    return for_classes(sequential((8, 8, 3), convolution, layers.Flatten(), dense))


class Orthonormal(keras.constraints.Constraint):
    """Whose columns are kept at unit length, and non-negative."""

    def __call__(self, w):
        w = ops.maximum(w, 0)
        return w / (1e-7 + ops.sqrt(ops.sum(ops.square(w), axis=0, keepdims=True)))


def own_constraint():
    hidden = layers.Dense(9, activation="tanh", kernel_constraint=Orthonormal(), bias_constraint="non_neg")
    return for_classes(sequential((8,), hidden), keras.optimizers.RMSprop(0.01))


def generator_in_a_closure():
    """No layer tracks it."""
    draws = keras.random.SeedGenerator(11)
    noise = layers.Lambda(lambda inputs: inputs + keras.random.normal(ops.shape(inputs), stddev=0.2, seed=draws))
    return for_classes(sequential((8,), layers.Dense(8, activation="relu"), noise))


class Masked(layers.Layer):
    def __init__(self, draws, **settings):
        super().__init__(**settings)
        self.draws = draws

    def call(self, inputs, training=None):
        kept = keras.random.uniform(ops.shape(inputs), seed=self.draws) > 0.2
        return inputs * ops.cast(kept, "float32") if training else inputs


def generator_around():
    """A function that reads a generator of the notebook's, from which two layers draw; and what sets that back."""
    draws = keras.random.SeedGenerator(12)
    start = np.asarray(draws.state)

    def build():
        return for_classes(sequential((8,), Masked(draws), layers.Dense(8, activation="relu"), Masked(draws)))

    return build, lambda: draws.state.assign(start)


def layer_around():
    """A function that reads a layer of the notebook's with its weights, and goes on training it; and what sets that back."""
    known = layers.Dense(8, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(3), name="known")
    known.build((None, 8))
    start = known.get_weights()

    def build():
        inputs = keras.Input((8,))
        return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax", name="last")(known(inputs))))

    return build, lambda: known.set_weights(start)


class TensorFlowNoise(layers.Layer):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.draws = tf.random.Generator.from_seed(5)

    def call(self, inputs, training=None):
        return inputs + self.draws.normal(tf.shape(inputs), stddev=0.2) if training else inputs


def generator_of_tensorflow():
    return for_classes(sequential((8,), layers.Dense(8, activation="relu"), TensorFlowNoise()))


def seeded_numpy():
    """Constants, an order of columns and initial weights, drawn by a generator of NumPy's with a seed."""
    draws = np.random.default_rng(3)
    order, signs = draws.permutation(8), draws.choice([-1.0, 1.0], 8).astype("float32")
    mixed = layers.Lambda(lambda inputs: ops.take(inputs, order, axis=1) * signs)
    model = sequential((8,), mixed, layers.Dense(8, activation="relu"))
    model.layers[1].set_weights([draws.normal(scale=0.3, size=(8, 8)), np.zeros(8)])
    return for_classes(model)


def drawn_constants():
    """By Keras, TensorFlow and NumPy, under the seed of the trial."""
    kept = keras.random.uniform((8,)) > 0.3
    shift, scale = tf.random.normal((8,)), tf.constant(np.random.uniform(0.5, 1.5, 8), tf.float32)
    mixed = layers.Lambda(lambda inputs: (inputs + 0.1 * shift) * scale * ops.cast(kept, "float32"))
    return for_classes(keras.Sequential([mixed, layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")]))


class Counted:
    """A counter in Python: the third network has a wider layer than the first."""

    def __init__(self):
        self.made = 0

    def width(self):
        self.made += 1
        return 5 + self.made


def counter_in_python():
    """Of the call's own."""
    counter = Counted()
    return for_classes(sequential((8,), *(layers.Dense(counter.width(), activation="relu") for _ in range(3))))


def noises():
    hidden = [
        layers.SpatialDropout1D(0.2),
        layers.Dropout(0.3, noise_shape=(None, 1, 4), seed=8),
        layers.GaussianNoise(0.2, seed=9),
        layers.Flatten(),
        layers.Dense(8, activation="selu", kernel_initializer="lecun_normal"),
        layers.AlphaDropout(0.2, noise_shape=(None, 8)),
        layers.GaussianDropout(0.1),
    ]
    return for_classes(sequential((10, 4), *hidden))
