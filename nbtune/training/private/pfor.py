"""What `tf.vectorized_map` lacks for Keras's models: importing this teaches it.

Where a TensorFlow's insides are not as expected here, nothing is taught, and a model that needs it is refused.
"""

from __future__ import annotations

import contextlib
from typing import Any

import tensorflow as tf
from tensorflow.python.ops.parallel_for import pfor


def _bitcast(call: Any) -> Any:
    """Of one element to another; Keras's `argmax`, and so its accuracies, go through it."""
    return pfor.wrap(tf.bitcast(call.stacked_input(0), call.get_attr("type")), True)


def _zeros_like(call: Any) -> Any:
    """Of a list of tensors as well, which the gradient of a recurrent layer asks for.

    The lists of all trials are one list of stacked tensors, so zeros like it are the stacked zeros.
    """
    stacked = call.stacked_input(0)
    if stacked.dtype == tf.variant:
        return pfor.wrap(tf.raw_ops.ZerosLike(x=stacked), True)
    return pfor.wrap(tf.zeros(tf.shape(stacked)[1:], stacked.dtype), False)


with contextlib.suppress(KeyError):  # a TensorFlow that has it already
    pfor.RegisterPFor("Bitcast")(_bitcast)
with contextlib.suppress(AttributeError, KeyError):
    pfor._pfor_converter_registry.pop("ZerosLike")  # its own makes no lists
    pfor.RegisterPFor("ZerosLike")(_zeros_like)
