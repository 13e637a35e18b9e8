"""One repeat of a trial in a stack, watched as `model.fit` would watch it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from nbtune.record.checkpoint import Checkpoint
from nbtune.record.job import Job
from nbtune.training import resuming, schedules, trial
from nbtune.training.fused.spec import TrialSpec
from nbtune.training.private import keras as private


@dataclass(eq=False)
class Member:
    """One repeat of a trial under way, which plays the model for its callbacks, its `keras.callbacks.EarlyStopping` the last.

    So early stopping decides exactly as it does in `model.fit`.

    Attributes:
        repeat: its number, as its seed goes.
        place: where it is in the stack, from which trials that have stopped may have been left out.
        now: its weights after the last epoch.
        steps: of an epoch.
        own: the user's callbacks.
        metrics: the compiled ones, in which callbacks look up whether more is better.
        plateau: the callback that lowers its learning rate; none, or one.
        logs_rate: its learning rate is logged.
        optimizer: the rates of its steps.
        rates: the learning rate at the first step of each epoch behind it.
    """

    spec: TrialSpec
    repeat: int
    stopper: Any
    place: int
    now: Callable[[Member], list[np.ndarray]]
    steps: int
    own: Sequence[Any] = ()
    metrics: Sequence[Any] = ()
    plateau: Sequence[Any] = ()
    logs_rate: bool = False
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    stop_training: bool = False
    optimizer: Any = field(init=False)
    rates: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        # of one repeat: a callback may change it
        self.optimizer = copy.copy(self.spec.rates)
        if self.spec.at:
            before = self.spec.at.end
            self.history = {name: list(values) for name, values in before.history.items()}
            self.seconds, self.rates = before.seconds, list(before.rates)

    def begin(self) -> None:
        """What `model.fit` does before the first epoch."""
        for callback in (*self.own, *self.plateau, self.stopper):
            callback.set_model(self)
            callback.on_train_begin()
        if at := self.spec.at:
            resuming.put_back_states([*self.own, *self.plateau], at.callbacks)
            if at.rate is not None and self.optimizer.learning_rate is not None:
                self.optimizer.learning_rate = at.rate

    def begin_epoch(self, epoch: int) -> None:
        """The user's callbacks may set the learning rate, at the end of an epoch as well."""
        for callback in self.own:
            callback.on_epoch_begin(epoch)

    def end(self) -> None:
        for callback in self.own:
            callback.on_train_end()

    def get_weights(self) -> list[np.ndarray]:
        return self.now(self)

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """What callbacks set at the end, the stopper overrides."""

    def take(self, epoch: int, logs: dict[str, float]) -> None:
        """What `model.fit` does at the end of an epoch, `TerminateOnNaN` included."""
        self.rates.append(float(self.optimizer.of(epoch, self.steps)[0]))
        for callback in self.own:
            callback.on_epoch_end(epoch, logs)
        if self.logs_rate:
            logs[schedules.RATE] = self.rates[-1]
        for callback in self.plateau:
            callback.on_epoch_end(epoch, logs)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self.stopper.on_epoch_end(epoch, logs)
        self.stop_training |= not math.isfinite(logs["loss"])


def early_stopping(job: Job, at: Checkpoint | None = None) -> keras.callbacks.EarlyStopping:
    """As in `trial`, but it compares by NumPy, in the same precision: Keras's TensorFlow operation takes 0.1 ms a trial."""
    stopper = trial.early_stopping(job, at)
    private.set_monitor(stopper)
    compare = np.less if stopper.monitor_op is keras.ops.less else np.greater
    stopper.monitor_op = lambda value, best: compare(np.float32(value), np.float32(best))
    return stopper
