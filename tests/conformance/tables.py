"""Models of rows of numbers and categories."""

from __future__ import annotations

import keras
from keras import layers, ops

from tests.conformance.case import COLUMNS, ROWS, TABLE, for_classes, for_numbers, for_two_classes, sequential


def mlp():
    return for_classes(sequential((8,), layers.Dense(16, activation="relu"), layers.Dense(8, activation="tanh")))


def regression():
    hidden = [layers.Dense(16, activation="relu"), layers.Dropout(0.2), layers.Dense(1)]
    return for_numbers(keras.Sequential([keras.Input((8,)), *hidden]), "huber")


def without_input():
    return for_classes(keras.Sequential([layers.Dense(12, activation="relu"), layers.Dense(3, activation="softmax")]))


def batch_normalised():
    hidden = [layers.Dense(12, use_bias=False), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.3)]
    return for_classes(sequential((8,), *hidden))


def regularised():
    hidden = layers.Dense(12, activation="relu", kernel_regularizer="l2", activity_regularizer="l1", kernel_constraint="max_norm")
    return for_classes(sequential((8,), hidden))


def adapted_normalisation():
    normalise = layers.Normalization()
    normalise.adapt(TABLE[:ROWS])
    return for_classes(sequential((8,), normalise, layers.Dense(12, activation="relu")))


def columns():
    return {name: keras.Input((1,), name=name, dtype=column.dtype.name) for name, column in COLUMNS.items()}


def encoded(inputs):
    """Each column as a preprocessing layer makes it."""
    age = layers.Discretization(bin_boundaries=[30.0, 45.0, 60.0], output_mode="one_hot")(inputs["age"])
    region = layers.CategoryEncoding(4, output_mode="one_hot")(inputs["region"])
    income = layers.Normalization(mean=1.6, variance=4.0)(inputs["income"])
    return layers.concatenate([age, region, income])


def structured_data():
    inputs = columns()
    hidden = layers.Dense(16, activation="relu")(encoded(inputs))
    return for_two_classes(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Dropout(0.3)(hidden))))


def wide_and_deep():
    inputs = columns()
    wide = encoded(inputs)
    job = layers.Flatten()(layers.Embedding(50, 4)(inputs["job"]))
    deep = layers.concatenate([wide, job])
    for _ in range(2):
        deep = layers.ReLU()(layers.BatchNormalization()(layers.Dense(12)(deep)))
    return for_two_classes(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(layers.concatenate([wide, deep]))))


class GatedResidual(layers.Layer):
    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.first, self.second = layers.Dense(units, activation="elu"), layers.Dense(units)
        self.gate, self.project = layers.Dense(units, activation="sigmoid"), layers.Dense(units)
        self.drop, self.norm = layers.Dropout(0.1), layers.LayerNormalization()

    def call(self, inputs):
        hidden = self.drop(self.second(self.first(inputs)))
        return self.norm(self.project(inputs) + hidden * self.gate(hidden))


def gated_residual():
    return for_classes(sequential((8,), GatedResidual(12), GatedResidual(8)))


class Recommender(keras.Model):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.users, self.user_bias = layers.Embedding(50, 6, embeddings_regularizer="l2"), layers.Embedding(50, 1)
        self.films, self.film_bias = layers.Embedding(50, 6, embeddings_regularizer="l2"), layers.Embedding(50, 1)

    def call(self, inputs):
        user, film = inputs[:, 0], inputs[:, 1]
        match = ops.sum(self.users(user) * self.films(film), axis=-1, keepdims=True)
        return ops.sigmoid(match + self.user_bias(user) + self.film_bias(film))


def recommender():
    return for_two_classes(Recommender())


def tower():
    return keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(4)], name="tower")


def contrastive(y_true, y_pred):
    y_true = ops.cast(y_true, y_pred.dtype)
    near, far = ops.square(y_pred), ops.square(ops.maximum(1.0 - y_pred, 0.0))
    return ops.mean((1.0 - y_true) * far + y_true * near)


def siamese():
    left, right, shared = keras.Input((8,)), keras.Input((8,)), tower()
    apart = layers.Lambda(lambda pair: ops.sqrt(ops.sum((pair[0] - pair[1]) ** 2, axis=1, keepdims=True) + 1e-6))
    model = keras.Model([left, right], apart([shared(left), shared(right)]))
    model.compile(keras.optimizers.RMSprop(0.01), contrastive, metrics=["mae"])
    return model


def autoencoder():
    layers_ = [layers.Dense(4, activation="relu"), layers.Dense(8)]
    return for_numbers(keras.Sequential([keras.Input((8,)), *layers_]))


def multi_label():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(4, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["binary_accuracy"])
    return model


def imbalanced():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(1, activation="sigmoid")])
    metrics = [keras.metrics.AUC(name="auc"), keras.metrics.Precision(name="precision"), keras.metrics.Recall(name="recall")]
    model.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(), metrics=metrics)
    return model


def several_outputs():
    inputs = keras.Input((8,))
    hidden = layers.Dense(12, activation="relu")(inputs)
    outputs = {"kind": layers.Dense(3, activation="softmax", name="kind")(hidden), "size": layers.Dense(1, name="size")(hidden)}
    model = keras.Model(inputs, outputs)
    model.compile("adam", {"kind": "sparse_categorical_crossentropy", "size": "mse"}, loss_weights={"kind": 1.0, "size": 0.3})
    return model
