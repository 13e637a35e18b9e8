"""What is private in TensorFlow and used here, in this module alone. Seen in TensorFlow 2.16 to 2.21."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nbtune.training.private.missing import Missing, attribute, member

_PFOR = "tensorflow.python.ops.parallel_for.pfor"


@functools.cache
def teach_vectorized_map() -> None:
    """What `tf.vectorized_map` lacks for Keras's models; once a process.

    Without, it goes through the trials one after another for `Bitcast`, which accuracies need, and `ZerosLike`, which recurrent
    layers need: the same numbers in more time. Measured with TensorFlow 2.21 on 2 cores, stacks of 6: masked bidirectional LSTM
    and GRU 22.4 → 20.3 s of processor time, half of it by either; batch normalisation 5.2 → 4.9 s.
    """
    with contextlib.suppress(Missing):
        known = member(_PFOR, "_pfor_converter_registry")
        known.setdefault("Bitcast", _bitcast)
        known["ZerosLike"] = _zeros_like  # TensorFlow's own makes no lists


def _bitcast(call: Any) -> Any:
    """Of one element to another; Keras's `argmax`, and so its accuracies, go through it."""
    return member(_PFOR, "wrap")(tf.bitcast(_stacked(call), attribute(call, "get_attr")("type")), True)


def _zeros_like(call: Any) -> Any:
    """Of a list of tensors as well, which the gradient of a recurrent layer asks for.

    The lists of all trials are one list of stacked tensors, so zeros like it are the stacked zeros.
    """
    wrap, stacked = member(_PFOR, "wrap"), _stacked(call)
    if stacked.dtype == tf.variant:
        return wrap(tf.raw_ops.ZerosLike(x=stacked), True)
    return wrap(tf.zeros(tf.shape(stacked)[1:], stacked.dtype), False)


def _stacked(call: Any) -> Any:
    return attribute(call, "stacked_input")(0)


def generators() -> Callable[[], None]:
    """Notes where TensorFlow's own random generators stand; returns what sets them back."""
    eager = member("tensorflow.python.eager.context", "context")()
    seed, generator = attribute(eager, "_seed"), attribute(eager, "_rng")
    set_seed = attribute(eager, "_set_global_seed")
    state = generator.getstate() if generator is not None else None

    def restore() -> None:
        set_seed(seed)  # forgets the kernels that count from the seed set meanwhile
        eager._rng = generator
        if generator is not None:
            generator.setstate(state)

    return restore
