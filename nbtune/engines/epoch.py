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
Epoch = Callable[["Standing", tf.Tensor, "Rows", "Rows | None", Pieces, Pieces, "Part"], tuple["Standing", dict[str, tf.Tensor]]]


class Rows(NamedTuple):
    """All rows of the training or the validation data: `x`, the labels once for each `step.View`, weights if it has some."""

    x: Any
    ys: Tensors
    sample_weight: tf.Tensor | None


class Standing(NamedTuple):
    """Where the training of a stack stands: its state, the seeds that its trials share, and the sums of the epoch so far."""

    state: State
    seeds: Tensors
    logs: Logs


class Part(NamedTuple):
    """Of an epoch's batches, those from `start` up to `stop`, as tensors, since each value would be compiled otherwise."""

    start: tf.Tensor
    stop: tf.Tensor


def tensors(pieces: Sequence[Piece]) -> Pieces:
    return [(tf.constant(p.rows, tf.int32), None if p.real is None else tf.constant(p.real)) for p in pieces]


def epoch_function(step: Step, jit: bool) -> Epoch:
    """A function of where a stack stands, which trials are live, the rows, the pieces of both, and the part to train.

    It is compiled for each size of stack. Everything comes in as tensors: `tf.Variable`s on the first call and tensors
    later would compile twice, and what is captured becomes a constant of the compiled program.

    Returns:
        Through the function: where the stack stands after the part, and what Keras logs, `(trials,)` for each name, of
        use after the last part, with which comes the evaluation.
    """

    each = functools.partial(_each, step, jit)

    @tf.function(jit_compile=jit, autograph=False)
    def epoch(
        at: Standing, live: tf.Tensor, rows: Rows, rows_val: Rows | None, pieces: Pieces, pieces_val: Pieces, part: Part
    ) -> tuple[Standing, dict[str, tf.Tensor]]:
        first = tf.argmax(live)

        def train(at: Standing, batch: Batch) -> Standing:
            idle = lambda s, sums: (s, at.seeds, sums)  # noqa: E731
            after, many, logs = each(lambda s, sums: step.train(s, at.seeds, sums, batch), idle, live, at.state, at.logs)
            return Standing(after, [seed[first] for seed in many], logs)

        def test(at: Standing, batch: Batch) -> Standing:
            run = lambda s, sums: step.test(s, at.seeds, sums, batch)  # noqa: E731
            return at._replace(logs=each(run, lambda s, sums: sums, live, at.state, at.logs))

        result = lambda s, sums: step.result(sums, s.loss)  # noqa: E731
        at = _over(pieces, part, rows, train, at)
        results = dict(each(result, result, live, at.state, at.logs))
        if rows_val is not None:
            is_last = part.stop >= _count(pieces)
            all_or_none = Part(tf.constant(0), tf.where(is_last, _count(pieces_val), 0))
            tested = _over(pieces_val, all_or_none, rows_val, test, at._replace(logs=no_logs(step, live.shape[0])))
            found = each(result, result, live, tested.state, tested.logs)
            results |= {f"val_{name}": values for name, values in found.items()}
        return at, results

    return epoch


def no_logs(step: Step, trials: int) -> Logs:
    """The sums of so many trials before an epoch."""
    return tf.nest.map_structure(lambda zero: tf.repeat(zero[None], trials, 0), step.no_logs())


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


def _count(pieces: Pieces) -> int:
    return sum(numbers.shape[0] for numbers, _ in pieces)


def _over(pieces: Pieces, part: Part, rows: Rows, body: Callable[[Standing, Batch], Standing], at: Standing) -> Standing:
    """Goes through the batches of a part, one after another."""
    before = 0
    for numbers, real in pieces:

        def one(i: Any, at: Standing, numbers: tf.Tensor = numbers, real: tf.Tensor | None = real) -> Any:
            return i + 1, body(at, _batch(rows, numbers[i], None if real is None else real[i]))

        count = numbers.shape[0]
        stop = tf.minimum(part.stop - before, count)
        start = tf.maximum(part.start - before, 0)
        at = tf.while_loop(lambda i, _, stop=stop: i < stop, one, (start, at), parallel_iterations=1)[1]
        before += count
    return at


def _batch(rows: Rows, numbers: tf.Tensor, real: tf.Tensor | None) -> Batch:
    take = lambda part: tf.gather(part, numbers)  # noqa: E731
    weights = real
    if rows.sample_weight is not None:
        weights = take(rows.sample_weight) if real is None else take(rows.sample_weight) * real
    return Batch(keras.tree.map_structure(take, rows.x), [take(y) for y in rows.ys], real, weights)
