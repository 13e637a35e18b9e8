"""Models that differ in what a row's label is, or in how many there are."""

from __future__ import annotations

import keras
from keras import layers, ops

from tests.conformance.case import for_numbers, for_two_classes


def mask_of_classes():
    inputs = keras.Input((8, 8, 3))
    fine = layers.Conv2D(6, 3, padding="same", activation="relu")(inputs)
    coarse = layers.UpSampling2D()(layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")(fine))
    model = keras.Model(inputs, layers.Conv2D(3, 1, activation="softmax")(layers.Concatenate()([fine, coarse])))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def dice(y_true, y_pred):
    y_true = ops.cast(y_true, y_pred.dtype)
    return 1 - (2 * ops.sum(y_true * y_pred) + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)


def mask_with_dice():
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(6, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(1, 1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(0.01), dice, metrics=[keras.metrics.BinaryIoU(target_class_ids=[1])])
    return model


def denoising():
    hidden = layers.Dense(4, activation="relu", activity_regularizer=keras.regularizers.L1(1e-4))
    return for_two_classes(keras.Sequential([keras.Input((8,)), hidden, layers.Dense(8, activation="sigmoid")]))


def next_token():
    hidden = [layers.Embedding(40, 8), layers.LSTM(8, return_sequences=True), layers.Dense(40)]
    model = keras.Sequential([keras.Input((10,)), *hidden])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


def masked_tagger():
    recurrent = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    hidden = [layers.Embedding(40, 6, mask_zero=True), recurrent, layers.TimeDistributed(layers.Dense(4, activation="softmax"))]
    model = keras.Sequential([keras.Input((10,)), *hidden])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def number_a_step():
    return for_numbers(keras.Sequential([keras.Input((10, 4)), layers.LSTM(6, return_sequences=True), layers.Dense(1)]))


def horizon():
    return for_numbers(keras.Sequential([keras.Input((10, 4)), layers.GRU(6), layers.Dense(3)]), "mae")


def masking():
    model = keras.Sequential([keras.Input((10, 4)), layers.Masking(), layers.LSTM(6), layers.Dense(1)])
    return for_numbers(model)


def mixture_density():
    def likelihood(y_true, y_pred):
        share, centre, width = ops.split(y_pred, 3, axis=-1)
        width = ops.softplus(width) + 0.01
        density = ops.exp(-0.5 * ((ops.reshape(y_true, (-1, 1)) - centre) / width) ** 2) / width
        return -ops.log(ops.sum(ops.softmax(share) * density, axis=-1) + 1e-8)

    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="tanh"), layers.Dense(9)])
    model.compile(keras.optimizers.Adam(0.01), likelihood)
    return model


def three_quantiles():
    def pinball(y_true, y_pred):
        error, quantiles = ops.reshape(y_true, (-1, 1)) - y_pred, ops.convert_to_tensor([0.1, 0.5, 0.9])
        return ops.mean(ops.maximum(quantiles * error, (quantiles - 1) * error), axis=-1)

    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(3)])
    model.compile(keras.optimizers.Adam(0.01), pinball)
    return model


def counts():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(8, activation="relu"), layers.Dense(1, activation="exponential")])
    return for_numbers(model, "poisson")


def hinge():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(8, activation="relu"), layers.Dense(1, activation="tanh")])
    model.compile(keras.optimizers.SGD(0.05), "hinge")
    return model


def one_hot():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(3, activation="softmax")])
    metrics = ["accuracy", keras.metrics.F1Score(average="macro"), keras.metrics.TopKCategoricalAccuracy(k=2)]
    model.compile(keras.optimizers.Adam(0.01), keras.losses.CategoricalCrossentropy(label_smoothing=0.1), metrics=metrics)
    return model


class Endpoint(layers.Layer):
    """Takes the targets as an input and adds the loss itself."""

    def call(self, predicted, target):
        self.add_loss(ops.mean(ops.square(predicted - target)))
        return predicted


def loss_in_a_layer():
    x, target = keras.Input((8,), name="x"), keras.Input((1,), name="target")
    predicted = layers.Dense(1)(layers.Dense(8, activation="relu")(x))
    model = keras.Model({"x": x, "target": target}, Endpoint()(predicted, target))
    model.compile(keras.optimizers.Adam(0.01))
    return model


def list_of_outputs():
    inputs = keras.Input((8,))
    hidden = layers.Dense(12, activation="relu")(inputs)
    model = keras.Model(
        inputs, [layers.Dense(3, activation="softmax", name="kind")(hidden), layers.Dense(1, name="size")(hidden)]
    )
    losses, metrics = ["sparse_categorical_crossentropy", "mse"], [["accuracy"], ["mae"]]
    model.compile(keras.optimizers.Adam(0.01), losses, loss_weights=[1.0, 0.2], metrics=metrics)
    return model
