"""The reference: plain `model.fit` of the function's model on the user's own arrays, as a careful user would write it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

Weights = list[tuple[str, np.ndarray]]  # by their paths


@dataclass(frozen=True)
class Terms:
    """How a combination is fitted, in the words of `nbtune.tune`.

    Attributes:
        before: sets what is around the function to what it was when the search began.
    """

    epochs: int = 3
    batch_size: int = 16
    patience: int | None = None
    objective: str = "val_loss"
    seed: int = 0
    class_weight: Mapping[int, float] | None = None
    callbacks: Callable[[], list[Any]] = list
    before: Callable[[], Any] = tuple


@dataclass(frozen=True)
class Fitted:
    """What `model.fit` came to; `weights` are those of `best_epoch`, as later fits may go on with layers of this one."""

    history: dict[str, list[float]]
    best_epoch: int
    weights: Weights


def fit(build: Any, values: dict[str, Any], train: tuple[Any, ...], validation: tuple[Any, ...] | None, terms: Terms) -> Fitted:
    """Seeds, builds, seeds and fits; without validation data for all epochs, as a refit does.

    Args:
        build: returns a compiled model.
        values: what it takes, and a learning rate to replace the optimizer's own.
        train, validation: x and, if there are any, y and sample weights.
    """
    keras.utils.clear_session()
    terms.before()
    keras.utils.set_random_seed(terms.seed)
    taken = inspect.signature(build).parameters
    model = build(**{name: value for name, value in values.items() if name in taken})
    if "learning_rate" in values and "learning_rate" not in taken:
        model.optimizer.learning_rate = values["learning_rate"]
    keras.utils.set_random_seed(terms.seed)
    callbacks = terms.callbacks()
    if validation is not None:
        patience = terms.epochs if terms.patience is None else terms.patience
        stopper = keras.callbacks.EarlyStopping(terms.objective, mode="min", patience=patience, restore_best_weights=True)
        callbacks = [keras.callbacks.TerminateOnNaN(), stopper, *callbacks]
    history = model.fit(
        **dict(zip(("x", "y", "sample_weight"), train, strict=False)),
        class_weight=terms.class_weight,
        batch_size=terms.batch_size,
        epochs=terms.epochs,
        validation_data=validation if validation is None or len(validation) > 1 else validation[0],
        callbacks=callbacks,
        verbose=0,
    ).history
    history = {name: [float(value) for value in values] for name, values in history.items()}
    best = int(np.argmin(history[terms.objective])) + 1 if validation is not None else terms.epochs
    return Fitted(history, best, [(weight.path, np.asarray(weight).copy()) for weight in model.weights])


def difference(ours: dict[str, list[float]], theirs: dict[str, list[float]]) -> float:
    """The largest relative difference between two histories; infinite where they log other things or other epochs."""
    if set(ours) != set(theirs) or any(len(ours[name]) != len(values) for name, values in theirs.items()):
        return float("inf")
    return max(_relative(np.asarray(ours[name]), np.asarray(values)) for name, values in theirs.items())


def _relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    scale = np.maximum(np.abs(theirs), 1e-3)  # an accuracy of 0 is no reason to divide by it
    return float(np.max(np.abs(ours - theirs) / scale, initial=0.0))
