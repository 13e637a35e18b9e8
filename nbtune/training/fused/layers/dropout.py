"""Dropout in a stack: drawn as Keras would draw it, whoever compiles the stack, at a rate that may be each trial's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from nbtune.training.fused.layers import kinds
from nbtune.training.private import keras as private

Layers = list[keras.layers.Layer]


def dropping(model: keras.Model) -> Layers:
    """The layers of a model whose rate may be another one in each trial of a stack."""
    return [layer for layer in private.layers(model) if kinds.exact(layer).rated and 0 < layer.rate < 1]


def without_rates(config: Any) -> Any:
    """A model's configuration without these layers' rates."""
    if isinstance(config, (list, tuple)):
        return [without_rates(part) for part in config]
    if not isinstance(config, dict):
        return config
    found = {key: without_rates(value) for key, value in config.items()}
    rated = kinds.KINDS.get(str(config.get("class_name")), kinds.Kind()).rated
    if rated and 0 < config["config"]["rate"] < 1:
        found["config"]["rate"] = "of each trial"
    return found


class _OfEach:
    """A trial's rate, above 0, in place of a layer's number."""

    def __init__(self, rate: tf.Tensor) -> None:
        self.rate = rate

    def __gt__(self, other: float) -> bool:
        return other <= 0


@contextmanager
def rates(layers: Layers, values: Sequence[tf.Tensor]) -> Iterator[None]:
    """The layers drop out at these rates."""
    before = [layer.rate for layer in layers]
    for layer, value in zip(layers, values, strict=True):
        layer.rate = _OfEach(value)
    try:
        yield
    finally:
        for layer, rate in zip(layers, before, strict=True):
            layer.rate = rate


def as_drawn_by(jit: bool) -> Callable[..., tf.Tensor]:
    """As `keras.src.backend.random.dropout`, with the numbers that XLA makes of random bits, or those of TensorFlow's kernels.

    Args:
        jit: whether `model.fit` would have the model compiled by XLA.
    """

    def dropout(inputs: tf.Tensor, rate: Any, noise_shape: Any = None, seed: Any = None) -> tf.Tensor:
        if rate == 0:
            return inputs
        if rate == 1:
            return tf.zeros_like(inputs)
        own = rate.rate if isinstance(rate, _OfEach) else tf.constant(rate, inputs.dtype)
        known = inputs.shape.as_list() if noise_shape is None else noise_shape
        shape = [tf.shape(inputs)[i] if size is None else size for i, size in enumerate(known)]
        bits = tf.random.stateless_uniform(shape, private.drawn_seed(seed), None, None, tf.uint32)
        mantissa = tf.bitwise.right_shift(bits, tf.constant(9, tf.uint32)) if jit else tf.bitwise.bitwise_and(bits, _MANTISSA)
        uniform = tf.bitcast(tf.bitwise.bitwise_or(mantissa, _ONE), tf.float32) - 1.0
        own = tf.cast(own, inputs.dtype)
        return tf.where(uniform >= own, inputs * (1 / (1 - own)), tf.zeros([], inputs.dtype))

    return dropout


_MANTISSA, _ONE = 0x7FFFFF, 0x3F800000  # of a float32
