"""Models in models, layers that are used more than once, and models that are built late."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from tests.conformance.case import for_classes, sequential


class Block(layers.Layer):
    """Makes its layers when it is built."""

    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.units = units

    def build(self, shape):
        self.hidden, self.back = layers.Dense(self.units, activation="gelu"), layers.Dense(shape[-1])
        self.norm, self.drop = layers.LayerNormalization(), layers.Dropout(0.2)
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        self.norm.build(shape)
        self.hidden.build(shape)
        self.back.build((*shape[:-1], self.units))
        super().build(shape)

    def call(self, inputs, training=None):
        return inputs + self.scale * self.back(self.drop(self.hidden(self.norm(inputs)), training=training))


class Stacked(keras.Model):
    """Has a `build` of its own, and its layers in a list and a dict."""

    def __init__(self, depth, **settings):
        super().__init__(**settings)
        self.first = layers.Dense(6)
        self.blocks = [Block(5 + i) for i in range(depth)]
        self.heads = {"norm": layers.LayerNormalization(), "out": layers.Dense(3, activation="softmax")}

    def build(self, shape):
        self.first.build(shape)
        for block in self.blocks:
            block.build((None, 6))
        self.heads["norm"].build((None, 6))
        self.heads["out"].build((None, 6))
        self.built = True

    def call(self, inputs, training=None):
        hidden = self.first(inputs)
        for block in self.blocks:
            hidden = block(hidden, training=training)
        return self.heads["out"](self.heads["norm"](hidden))


def built_late():
    return for_classes(Stacked(2))


def sequential_in_sequential():
    """Neither has an `Input`."""
    convolution = layers.Conv2D(5, 3, use_bias=False)
    stem = keras.Sequential([convolution, layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.2)])
    return for_classes(keras.Sequential([layers.Rescaling(2.0), stem, layers.Flatten(), layers.Dense(3, activation="softmax")]))


class Tied(layers.Layer):
    """Gives a score to each word by the vectors of another layer."""

    def __init__(self, embedding, **settings):
        super().__init__(**settings)
        self.embedding = embedding

    def build(self, shape):
        self.bias = self.add_weight(shape=(self.embedding.input_dim,), initializer="zeros")

    def call(self, inputs):
        return ops.softmax(ops.matmul(inputs, ops.transpose(self.embedding.embeddings)) + self.bias)


def tied_embedding():
    inputs = keras.Input((10,), dtype="int32")
    embedding = layers.Embedding(40, 6)
    hidden = layers.Conv1D(6, 3, padding="causal", activation="relu")(embedding(inputs))
    return for_classes(keras.Model(inputs, Tied(embedding)(hidden)))


def used_twice():
    """A dense layer on vectors and on series of them, and a dropout and a normalisation that two branches share."""
    inputs = keras.Input((10, 4))
    dense, drop, norm = layers.Dense(4, activation="tanh"), layers.Dropout(0.2), layers.BatchNormalization()
    steps = norm(drop(dense(inputs)))
    whole = norm(drop(dense(layers.GlobalAveragePooling1D()(inputs))[:, None]))
    both = layers.Concatenate(axis=1)([steps, whole])
    return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.Flatten()(both))))


class Pair(keras.Model):
    """Sends its input and its mirror image through one model, which is made of another."""

    def __init__(self, encoder, **settings):
        super().__init__(**settings)
        self.encoder, self.last = encoder, layers.Dense(3, activation="softmax")

    def call(self, inputs, training=None):
        one, other = self.encoder(inputs, training=training), self.encoder(inputs[:, ::-1], training=training)
        return self.last(ops.concatenate([one, ops.abs(one - other)], axis=-1))


def models_in_models():
    inner = keras.Sequential([layers.Dense(6, activation="relu"), layers.Dropout(0.2), layers.Dense(5, activation="relu")])
    inputs = keras.Input((8,))
    encoder = keras.Model(inputs, layers.Add()([inner(inputs), layers.Dense(5)(inputs)]))
    return for_classes(Pair(encoder))


SCALE = np.linspace(0.5, 1.5, 8).astype("float32")
OFFSET = keras.ops.convert_to_tensor(np.linspace(-0.2, 0.2, 8), "float32")


def shifted(inputs):
    return ops.sin(inputs * SCALE) + OFFSET


def lambdas_over_globals():
    inputs = keras.Input((8,))
    hidden = layers.Dense(8, activation=lambda x: ops.relu(x) ** 2)(layers.Lambda(shifted)(inputs))
    hidden = layers.Lambda(lambda parts: parts[0] * parts[1])([hidden, inputs])
    return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden)))


def partly_frozen():
    """A layer, one weight of another, and a normalisation that goes by its moving averages."""
    inputs = keras.Input((8,))
    frozen, half, norm = layers.Dense(8, activation="relu"), layers.Dense(8, activation="tanh"), layers.BatchNormalization()
    hidden = norm(half(frozen(inputs)))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    frozen.trainable, half.bias.trainable, norm.trainable = False, False, False
    return for_classes(model)


def frozen_after_compiling():
    model = for_classes(sequential((8,), *(layers.Dense(units, activation="relu") for units in (8, 7))))
    model.layers[1].trainable = False
    return model
