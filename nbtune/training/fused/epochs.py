"""A stack's epochs on its rows, in parts between which it gives a sign of life."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from nbtune.training.fused.chunking import Chunking
from nbtune.training.fused.epoch import Epoch, Part, Pieces, Split
from nbtune.training.fused.step import Standing


class Epochs:
    """Trains a stack by what was compiled for it.

    Args:
        run_epoch: what `compilation.compiled` made.
    """

    def __init__(self, run_epoch: Epoch) -> None:
        self._run = run_epoch
        self._chunking = Chunking()

    def feed(self, training: Split, validation: Split | None, pieces_val: Pieces) -> None:
        """The rows of what is trained next, and the batches of its evaluation."""
        self._training, self._validation, self._pieces_val = training, validation, pieces_val

    def train(
        self, at: Standing, rates: tf.Tensor, pieces: Pieces, under_way: Callable[[float], None]
    ) -> tuple[Standing, dict[str, np.ndarray]]:
        """One epoch and its evaluation.

        Args:
            rates: the learning rate of each trial in each step, `(trials, steps)`.
            under_way: is told between two parts of it which share of its batches is done.

        Returns:
            Where the stack stands then, and what Keras logs, `(trials,)` for each name.
        """
        live, count, done = at.state.live, sum(numbers.shape[0] for numbers, _ in pieces), 0
        while done < count:
            before, ahead = time.perf_counter(), self._chunking.batches(count - done)
            at, results = self._part(at, live, rates, pieces, done, done + ahead)
            logs = {name: values.numpy() for name, values in sorted(results.items())}
            done += ahead
            self._chunking.took(ahead, time.perf_counter() - before)
            if done < count:
                under_way(done / count)
        return at, logs

    def train_batch(self, at: Standing, rates: tf.Tensor, pieces: Pieces, batch: int) -> tuple[Standing, dict[str, tf.Tensor]]:
        """One batch of an epoch."""
        return self._part(at, at.state.live, rates, pieces, batch, batch + 1)

    def compile_anew(self) -> None:
        """The next part is compiled first, since the stack has changed."""
        self._chunking = Chunking()

    def _part(
        self, at: Standing, live: tf.Tensor, rates: tf.Tensor, pieces: Pieces, start: int, stop: int
    ) -> tuple[Standing, dict[str, tf.Tensor]]:
        part = Part(tf.constant(start), tf.constant(stop))
        return self._run(at, live, rates, self._training, self._validation, pieces, self._pieces_val, part)
