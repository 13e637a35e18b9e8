"""What is seen of a training step's graph: TensorFlow tells, and nothing of Keras's own counts as a state that nobody knows."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from nbtune.training.private import effects
from nbtune.training.private.missing import Missing


class Own(layers.Layer):
    def build(self, shape):
        self.count = self.add_weight(initializer="zeros", trainable=False)

    def call(self, x):
        self.count.assign_add(1.0)
        return x + keras.random.normal(keras.ops.shape(x), seed=7)


IMAGES = [
    layers.RandomFlip("horizontal", seed=1),
    layers.RandomRotation(0.1, seed=1),
    layers.Conv2D(2, 3),
    layers.BatchNormalization(),
    layers.SpatialDropout2D(0.1, seed=2),
    layers.MaxPooling2D(),
    layers.Flatten(),
]
WORDS = [layers.IntegerLookup(vocabulary=[1, 2, 3]), layers.Embedding(5, 4), layers.LSTM(3, dropout=0.1)]
SCALED = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())
RECURRENT = [layers.Reshape((8, 8)), layers.GRU(3, return_sequences=True), layers.Bidirectional(layers.LSTM(2))]


def trained(inner, x, **terms):
    model = keras.Sequential([keras.Input(x.shape[1:]), *inner, Own(), layers.Dense(1)])
    model.compile(**{"optimizer": "adam", "loss": "mse", "metrics": ["mae"], "jit_compile": False, **terms})
    model.fit(x, np.ones((len(x), 1), "float32"), verbose=0, validation_split=0.5)
    return model


def hidden(model):
    return effects.hidden(model.train_function, [*model.variables, *model.optimizer.variables, *model.metrics_variables])


@pytest.mark.parametrize(
    ("inner", "x", "terms"),
    [
        (IMAGES, np.ones((8, 8, 8, 1), "float32"), {}),
        (WORDS, np.ones((8, 5), "int64"), {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True)}),
        (RECURRENT, np.ones((8, 8, 8), "float32"), {"steps_per_execution": 2}),
        ([layers.Dense(4)], np.ones((8, 3), "float32"), {"jit_compile": True}),
        ([layers.Dense(4)], np.ones((8, 3), "float32"), {"optimizer": SCALED}),
    ],
    ids=["images", "words", "recurrent", "XLA", "scaled"],
)
def test_whatever_keras_does_is_known(inner, x, terms):
    assert hidden(trained(inner, x, **terms)) is None


def test_a_tensorflow_that_does_not_tell_is_named(monkeypatch):
    model = trained([layers.Dense(4)], np.ones((8, 3), "float32"))
    monkeypatch.setattr(effects, "_GRAPHS", "_no_such_name")
    with pytest.raises(Missing, match="no _no_such_name, which going on in the middle of a trial needs"):
        hidden(model)
