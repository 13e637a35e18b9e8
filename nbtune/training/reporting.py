"""What a trial that `model.fit` trains tells while it does, and how it is stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from nbtune import machine
from nbtune.record.events import Emit, EpochEnded, EpochUnderWay, Stopping
from nbtune.training.logs import scalars
from nbtune.training.stopping import Halted

SECONDS_BETWEEN_SIGNS = 0.8
SECONDS_TO_END_AN_EPOCH = 1.0  # once a trial is to stop; then the epoch is given up


class Reporter(keras.callbacks.Callback):
    """Tells each epoch of a trial, and about once a second how far it is in a long one; stops it when it is to stop.

    Attributes:
        history: metric to its values so far.
        has_halted: whether the trial would have gone on.
    """

    def __init__(self, emit: Emit, trial: str, stopping: Stopping, before: Mapping[str, Sequence[float]]) -> None:
        """`before`: the history that it goes on from."""
        super().__init__()
        self._emit, self._trial, self._stopping = emit, trial, stopping
        self._epoch = 1
        self._last = time.monotonic()
        self._asked: float | None = None  # when it was to stop
        self.history = {name: list(values) for name, values in before.items()}
        self.has_halted = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now, steps = time.monotonic(), self.params.get("steps") or 0  # 0: a dataset that does not say how many it has
        if now - self._last > SECONDS_BETWEEN_SIGNS and batch + 1 < steps:
            self._last = now
            self._emit([EpochUnderWay([self._trial], self._epoch, (batch + 1) / steps, machine.now())])
        if self._stopping():
            self._asked = self._asked or now
            if now - self._asked > SECONDS_TO_END_AN_EPOCH:
                self.has_halted = True
                raise Halted

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._last = time.monotonic()
        own = scalars(logs or {})
        for name, value in own.items():
            self.history.setdefault(name, []).append(value)
        self._emit([EpochEnded(self._trial, epoch + 1, own, machine.now())])
        if self._stopping() and not self.model.stop_training and epoch + 1 < (self.params or {}).get("epochs", 0):
            self.has_halted = self.model.stop_training = True
