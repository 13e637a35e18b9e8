"""Each kind of layer and each optimizer trains in stacks, in real workers: none of them falls back to one by one."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import nbtune
from nbtune.training.fused.optimizers import KNOWN

WIDE, ROWS = 8, 64
KINDS = {
    "rows": lambda: [
        *(layers.Dense(6, activation="relu"), layers.Dropout(0.1), layers.PReLU(), layers.LeakyReLU(), layers.ELU()),
        *(layers.Rescaling(0.5), layers.UnitNormalization(), layers.GaussianNoise(0.1), layers.Activation("tanh")),
        layers.ActivityRegularization(1e-4),
    ],
    "normalised": lambda: [
        *(layers.Dense(6), layers.BatchNormalization(), layers.ReLU(), layers.LayerNormalization()),
        *(layers.Reshape((3, 2)), layers.GroupNormalization(2), layers.Softmax()),
    ],
    "convolved": lambda: [
        *(layers.Reshape((4, 2)), layers.ZeroPadding1D(), layers.Conv1D(3, 2), layers.SpatialDropout1D(0.1)),
        *(layers.UpSampling1D(), layers.SeparableConv1D(3, 2), layers.MaxPooling1D(), layers.Conv1DTranspose(2, 2)),
        *(layers.DepthwiseConv1D(2), layers.AveragePooling1D(2), layers.GlobalMaxPooling1D()),
    ],
    "in two dimensions": lambda: [
        *(layers.Reshape((4, 2, 1)), layers.Conv2D(3, 2), layers.ZeroPadding2D(), layers.DepthwiseConv2D(2)),
        *(layers.SeparableConv2D(3, 2), layers.UpSampling2D(), layers.Conv2DTranspose(2, 2), layers.MaxPooling2D()),
        layers.GlobalAveragePooling2D(),
    ],
    "recurrent": lambda: [
        *(layers.Reshape((4, 2)), layers.LSTM(3, return_sequences=True), layers.GRU(3, return_sequences=True)),
        *(layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True)), layers.TimeDistributed(layers.Dense(2))),
        *(layers.Permute((2, 1)), layers.GlobalAveragePooling1D(), layers.RepeatVector(2), layers.Cropping1D((0, 1))),
        layers.EinsumDense("abc,cd->abd", output_shape=(1, 3)),
    ],
}


def model(kind, learning_rate):
    """A Sequential model of the layers of a kind, or a functional one that attends."""
    inputs = keras.Input((WIDE,))
    if kind == "attention":
        steps = layers.Reshape((4, 2))(inputs)
        seen = layers.Add()([layers.MultiHeadAttention(2, 2)(steps, steps), steps])
        hidden = layers.Concatenate()([layers.Flatten()(seen), layers.Multiply()([inputs, inputs])])
    else:
        hidden = keras.Sequential([keras.Input((WIDE,)), *KINDS[kind]()])(inputs)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.Flatten()(hidden)))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = np.arange(ROWS) % 3
    return (rng.normal(size=(ROWS, WIDE)) + y[:, None]).astype("float32"), y


def all_together(search):
    log = (search.directory / "workers.log").read_text()
    assert search.coverage.done == search.coverage.total, log
    assert {trial.alone for trial in search.trials} == {None}, log
    assert "Traceback" not in log


def test_layers(data, here):
    terms = {"epochs": 2, "batch_size": [16], "workers": 1, "engine": "fused", "dir": str(here)}
    all_together(nbtune.tune(model, data, axis={"kind": [*KINDS, "attention"]}, learning_rate=[0.01, 0.003], **terms))


def test_optimizers(data, here):
    def build():
        return keras.Sequential([keras.Input((WIDE,)), layers.Dense(6, "relu"), layers.Dense(3, "softmax")])

    terms = {"epochs": 2, "batch_size": [16], "workers": 1, "engine": "fused", "dir": str(here)}
    names = [name.lower() for name in KNOWN]
    all_together(nbtune.tune(build, data, optimizer=names, learning_rate=[0.01, 0.003], **terms))
