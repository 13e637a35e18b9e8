"""An epoch of a stack as one TensorFlow function: all batches, then the evaluation."""

from __future__ import annotations

import contextlib
import functools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from nbtune.engines import pfor  # noqa: F401 - teaches `vectorized_map` what it lacks
from nbtune.engines.batches import Piece
from nbtune.engines.convolutions import in_turn
from nbtune.engines.reasons import CannotFuse
from nbtune.engines.step import Batch, Logs, State, Step, Tensors, seed_places

Pieces = list[tuple[tf.Tensor, tf.Tensor | None]]
Epoch = Callable[[State, Tensors, "Rows", "Rows | None", Pieces, Pieces], tuple[State, Tensors, dict[str, tf.Tensor]]]


class Rows(NamedTuple):
    """All rows of the training or the validation data: `x`, the labels once for each `step.View`, weights if it has some."""

    x: Any
    ys: Tensors
    sample_weight: tf.Tensor | None


def tensors(pieces: Sequence[Piece]) -> Pieces:
    return [(tf.constant(p.rows, tf.int32), None if p.real is None else tf.constant(p.real)) for p in pieces]


def epoch_function(step: Step, jit: bool) -> Epoch:
    """A function of the stacked state, the seeds, the rows, and the pieces of both; compiled for each size of stack.

    Everything comes in as tensors: `tf.Variable`s on the first call and tensors later would compile twice, and what is
    captured becomes a constant of the compiled program.

    Returns:
        Through the function: the state and the seeds after the epoch, and what Keras logs, `(trials,)` for each name.
    """

    each = functools.partial(_each, step, jit)

    @tf.function(jit_compile=jit, autograph=False)
    def epoch(
        state: State, seeds: Tensors, rows: Rows, rows_val: Rows | None, pieces: Pieces, pieces_val: Pieces
    ) -> tuple[State, Tensors, dict[str, tf.Tensor]]:
        trials, live = state.live.shape[0], state.live
        first = tf.argmax(live)

        def train(state: State, seeds: Tensors, logs: Logs, batch: Batch) -> tuple[State, Tensors, Logs]:
            idle = lambda s, sums: (s, seeds, sums)  # noqa: E731
            after, many, logs = each(lambda s, sums: step.train(s, seeds, sums, batch), idle, live, state, logs)
            return after, [seed[first] for seed in many], logs

        def test(state: State, seeds: Tensors, logs: Logs, batch: Batch) -> tuple[State, Tensors, Logs]:
            return state, seeds, each(lambda s, sums: step.test(s, seeds, sums, batch), lambda s, sums: sums, live, state, logs)

        result = lambda s, sums: step.result(sums, s.loss)  # noqa: E731
        state, seeds, logs = _over(pieces, rows, train, (state, seeds, _empty(step, trials)))
        results = dict(each(result, result, live, state, logs))
        if rows_val is not None:
            _, _, logs = _over(pieces_val, rows_val, test, (state, seeds, _empty(step, trials)))
            found = each(result, result, live, state, logs)
            results |= {f"val_{name}": values for name, values in found.items()}
        return state, seeds, results

    return epoch


class OtherNumbers(CannotFuse):
    """Random numbers that differ between XLA and TensorFlow's graph, where Keras itself would draw the other ones."""


def _each(
    step: Step, jit: bool, function: Callable[..., Any], idle: Callable[..., Any], live: tf.Tensor, state: State, logs: Logs
) -> Any:
    """The function of every trial's state and sums: side by side, or one after another where that is faster.

    Args:
        idle: what comes of a trial that is not live, where leaving it out saves time.
    """

    def alone(state: State, logs: Logs) -> Any:
        graph = tf.compat.v1.get_default_graph()
        before = len(graph.get_operations())
        result = function(state, logs)
        new = graph.get_operations()[before:]
        _require_pure(new)
        if jit != step.model.jit_compile and (seed_places(step.model) or any(map(_may_draw, new))):
            raise OtherNumbers("random numbers that are drawn by XLA")
        return result

    if in_turn(step.model):
        return _one_by_one(alone, idle, live, state, logs)
    try:
        with _without_tracebacks():
            return tf.vectorized_map(lambda both: alone(*both), (state, logs), fallback_to_while_loop=True)
    except (ValueError, NotImplementedError) as error:
        if "pfor" in str(error):
            raise CannotFuse(f"the operation {_operation(error)}, which cannot be done for all trials at once") from error
        raise


def _one_by_one(function: Callable[..., Any], idle: Callable[..., Any], live: tf.Tensor, state: State, logs: Logs) -> Any:
    one = tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape[1:], part.dtype), (state, logs))
    traced = tf.function(function, autograph=False).get_concrete_function(*one)
    kinds = tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape, part.dtype), traced.structured_outputs)
    either = lambda each: tf.cond(each[0], lambda: traced(*each[1:]), lambda: idle(*each[1:]))  # noqa: E731
    return tf.map_fn(either, (live, state, logs), fn_output_signature=kinds, parallel_iterations=1)


def _require_pure(operations: Sequence[tf.Operation]) -> None:
    """Nothing may read or write but what is handed in, or draw random numbers that are not the trial's own."""
    for operation in operations:
        if operation.op_def.is_stateful:
            raise CannotFuse(f"the operation {operation.type}, which does more than compute ({operation.name})")


def _may_draw(operation: tf.Operation) -> bool:
    """It draws random numbers, or calls something that could."""
    calls = any(attribute.type in ("func", "list(func)") for attribute in operation.op_def.attr)
    return calls or re.match("Stateless(Random|Truncated|Multinomial|Parameterized|Shuffle|Sample)", operation.type) is not None


@contextlib.contextmanager
def _without_tracebacks() -> Iterator[None]:
    """`vectorized_map` logs pages where it cannot do an operation; what becomes of that is said elsewhere."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _operation(error: Exception) -> str:
    """The name in TensorFlow's "No pfor vectorization defined for NAME"."""
    found = re.search(r"defined for (\w+)", str(error))
    return found[1] if found else type(error).__name__


def _empty(step: Step, trials: int) -> Logs:
    return tf.nest.map_structure(lambda zero: tf.repeat(zero[None], trials, 0), step.no_logs())


def _over(pieces: Pieces, rows: Rows, body: Callable[..., Any], carry: Any) -> Any:
    """Takes the carry through all batches, one after another."""
    for numbers, real in pieces:

        def one(i: Any, carry: Any, numbers: tf.Tensor = numbers, real: tf.Tensor | None = real) -> Any:
            return i + 1, body(*carry, _batch(rows, numbers[i], None if real is None else real[i]))

        if numbers.shape[0] == 1:
            carry = one(0, carry)[1]
        else:
            count = numbers.shape[0]
            carry = tf.while_loop(lambda i, _, count=count: i < count, one, (tf.constant(0), carry), parallel_iterations=1)[1]
    return carry


def _batch(rows: Rows, numbers: tf.Tensor, real: tf.Tensor | None) -> Batch:
    take = lambda part: tf.gather(part, numbers)  # noqa: E731
    weights = real
    if rows.sample_weight is not None:
        weights = take(rows.sample_weight) if real is None else take(rows.sample_weight) * real
    return Batch(keras.tree.map_structure(take, rows.x), [take(y) for y in rows.ys], real, weights)
