"""Which rows make which batch: the order that `model.fit` trains in, and its pieces of one shape."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np

from nbtune.training.private import keras as private

_COMPARED, _TELLING = 3, 9  # epochs that are compared; rows from which on equal orders are no coincidence


def orders(rows: int, seed: int, shuffle: bool = True) -> Iterator[np.ndarray]:
    """The order of the rows in each epoch of a `model.fit` that follows `set_random_seed(seed)`, `(rows,)` each.

    It comes out of Keras's own pipeline, over row numbers and in one batch: the permutation is drawn before it is cut.
    """
    if not shuffle:
        yield from itertools.repeat(np.arange(rows))
    yield from map(_drawn(rows, seed).order, itertools.count())


def repeats(rows: int, seed: int) -> bool:
    """Whether each epoch has the same order, as far as the first ones show it."""
    return _drawn(rows, seed).repeats


@functools.lru_cache(maxsize=4)
def _drawn(rows: int, seed: int) -> _Drawn:
    return _Drawn(rows, seed)


class _Drawn:
    """The orders drawn so far.

    Iterating over the pipeline sets its generator back, so that every epoch has the same order; where the first epochs
    show that, the rest are not drawn: setting the pipeline up takes as long as training a small stack for an epoch.
    """

    def __init__(self, rows: int, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        self._pipeline = private.shuffled_batches(np.arange(rows), rows)
        self._orders = [self._draw() for _ in range(_COMPARED)]
        self.repeats = rows >= _TELLING and all(np.array_equal(order, self._orders[0]) for order in self._orders)

    def _draw(self) -> np.ndarray:
        (batch,) = self._pipeline
        return np.asarray(batch[0] if isinstance(batch, tuple) else batch)

    def order(self, epoch: int) -> np.ndarray:
        if self.repeats:
            return self._orders[0]
        while len(self._orders) <= epoch:
            self._orders.append(self._draw())
        return self._orders[epoch]


@dataclass(frozen=True)
class Piece:
    """Batches of one shape.

    Attributes:
        rows: row numbers, `(batches, size)`, or `(batches, repeats, size)` where repeats go through them in orders of their own.
        real: 1 for a row that counts, 0 for one that only pads a batch, like `rows` or `(batches, size)`; None where all count.
    """

    rows: np.ndarray
    real: np.ndarray | None = None


class _Padded(NamedTuple):
    """Batches all of one shape, `(batches, size)` each."""

    rows: np.ndarray
    real: np.ndarray


def cut(order: np.ndarray, size: int, padded: bool) -> list[Piece]:
    """An epoch's batches: all of one shape if `padded`, else the last, shorter one is a piece of its own.

    A batch is padded with its own first row, so that the padding brings no number that the batch does not have.
    """
    full, rest = divmod(len(order), size)
    if not rest or not full or not padded:
        pieces = [Piece(order[: full * size].reshape(full, size))] if full else []
        return pieces + ([Piece(order[full * size :][None])] if rest else [])
    last = order[full * size :]
    rows = np.concatenate([order, np.repeat(last[:1], size - rest)]).reshape(full + 1, size)
    real = np.ones(rows.shape, "float32")
    real[-1, rest:] = 0
    return [Piece(rows, real)]


def side_by_side(repeats: Sequence[list[Piece]]) -> list[Piece]:
    """The pieces of several orders as one, `rows` `(batches, repeats, size)`; one repeat's as they are.

    Where they are of unlike size, with as many batches though, all are padded to the largest; and so are few batches with
    others that do not count, as the evaluation's may be.
    """
    if len(repeats) == 1:
        return repeats[0]
    if all(_shapes(pieces) == _shapes(repeats[0]) for pieces in repeats):
        return [Piece(np.stack([piece.rows for piece in each], 1), each[0].real) for each in zip(*repeats, strict=True)]
    padded = [_as_one(pieces, *_largest(repeats)) for pieces in repeats]
    return [Piece(np.stack([each.rows for each in padded], 1), np.stack([each.real for each in padded], 1))]


def _shapes(pieces: list[Piece]) -> list[tuple[object, ...]]:
    """Equal where the same rows of each batch count."""
    return [(piece.rows.shape, None if piece.real is None else piece.real.tobytes()) for piece in pieces]


def _largest(repeats: Sequence[list[Piece]]) -> tuple[int, int]:
    """How many batches an epoch has, and rows a batch."""
    count = max(sum(len(piece.rows) for piece in pieces) for pieces in repeats)
    return count, max(piece.rows.shape[1] for pieces in repeats for piece in pieces)


def _as_one(pieces: list[Piece], count: int, size: int) -> _Padded:
    rows, real = np.zeros((count, size), pieces[0].rows.dtype), np.zeros((count, size), "float32")
    rows[:] = pieces[0].rows[0, 0]
    batch = 0
    for piece in pieces:
        n, own = piece.rows.shape
        rows[batch : batch + n] = piece.rows[:, :1]
        rows[batch : batch + n, :own] = piece.rows
        real[batch : batch + n, :own] = 1 if piece.real is None else piece.real
        batch += n
    return _Padded(rows, real)
