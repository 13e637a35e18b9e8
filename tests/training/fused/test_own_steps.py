"""Models that train in a way of their own, in stacks: the numbers of `model.fit`, or one by one with a reason."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from nbtune import tune
from tests.cases import cases
from tests.conformance.reference import Terms, difference, fit

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(75, 6)).astype("float32"), RNG.integers(0, 3, 75)
TRAIN, VALIDATION = tuple(part[:60] for part in ROWS), tuple(part[60:] for part in ROWS)
TERMS = Terms(epochs=3, batch_size=16)


def network(kind=keras.Model):
    inputs = keras.Input((6,))
    hidden = layers.Dropout(0.2)(layers.BatchNormalization()(layers.Dense(8, activation="relu")(inputs)))
    return kind(inputs, layers.Dense(3, activation="softmax")(hidden))


class Penalised(keras.Model):
    """As in Keras's guide: the loss of its own."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        return loss - 0.1 * ops.mean(ops.sum(y_pred * ops.log(y_pred + 1e-7), axis=-1))


class Clipping(keras.Model):
    """As in Keras's guide: the training step of its own."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = [tf.clip_by_norm(gradient, 0.5) for gradient in tape.gradient(loss, self.trainable_variables)]
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, self(x, training=False))
        return {metric.name: metric.result() for metric in self.metrics}


class Unseeded(Clipping):
    """Draws what no seed of Keras's decides on."""

    def train_step(self, data):
        return super().train_step((data[0] + tf.random.normal(tf.shape(data[0]), stddev=0.1), data[1]))


def build(kind):
    model = network({"loss": Penalised, "step": Clipping, "unseeded": Unseeded}.get(kind, keras.Model))
    accumulating = keras.optimizers.Adam(0.01, gradient_accumulation_steps=2)
    optimizer = {"accumulating": accumulating, "nadam": keras.optimizers.Nadam(0.01)}.get(kind, "adam")
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def searched(kind, here):
    terms = {"epochs": 3, "batch_size": [16], "patience": None, "objective": "val_loss", "workers": 0, "engine": "fused"}
    rates = {"learning_rate": [0.01, 0.003], "axis": {"kind": [kind]}}
    return tune(build, TRAIN, validation_data=VALIDATION, dir=str(here), **rates, **terms)


@pytest.mark.parametrize("kind", cases(["loss", "step", "accumulating", "nadam"], ["step"]))
def test_trained_together_with_the_numbers_of_model_fit(kind, here):
    for trial in searched(kind, here).trials:
        assert not trial.alone
        theirs = fit(build, {"kind": kind, "learning_rate": trial.values["learning_rate"]}, TRAIN, VALIDATION, TERMS)
        assert difference(trial.history, theirs.history) < 1e-5


def test_what_does_more_than_compute_is_trained_one_by_one_with_the_reason(here):
    reasons = {trial.alone for trial in searched("unseeded", here).trials}
    (reason,) = reasons
    assert "RandomStandardNormal" in reason
    assert "train_step" in reason
