"""How models begin and what they end in."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from nbtune.training.anatomy import activations, first_layer, takes_logits

DENSE = layers.Dense


def sequential(*parts):
    return keras.Sequential([keras.Input((4,)), *parts])


def functional(end):
    inputs = keras.Input((4,))
    return keras.Model(inputs, end(DENSE(3)(inputs)))


@pytest.mark.parametrize(
    ("model", "first", "end"),
    [
        (lambda: sequential(DENSE(3, "softmax")), "Dense", "softmax"),
        (lambda: sequential(DENSE(3)), "Dense", "linear"),
        (lambda: sequential(DENSE(3), layers.Activation("softmax")), "Dense", "softmax"),
        (lambda: sequential(DENSE(3), layers.Softmax()), "Dense", "softmax"),
        (lambda: sequential(DENSE(3), layers.LeakyReLU()), "Dense", "leaky_relu"),
        (lambda: sequential(DENSE(3), layers.ReLU()), "Dense", "relu"),
        (lambda: sequential(DENSE(3, "tanh"), layers.Reshape((3,)), layers.Activation("linear")), "Dense", "tanh"),
        (lambda: sequential(layers.Rescaling(2.0), keras.Sequential([DENSE(3, "sigmoid")])), "Rescaling", "sigmoid"),
        (lambda: sequential(layers.Dropout(0.1), DENSE(3, "softmax"), layers.Flatten()), "Dense", "softmax"),
        (lambda: sequential(DENSE(3), layers.Lambda(lambda x: x)), "Dense", None),
        (lambda: sequential(DENSE(3, activation=lambda x: x)), "Dense", None),
        (lambda: functional(keras.ops.softmax), "Dense", "softmax"),
        (lambda: functional(keras.activations.sigmoid), "Dense", "sigmoid"),
        (lambda: functional(lambda x: x + 1), "Dense", None),
    ],
)
def test_what_a_model_begins_and_ends_with(model, first, end):
    made = model()
    made.build((None, 4))
    assert (first_layer(made), activations(made, 1)) == (first, [end])


def test_of_a_model_with_a_call_of_its_own_nothing_is_known():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.end = DENSE(3)

        def call(self, x):
            return self.end(x)

    model = Own()
    model.build((None, 4))
    assert (first_layer(model), activations(model, 1)) == (None, [None])


def test_several_outputs_one_by_one():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [DENSE(3, "softmax")(inputs), DENSE(1)(inputs)])
    assert activations(model, 2) == ["softmax", "linear"]
    assert activations(model, 1) == [None]


@pytest.mark.parametrize(
    ("loss", "logits"),
    [
        ("sparse_categorical_crossentropy", False),
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), True),
        (keras.losses.BinaryCrossentropy(), False),
        (lambda y, p: 0.0, False),
    ],
)
def test_a_loss_that_applies_the_softmax_itself(loss, logits):
    model = sequential(DENSE(3))
    model.compile("adam", loss)
    assert takes_logits(model, 1) == [logits]
    assert takes_logits(sequential(DENSE(3)), 1) == [False]
