"""What `tf.vectorized_map` lacks for Keras's models. Seen in TensorFlow 2.16 to 2.21.

Without `Bitcast` nothing that counts accuracy, and without `ZerosLike` no recurrent layer could be trained together. Where a
TensorFlow's insides are not as expected here, nothing is taught, and a model that needs it is refused with the operation's name.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import tensorflow as tf

from nbtune.training.private.missing import Missing, attribute, member

_MODULE = "tensorflow.python.ops.parallel_for.pfor"


@functools.cache
def teach() -> None:
    """Once a process."""
    with contextlib.suppress(Missing, KeyError):  # KeyError: a TensorFlow that has it already
        member(_MODULE, "RegisterPFor")("Bitcast")(_bitcast)
    with contextlib.suppress(Missing, KeyError):
        member(_MODULE, "_pfor_converter_registry").pop("ZerosLike")  # its own makes no lists
        member(_MODULE, "RegisterPFor")("ZerosLike")(_zeros_like)


def _bitcast(call: Any) -> Any:
    """Of one element to another; Keras's `argmax`, and so its accuracies, go through it."""
    return member(_MODULE, "wrap")(tf.bitcast(_stacked(call), attribute(call, "get_attr")("type")), True)


def _zeros_like(call: Any) -> Any:
    """Of a list of tensors as well, which the gradient of a recurrent layer asks for.

    The lists of all trials are one list of stacked tensors, so zeros like it are the stacked zeros.
    """
    wrap, stacked = member(_MODULE, "wrap"), _stacked(call)
    if stacked.dtype == tf.variant:
        return wrap(tf.raw_ops.ZerosLike(x=stacked), True)
    return wrap(tf.zeros(tf.shape(stacked)[1:], stacked.dtype), False)


def _stacked(call: Any) -> Any:
    return attribute(call, "stacked_input")(0)
