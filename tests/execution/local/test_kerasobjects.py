"""Keras's objects arrive as the notebook has them, with what Keras itself does not save."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from nbtune.data.content.objects import Contents
from nbtune.execution.local import pickling

keras = pytest.importorskip("keras")


class Scaled(keras.layers.Layer):
    """Registered nowhere, and with an attribute that its configuration does not tell."""

    def __init__(self, factor=1, **settings):
        super().__init__(**settings)
        self.factor, self._scale = factor, 1.0
        self.inner = keras.layers.Dense(3)

    def call(self, inputs):
        return self.inner(inputs) * self._scale

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def twice(inputs):
    return inputs * 2


@pytest.fixture
def model():
    layers = [keras.layers.Dense(5, name="first"), Scaled(name="scaled"), keras.layers.Dense(2, name="last")]
    return keras.Sequential([keras.Input((4,)), *layers])


CHANGES = {
    "a private attribute of a layer": lambda model: setattr(model.layers[1], "_scale", 7.0),
    "a list in one": lambda model: setattr(model.layers[1], "_scale", [0.5, 1.5, 2.5]),
    "an array in one": lambda model: setattr(model.layers[1], "_scale", np.arange(3.0, dtype="float32")),
    "an attribute of the model": lambda model: setattr(model, "_scale", {"a": 3}),
    "an attribute of a layer of Keras's": lambda model: setattr(model.layers[0], "temperature", 3.0),
    "a frozen layer": lambda model: setattr(model.layers[0], "trainable", False),
    "a frozen layer in a layer": lambda model: setattr(model.layers[1].inner, "trainable", False),
    "a frozen weight": lambda model: setattr(model.layers[0].bias, "trainable", False),
    "weights": lambda model: model.layers[0].set_weights([2 * weights for weights in model.layers[0].get_weights()]),
    "an activation": lambda model: setattr(model.layers[0], "activation", twice),
    "a setting that its weights do not follow": lambda model: setattr(model.layers[0], "units", 9),
    "a policy": lambda model: setattr(model.layers[0], "dtype_policy", keras.DTypePolicy("mixed_float16")),
    "a method": lambda model: setattr(model.layers[0], "call", lambda inputs: twice(inputs)[:, :1] * np.ones((1, 5), "float32")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_set_counts_and_arrives(model, change):
    before = Contents()(model)
    assert Contents()(model) == before
    CHANGES[change](model)
    assert Contents()(model) != before
    arrived = pickle.loads(pickling.dumps(model))
    assert Contents()(arrived) == Contents()(model)
    x = np.linspace(-1, 1, 8, dtype="float32").reshape(2, 4)
    np.testing.assert_allclose(arrived(x), model(x), rtol=1e-6)
    flags = [[variable.trainable for variable in each.variables] for each in (model, arrived)]
    assert flags[0] == flags[1]



class Words(keras.layers.TextVectorization):
    """With an attribute that its configuration does not tell."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.note = "none"


def in_capitals(texts):
    import tensorflow as tf

    return tf.strings.upper(texts)


def test_a_vocabulary_arrives_with_what_was_set_beside_it():
    layer = Words(standardize=in_capitals, output_mode="multi_hot")
    layer.adapt(["a b", "b c", "b"])
    layer.note = "adapted"
    arrived = pickle.loads(pickling.dumps(layer))
    assert arrived.get_vocabulary() == layer.get_vocabulary() == ["[UNK]", "B", "C", "A"]
    assert (type(arrived).__name__, arrived.note) == ("Words", "adapted")
    np.testing.assert_array_equal(arrived(["c c z"]), layer(["c c z"]))
    assert Contents()(arrived) == Contents()(layer)
