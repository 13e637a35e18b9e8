"""The step of one trial, for all trials of a stack: mapped over them by TensorFlow, whatever the network is."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from nbtune.training.fused.layers.convolutions import in_turn
from nbtune.training.fused.step import Batch, Logs, Standing, State, Step
from nbtune.training.private import tensorflow as private
from nbtune.training.reasons import CannotFuse


class OtherNumbers(CannotFuse):
    """Random numbers that differ between XLA and TensorFlow's graph, where Keras itself would draw the other ones."""


class Mapped:
    """A stack's steps: all trials side by side, or one after another where that is faster.

    Args:
        jit: whether XLA is to compile them.
    """

    any_size = False  # it is traced anew for each number of trials

    def __init__(self, step: Step, jit: bool) -> None:
        self.step, self._jit = step, jit
        private.teach_vectorized_map()

    def enter(self, at: Standing) -> Standing:
        return at

    def leave(self, at: Standing) -> Standing:
        return at

    def train(self, at: Standing, live: tf.Tensor, batch: Batch, rates: tf.Tensor) -> Standing:
        state = at.state._replace(slots=self.step.update.with_rates(at.state.slots, rates))
        idle = lambda state, logs: (state, at.seeds, logs)  # noqa: E731
        one = lambda state, logs: self.step.train(state, at.seeds, logs, batch)  # noqa: E731
        after, seeds, logs = self._each(one, idle, live, state, at.logs)
        return Standing(after, self._of_first(seeds, live), logs)

    def test(self, at: Standing, live: tf.Tensor, batch: Batch) -> Standing:
        one = lambda state, logs: self.step.test(state, at.seeds, logs, batch)  # noqa: E731
        logs, seeds = self._each(one, lambda state, logs: (logs, at.seeds), live, at.state, at.logs)
        return at._replace(logs=logs, seeds=self._of_first(seeds, live))

    def _of_first(self, seeds: list[tf.Tensor], live: tf.Tensor) -> list[tf.Tensor]:
        """The seeds, which are those of every trial, as one that is live has them."""
        first = tf.argmax(live)
        return [seed[first] for seed in seeds]

    def result(self, at: Standing, live: tf.Tensor, training: bool = True) -> dict[str, tf.Tensor]:
        one = lambda logs: self.step.result(logs, training)  # noqa: E731
        return dict(tf.vectorized_map(one, at.logs, fallback_to_while_loop=True))

    def _each(self, function: Callable[..., Any], idle: Callable[..., Any], live: tf.Tensor, state: State, logs: Logs) -> Any:
        """The function of every trial's state and sums.

        Args:
            idle: what comes of a trial that is not live, where leaving it out saves time.
        """

        def alone(state: State, logs: Logs) -> Any:
            graph = tf.compat.v1.get_default_graph()
            before = len(graph.get_operations())
            result = tf.nest.map_structure(tf.identity, function(state, logs))  # else what only passes through is lost
            new = graph.get_operations()[before:]
            _require_pure(new)
            model = self.step.model
            if self._jit != model.jit_compile and any(map(_may_draw, new)):
                raise OtherNumbers("random numbers that are drawn by XLA")
            return result

        if in_turn(self.step.model):
            return _one_by_one(alone, idle, live, state, logs)
        try:
            with _without_tracebacks():
                return tf.vectorized_map(lambda both: alone(*both), (state, logs), fallback_to_while_loop=True)
        except (ValueError, NotImplementedError) as error:
            unknown = re.search(r"No pfor vectorization defined for (\w+)", str(error))
            if unknown:
                raise CannotFuse(f"the operation {unknown[1]}, which cannot be done for all trials at once") from error
            raise


def _one_by_one(function: Callable[..., Any], idle: Callable[..., Any], live: tf.Tensor, state: State, logs: Logs) -> Any:
    one = tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape[1:], part.dtype), (state, logs))
    traced = tf.function(function, autograph=False).get_concrete_function(*one)
    kinds = tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape, part.dtype), traced.structured_outputs)
    either = lambda each: tf.cond(each[0], lambda: traced(*each[1:]), lambda: idle(*each[1:]))  # noqa: E731
    return tf.map_fn(either, (live, state, logs), fn_output_signature=kinds, parallel_iterations=1)


_LOOKS_UP = ("LookupTableFindV2", "LookupTableSizeV2")  # in vocabularies, which training does not change


def _require_pure(operations: Sequence[tf.Operation]) -> None:
    """Nothing may read or write but what is handed in, or draw random numbers that are not the trial's own."""
    for operation in operations:
        if operation.op_def.is_stateful and operation.type not in _LOOKS_UP:
            raise CannotFuse(f"the operation {operation.type}, which does more than compute ({operation.name})")


# bits come out alike, and what leads to them
_DRAWS = "Stateless(Random(?!UniformFullInt|GetKeyCounter|GetAlg)|Truncated|Multinomial|Parameterized|Shuffle|Sample)"


def _may_draw(operation: tf.Operation) -> bool:
    """It draws random numbers that come out otherwise under XLA, or calls something that does."""
    if re.match(_DRAWS, operation.type):
        return True
    return any(_may_draw(inner) for graph in private.called(operation) for inner in graph.get_operations())


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


def no_logs(step: Step, trials: int | tf.Tensor) -> Logs:
    """The sums of so many trials before an epoch."""
    return tf.nest.map_structure(lambda zero: tf.broadcast_to(zero, [trials, *zero.shape]), step.no_logs())
