"""The learning rate of every step of a trial, worked out before the steps are trained.

A stack's step is handed a table of rates, one for each trial, so trials under any schedules, and under none, share a stack, and
what is compiled does not depend on them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from nbtune.training.private import keras as private
from nbtune.training.reasons import CannotFuse

BLOCK = 50_000  # steps that are worked out at once, so that long trainings take no memory for it


class Rates(Protocol):
    """Plays the optimizer for `keras.callbacks.ReduceLROnPlateau`, which reads and sets `learning_rate`."""

    learning_rate: Any

    def of(self, epoch: int, steps: int) -> np.ndarray:
        """Those of an epoch of so many steps, `(steps,)`; `epoch` counts from 0."""


class Constant:
    """One rate, until a callback sets another."""

    def __init__(self, rate: Any) -> None:
        self.learning_rate = rate

    @property
    def learning_rate(self) -> np.float32:
        return self._rate

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        self._rate = np.float32(keras.ops.convert_to_numpy(rate))

    def of(self, epoch: int, steps: int) -> np.ndarray:
        return np.full(steps, self._rate, np.float32)


class Scheduled:
    """The rates of a `LearningRateSchedule`, Keras's own or anybody's.

    Args:
        dtype: of the step's number.

    Raises:
        CannotFuse: it does more than compute a number from the step's.
        Exception: whatever the schedule raises when it is traced, as `model.fit` traces it.
    """

    learning_rate = None  # no callback can set it

    def __init__(self, schedule: Callable[[Any], Any], dtype: str) -> None:
        self._schedule, self._dtype = schedule, dtype
        self._epochs = range(0)
        self._of_block: Any = None
        self._rates = np.zeros([0, 1], np.float32)
        traced = tf.function(self._rate, autograph=False).get_concrete_function(tf.TensorSpec([], dtype))
        for operation in traced.graph.get_operations():
            if operation.op_def.is_stateful and operation.type != "Placeholder":
                raise CannotFuse(f"a learning rate schedule with the operation {operation.type}, which does more than compute")

    def _rate(self, step: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tf.cast(tf.convert_to_tensor(self._schedule(step)), tf.float32), [])

    def of(self, epoch: int, steps: int) -> np.ndarray:
        if epoch not in self._epochs:
            count = max(BLOCK // steps, 1)
            self._epochs = range(epoch - epoch % count, epoch - epoch % count + count)
            first, last = self._epochs.start * steps, self._epochs.stop * steps
            with tf.device("CPU:0"):
                numbers = tf.range(first, last, dtype=self._dtype)
                if self._of_block is None:  # called by itself, each new schedule would bring a warning that it is traced
                    self._of_block = tf.function(self._of_all, autograph=False).get_concrete_function(numbers)
                self._rates = self._of_block(numbers).numpy().reshape(count, steps)
        return np.asarray(self._rates[epoch - self._epochs.start])

    def _of_all(self, steps: tf.Tensor) -> tf.Tensor:
        return tf.vectorized_map(self._rate, steps, fallback_to_while_loop=True)


class Schedules:
    """Each schedule once, however many optimizers have their own copy of it."""

    def __init__(self) -> None:
        self._known: dict[str, Scheduled] = {}

    def of(self, optimizer: Any) -> Rates:
        """The rates of an optimizer, each with a `Constant` of its own."""
        rate = private.learning_rate(optimizer)
        if isinstance(rate, keras.Variable):
            return Constant(rate)
        key = _key(rate)
        if key not in self._known:
            self._known[key] = Scheduled(rate, keras.backend.standardize_dtype(optimizer.iterations.dtype))
        return self._known[key]


def _key(schedule: Any) -> str:
    """Equal for schedules with equal rates: by configuration if they are Keras's or ours, else by identity."""
    if type(schedule).__module__.partition(".")[0] in ("keras", "nbtune"):
        return json.dumps(keras.optimizers.schedules.serialize(schedule), sort_keys=True, default=str)
    return f"{type(schedule).__name__} at {id(schedule)}"
