"""An epoch of a stack as one TensorFlow function: all batches, then the evaluation."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import keras
import tensorflow as tf

from nbtune.training.fused.batches import Piece
from nbtune.training.fused.mapped import no_logs
from nbtune.training.fused.step import Batch, Logs, Standing, Step

Carried = TypeVar("Carried")
Pieces = list[tuple[tf.Tensor, tf.Tensor | None]]
Epoch = Callable[
    ["Standing", tf.Tensor, tf.Tensor, "Split", "Split | None", Pieces, Pieces, "Part"],
    tuple["Standing", dict[str, tf.Tensor]],
]


class Split(NamedTuple):
    """All rows of the training or the validation data: `x` and `y` as the model takes them, weights if it has some."""

    x: Any
    y: Any
    sample_weight: Any


class Steps(Protocol):
    """The steps of a stack: `mapped.Mapped` or `dense.Dense`.

    Attributes:
        any_size: whether what was traced once serves any number of trials.
    """

    step: Step
    any_size: bool

    def enter(self, at: Standing) -> Standing:
        """Before the first batch: in the form that the training steps have."""

    def leave(self, at: Standing) -> Standing:
        """After the last one: back in the form from outside."""

    def train(self, at: Standing, live: tf.Tensor, batch: Batch, rates: tf.Tensor) -> Standing:
        """A batch of the training, at these learning rates, `(trials,)`."""

    def test(self, at: Standing, live: tf.Tensor, batch: Batch) -> Standing:
        """With the sums, and the seeds, after a batch of the evaluation."""

    def result(self, at: Standing, live: tf.Tensor, training: bool = True) -> dict[str, tf.Tensor]:
        """What Keras logs of the sums of the training, or else of the evaluation, `(trials,)` for each name."""


class Part(NamedTuple):
    """Of an epoch's batches, those from `start` up to `stop`, as tensors, since each value would be compiled otherwise."""

    start: tf.Tensor
    stop: tf.Tensor


def tensors(pieces: Sequence[Piece]) -> Pieces:
    return [(tf.constant(p.rows, tf.int32), None if p.real is None else tf.constant(p.real)) for p in pieces]


def epoch_function(steps: Steps, jit: bool) -> Epoch:
    """A function of where a stack stands, which trials are live, the learning rates of each in each of the epoch's steps,
    `(trials, steps)`, the rows, the pieces of both, and the part to train.

    It is traced, and compiled, for each size of stack, or once for all if the steps can do that. Everything comes in as
    tensors: `tf.Variable`s on the first call and tensors later would compile twice, and what is captured becomes a constant
    of the compiled program.

    Returns:
        Through the function: where the stack stands after the part, and what Keras logs, `(trials,)` for each name, of
        use after the last part, with which comes the evaluation.
    """

    @tf.function(jit_compile=jit, autograph=False)
    def epoch(
        at: Standing,
        live: tf.Tensor,
        rates: tf.Tensor,
        rows: Split,
        rows_val: Split | None,
        pieces: Pieces,
        pieces_val: Pieces,
        part: Part,
    ) -> tuple[Standing, dict[str, tf.Tensor]]:
        train = lambda at, batch, number: steps.train(at, live, batch, tf.gather(rates, number, axis=1))  # noqa: E731
        at = steps.leave(_over(pieces, part, rows, train, steps.enter(at)))
        results = steps.result(at, live)
        if rows_val is not None:
            is_last = part.stop >= _count(pieces)
            all_or_none = Part(tf.constant(0), tf.where(is_last, _count(pieces_val), 0))
            test = lambda before, batch, number: _tested(at, steps, before, live, batch)  # noqa: E731
            start = no_logs(steps.step, live.shape[0] or tf.shape(live)[0]), at.seeds
            logs, seeds = _over(pieces_val, all_or_none, rows_val, test, start)
            held_out = steps.result(at._replace(logs=logs), live, training=False)
            results |= {f"val_{name}": values for name, values in held_out.items()}
            at = at._replace(seeds=seeds)
        return at, results

    return _AnySize(epoch) if steps.any_size and not jit else epoch


def _tested(at: Standing, steps: Steps, before: tuple[Logs, list[tf.Tensor]], live: tf.Tensor, batch: Batch) -> Any:
    """Sums and seeds after a batch of the evaluation, which changes nothing else."""
    after = steps.test(at._replace(logs=before[0], seeds=before[1]), live, batch)
    return after.logs, after.seeds


class _AnySize:
    """An epoch that is traced once, with the number of trials left open."""

    def __init__(self, epoch: Any) -> None:
        self._epoch = epoch
        self._traced: dict[str, Any] = {}  # for each shape of the rows
        self.experimental_get_tracing_count = epoch.experimental_get_tracing_count

    def __call__(self, at: Standing, live: tf.Tensor, rates: tf.Tensor, *others: Any) -> Any:
        shapes = str(tf.nest.map_structure(lambda part: getattr(part, "shape", None), others))
        if shapes not in self._traced:
            left_open = lambda part: tf.TensorSpec([None, *part.shape[1:]] if len(part.shape) else [], part.dtype)  # noqa: E731
            open_ended = tf.nest.map_structure(left_open, (at, live, rates))
            self._traced[shapes] = self._epoch.get_concrete_function(*open_ended, *others)
        with _as_it_is():
            return self._traced[shapes](at, live, rates, *others)


@contextlib.contextmanager
def _as_it_is() -> Iterator[None]:
    """No graph is rewritten before it runs: that takes 0.16 s, and it trains no faster for it.

    Under other options TensorFlow would make it ready anew, so this has to be around each call.
    """
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False, **before})


def _count(pieces: Pieces) -> int:
    return sum(numbers.shape[0] for numbers, _ in pieces)


def _over(pieces: Pieces, part: Part, rows: Split, body: Callable[[Carried, Batch, Any], Carried], at: Carried) -> Carried:
    """Goes through the batches of a part, one after another; `body` is told the number of each in the epoch too."""
    before = 0
    for numbers, real in pieces:

        def one(i: Any, at: Carried, n: tf.Tensor = numbers, real: tf.Tensor | None = real, before: int = before) -> Any:
            batch = _batch(rows, tf.gather(n, i), None if real is None else tf.gather(real, i))
            return i + 1, body(at, batch, i + before)

        count = numbers.shape[0]
        stop = tf.minimum(part.stop - before, count)
        start = tf.maximum(part.start - before, 0)
        at = tf.while_loop(lambda i, _, stop=stop: i < stop, one, (start, at), parallel_iterations=1)[1]
        before += count
    return at


def _batch(rows: Split, numbers: tf.Tensor, real: tf.Tensor | None) -> Batch:
    take = lambda part: tf.gather(part, numbers)  # noqa: E731
    weights = real
    if rows.sample_weight is not None:
        weights = keras.tree.map_structure(take, rows.sample_weight)
        weights = weights if real is None else weights * real
    y = None if rows.y is None else keras.tree.map_structure(take, rows.y)
    return Batch(keras.tree.map_structure(take, rows.x), y, real, weights)
