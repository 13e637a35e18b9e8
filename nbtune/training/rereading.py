"""Epochs that are read and not trained, after which a dataset stands where it stood when a trial was left off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from nbtune.record.events import Stopping
from nbtune.training.stopping import Halted


class Rereading(keras.callbacks.Callback):
    """Has `fit` read the first epochs as it did before and train those after them.

    Only so do shuffles, random augmentation and generators draw what they would have drawn, since their state is their own.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback], first: int, stopping: Stopping) -> None:
        """`callbacks`: what `fit` would have been given; they hear nothing of the first epochs, so many."""
        super().__init__()
        self._callbacks, self._first, self._stopping = callbacks, first, stopping
        self._is_training = False

    def set_params(self, params: dict[str, Any]) -> None:
        for callback in self._callbacks:
            callback.set_params(params)

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        for callback in self._callbacks:
            callback.set_model(model)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.model.train_function = self.model.test_function = self._read
        self.model.get_metrics_result = dict  # they may not be built yet
        for callback in self._callbacks:
            callback.on_train_begin(logs)

    def _read(self, *terms: Any) -> Any:
        """What stands in the place of a step, of training or evaluation.

        Args:
            terms: TensorFlow's step takes an iterator, PyTorch's what was read, and JAX's has the state before it.
        """
        if self._stopping():
            raise Halted
        if hasattr(terms[-1], "__next__"):
            for _ in range(self.model.steps_per_execution):
                next(terms[-1])
        return ({}, terms[0]) if len(terms) > 1 else {}

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch == self._first:
            self.model.train_function = self.model.test_function = None
            del self.model.get_metrics_result
            self.model.make_train_function()
            self._is_training = True
        self._tell("on_epoch_begin", epoch, logs)

    def _tell(self, what: str, *about: Any, **logs: Any) -> None:
        for callback in self._callbacks if self._is_training else ():
            getattr(callback, what)(*about, **logs)


def _told(what: str) -> Callable[..., None]:
    def tell(self: Rereading, *about: Any, **logs: Any) -> None:
        self._tell(what, *about, **logs)

    return tell


for _name in dir(keras.callbacks.Callback):
    if _name.startswith("on_") and _name not in vars(Rereading):
        setattr(Rereading, _name, _told(_name))
