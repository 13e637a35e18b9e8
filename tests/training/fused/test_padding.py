"""Which Dense layers may be padded, and how."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from nbtune.training.fused import padding, spec


def stack(*made):
    return keras.Sequential([keras.Input((8,)), *made])


def dense(units=4, activation="relu", **settings):
    return layers.Dense(units, activation=activation, **settings)


FREE = {
    "two in a row": (lambda u: stack(dense(u), dense(u), dense(3)), 2),
    "an activation of its own": (lambda u: stack(dense(u, None), layers.Activation("tanh"), dense(3)), 1),
    "Flatten before": (lambda u: keras.Sequential([keras.Input((4, 2)), layers.Flatten(), dense(u), dense(3)]), 1),
    "Dropout before": (lambda u: stack(layers.Dropout(0.2), dense(u), dense(3)), 1),
    "regularised where nothing changes": (lambda u: stack(dense(5, kernel_regularizer="l2"), dense(u), dense(3)), 1),
    "the last layer": (lambda u: stack(dense(u)), 0),
    "sigmoid": (lambda u: stack(dense(u, "sigmoid"), dense(3)), 0),
    "softmax": (lambda u: stack(dense(u, "softmax"), dense(3)), 0),
    "an activation of the user's": (lambda u: stack(dense(u, lambda x: x * 2), dense(3)), 0),
    "a regulariser": (lambda u: stack(dense(u, kernel_regularizer="l2"), dense(3)), 0),
    "a regulariser behind": (lambda u: stack(dense(u), dense(3, kernel_regularizer="l2")), 0),
    "Dropout behind": (lambda u: stack(dense(u), layers.Dropout(0.2), dense(3)), 0),
    "LayerNormalization behind": (lambda u: stack(dense(u), layers.LayerNormalization(), dense(3)), 0),
    "Flatten behind": (lambda u: keras.Sequential([keras.Input((4, 2)), dense(u), layers.Flatten(), dense(3)]), 0),
    "not built": (lambda u: keras.Sequential([dense(u), dense(3)]), 0),
}


@pytest.mark.parametrize("name", FREE)
def test_free_layers(name):
    build, count = FREE[name]
    assert len(padding.free(build(4))) == count


def test_a_branch_and_a_layer_used_twice_are_left_alone():
    x = keras.Input((8,))
    both, once, twice = dense(name="both")(x), dense(name="once")(x), dense(8, name="twice")
    out = dense(3)(layers.concatenate([both, twice(twice(x))]))
    assert padding.free(keras.Model(x, [out, dense(2)(dense(name="inner")(both)), dense(3)(once)])) == {"inner", "once"}


@pytest.mark.parametrize("name", ["two in a row", "Dropout before", "Dropout behind", "the last layer"])
def test_models_of_several_widths_have_one_architecture_where_layers_are_free(name):
    build, count = FREE[name]
    found = []
    for units in (4, 6):
        keras.utils.clear_session()
        found.append(spec.architecture(build(units), {}, Path()))
    assert (found[0].name == found[1].name) == (count > 0)
    assert found[0].size < found[1].size


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.data())
def test_padding_keeps_the_values_in_their_corner(shape, data):
    wide = [data.draw(st.integers(size, 7)) for size in shape]
    own = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    filled = padding.padded(own, wide)
    assert filled.shape == tuple(wide)
    assert filled.sum() == own.sum()
    np.testing.assert_array_equal(padding.cropped(filled, shape), own)


def test_what_fits():
    assert padding.is_within([(3, 4), (4,)], [(3, 6), (6,)])
    assert not padding.is_within([(3, 8), (4,)], [(3, 6), (6,)])
