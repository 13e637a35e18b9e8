"""What a stack's epoch is run by: TensorFlow's graph, or XLA where that pays for compiling and agrees to."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nbtune.costs import NUMBERS_OF_A_COMPILATION
from nbtune.training.fused import dense
from nbtune.training.fused.epoch import Epoch, epoch_function
from nbtune.training.fused.layers import kinds
from nbtune.training.fused.layers.convolutions import in_turn
from nbtune.training.fused.mapped import Mapped, OtherNumbers
from nbtune.training.fused.own_steps import OwnStep
from nbtune.training.fused.step import Step
from nbtune.training.private import keras as private
from nbtune.training.private import xlacache

_COMPILER_ERRORS = (
    tf.errors.InvalidArgumentError,
    tf.errors.UnimplementedError,
    tf.errors.NotFoundError,
    tf.errors.InternalError,
    tf.errors.DataLossError,
    tf.errors.OutOfRangeError,
)


def compiled(step: Step, is_dense: bool, repeats: int, numbers: float, apart: bool = False) -> tuple[Epoch, bool]:
    """What trains an epoch of so many repeats at once, and whether it takes a smaller stack as it is.

    It is XLA where all layers say that they can be compiled, or are recurrent, which only Keras's own loop cannot, and XLA
    agrees, else TensorFlow's graph, as for networks that draw and are not recurrent: of a transformer's stack, 25 steps of 3
    trials took 0.33 s on the graph and 0.20 s by XLA, which compiled for 8 s longer; of an LSTM's over 24 steps, 0.42 and
    0.06 s, and 1 s longer. With convolutions it
    is what Keras itself would take, and with Dense layers alone the graph as long as it is done before XLA had compiled.

    Args:
        is_dense: whether the step `dense.can_train`.
        apart: whether each repeat is evaluated on rows of its own.
        numbers: how many the optimizer will update at most, over all steps.
    """

    def epoch(jit: bool) -> Epoch:
        return epoch_function(dense.Dense(step, repeats, apart) if is_dense else Mapped(step, jit), jit)

    if not _is_for_xla(step, is_dense, numbers):
        return epoch(jit=False), is_dense
    chosen, is_graph = epoch(jit=True), False

    def run(*arguments: Any) -> Any:
        nonlocal chosen, is_graph
        try:
            return chosen(*arguments)
        except (*_COMPILER_ERRORS, OtherNumbers) as error:
            if is_graph:
                raise
            damaged = xlacache.is_damaged(error)
            if damaged:
                xlacache.clear()
            chosen, is_graph = epoch(jit=damaged), not damaged
            return chosen(*arguments)

    return run, False


def _is_for_xla(step: Step, is_dense: bool, numbers: float) -> bool:
    if isinstance(step, OwnStep):
        return False
    if is_dense:
        return numbers > NUMBERS_OF_A_COMPILATION or bool(tf.config.list_physical_devices("GPU"))
    if in_turn(step.model) and not step.model.jit_compile:
        return False
    recurrent = [kinds.inherited(layer).recurrent for layer in private.layers(step.model)]
    if not any(recurrent) and step.seed_places() and not step.model.jit_compile:
        return False
    return all(layer.supports_jit or own for layer, own in zip(private.layers(step.model), recurrent, strict=True))
