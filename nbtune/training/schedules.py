"""The schedule of a trial's learning rate, made of Keras's own classes for the epochs and the rows of the search."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

from nbtune.ask import schedules
from nbtune.ask.space import Value
from nbtune.data.rows import Inputs
from nbtune.errors import UsageError
from nbtune.record.job import Job
from nbtune.training.calls import make

RATE = "learning_rate"  # in a history, as Keras's callbacks call it


def kind(job: Job, values: Mapping[str, Value]) -> Any:
    """The value of a trial's axis `schedule`: a name, or a schedule of the user's own; None where the function sees to it."""
    return job.resolved(values)["schedule"] if "schedule" in values and "schedule" in job.applied else None


def rate(job: Job, values: Mapping[str, Value], base: Any, x: Inputs) -> Any:
    """What an optimizer's learning rate becomes under a trial's schedule.

    Args:
        base: as in the optimizer's configuration.
        x: the rows to train on.

    Raises:
        UsageError: the base is a schedule itself, in this combination though not in the first.
    """
    chosen = kind(job, values)
    if chosen is None or isinstance(chosen, keras.optimizers.schedules.LearningRateSchedule):
        return base if chosen is None else chosen
    if not isinstance(base, (int, float)):
        raise UsageError(schedules.two(job.function.name))
    if chosen in schedules.BY_EPOCH:
        return base
    call = schedules.call(str(chosen), job.epochs, _steps(job, values, x))
    return base if call is None else make(call, float(base))


def _steps(job: Job, values: Mapping[str, Value], x: Inputs) -> int:
    """Of an epoch."""
    if job.stream is None:
        rows = keras.tree.flatten(x)[0].shape[0]
        return math.ceil(rows / int(values.get("batch_size", job.batch_size)))
    assert job.stream.steps is not None  # `run.prepare` has seen to it
    return job.stream.steps


def is_chosen(job: Job, values: Mapping[str, Value]) -> bool:
    """Whether a trial has a value of the axis `schedule` that is not left to its function."""
    return kind(job, values) is not None


class Rates(keras.callbacks.Callback):
    """Keeps the learning rate at the first step of each epoch, and logs it if told to, as Keras's own callbacks log theirs.

    Attributes:
        rates: one an epoch; none where the model has no optimizer of Keras's.
    """

    def __init__(self, logged: bool) -> None:
        super().__init__()
        self._logged = logged
        self.rates: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if isinstance(self.model.optimizer, keras.optimizers.Optimizer):
            self.rates.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._logged and self.rates and logs is not None:
            logs[RATE] = self.rates[-1]


def plateau(job: Job, values: Mapping[str, Value]) -> list[keras.callbacks.Callback]:
    """The callback that lowers a trial's learning rate, in a list; an empty one where none does."""
    if kind(job, values) != schedules.PLATEAU:
        return []
    return [make(schedules.plateau(job.objective.name, job.objective.direction, job.patience))]
