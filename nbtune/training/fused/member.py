"""One repeat of a trial in a stack, watched as `model.fit` would watch it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from nbtune.record.job import Job
from nbtune.training import trial
from nbtune.training.fused.spec import TrialSpec
from nbtune.training.private import keras as private


@dataclass(eq=False)
class Member:
    """One repeat of a trial under way, which plays the model for its `keras.callbacks.EarlyStopping`.

    So early stopping decides exactly as it does in `model.fit`.

    Attributes:
        repeat: its number, as its seed goes.
        place: where it is in the stack, from which trials that have stopped may have been left out.
        now: its weights after the last epoch.
    """

    spec: TrialSpec
    repeat: int
    stopper: Any
    place: int
    now: Callable[[Member], list[np.ndarray]]
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    stop_training: bool = False

    def get_weights(self) -> list[np.ndarray]:
        return self.now(self)

    def take(self, epoch: int, logs: dict[str, float]) -> None:
        """What `model.fit` does at the end of an epoch, `TerminateOnNaN` included."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self.stopper.on_epoch_end(epoch, logs)
        self.stop_training |= not math.isfinite(logs["loss"])


def early_stopping(job: Job) -> keras.callbacks.EarlyStopping:
    """As in `trial`, but it compares by NumPy, in the same precision: Keras's TensorFlow operation takes 0.1 ms a trial."""
    stopper = trial.early_stopping(job)
    private.set_monitor(stopper)
    compare = np.less if stopper.monitor_op is keras.ops.less else np.greater
    stopper.monitor_op = lambda value, best: compare(np.float32(value), np.float32(best))
    return stopper
