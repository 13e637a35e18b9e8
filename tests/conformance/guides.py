"""Models as public guides of Keras and TensorFlow have them, whose parts or ways are their own."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers, ops


def _base():
    """A network that the notebook has trained before, frozen, which each trial's model has inside."""
    inputs = keras.Input((8, 8, 3))
    hidden = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(inputs))
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(hidden))
    model.trainable = False
    return model


BASE = _base()


def transfer():
    inputs = keras.Input((8, 8, 3))
    hidden = layers.Dropout(0.2)(BASE(layers.Rescaling(2.0, offset=-1)(inputs), training=False))
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=[keras.metrics.BinaryAccuracy()])
    return model


def euclidean(pair):
    one, other = pair
    return ops.sqrt(ops.maximum(ops.sum(ops.square(one - other), axis=1, keepdims=True), keras.config.epsilon()))


def contrastive(margin=1):
    def contrastive_loss(y_true, y_pred):
        near, far = ops.square(y_pred), ops.square(ops.maximum(margin - y_pred, 0))
        return ops.mean((1 - y_true) * near + y_true * far)

    return contrastive_loss


def siamese():
    one, other = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    tower = [layers.BatchNormalization(), layers.Conv2D(4, 5, activation="tanh"), layers.Flatten(), layers.Dense(6)]
    embed = keras.Sequential([keras.Input((8, 8, 3)), *tower])
    merged = layers.BatchNormalization()(layers.Lambda(euclidean, output_shape=(1,))([embed(one), embed(other)]))
    model = keras.Model([one, other], layers.Dense(1, activation="sigmoid")(merged))
    model.compile(keras.optimizers.RMSprop(0.005), contrastive(), metrics=["accuracy"])
    return model


def miniature_gpt():
    """The second output has no loss."""
    inputs = keras.Input((10,), dtype="int32")
    hidden = layers.Embedding(40, 8)(inputs)
    hidden = hidden + layers.MultiHeadAttention(2, 4)(hidden, hidden, use_causal_mask=True)
    model = keras.Model(inputs, [layers.Dense(40)(hidden), hidden])
    model.compile(keras.optimizers.Adam(0.01), loss=[keras.losses.SparseCategoricalCrossentropy(from_logits=True), None])
    return model


def translation():
    """The decoder begins with the encoder's state, and is fed what it is to say, one step late."""
    source, said = keras.Input((10, 4)), keras.Input((10, 4))
    _, h, c = layers.LSTM(6, return_state=True)(source)
    decoded, _, _ = layers.LSTM(6, return_sequences=True, return_state=True)(said, initial_state=[h, c])
    model = keras.Model([source, said], layers.Dense(3, activation="softmax")(decoded))
    model.compile(keras.optimizers.RMSprop(0.01), "categorical_crossentropy", metrics=["accuracy"])
    return model


class Distiller(keras.Model):
    """Learns from labels and from another network, with a `compile` of its own."""

    def __init__(self, student, teacher):
        super().__init__()
        self.student, self.teacher = student, teacher

    def compile(self, optimizer, metrics, student_loss, distillation_loss, alpha):
        super().compile(optimizer=optimizer, metrics=metrics)
        self.student_loss, self.distillation_loss, self.alpha = student_loss, distillation_loss, alpha

    def call(self, x):
        return self.student(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False):
        taught = self.distillation_loss(ops.softmax(self.teacher(x, training=False)), ops.softmax(y_pred))
        return self.alpha * self.student_loss(y, y_pred) + (1 - self.alpha) * taught


def distillation(units):
    make = lambda n: keras.Sequential([keras.Input((8,)), layers.Dense(n, activation="relu"), layers.Dense(3)])  # noqa: E731
    model = Distiller(make(units), make(9))
    losses = [keras.losses.SparseCategoricalCrossentropy(from_logits=True), keras.losses.KLDivergence()]
    model.compile(keras.optimizers.Adam(0.01), [keras.metrics.SparseCategoricalAccuracy()], *losses, alpha=0.1)
    return model


class OwnStep(keras.Model):
    """As in "Customizing what happens in `fit()`"."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


def own_step():
    inputs = keras.Input((8,))
    model = OwnStep(inputs, layers.Dense(1)(layers.Dense(8, activation="relu")(inputs)))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model
