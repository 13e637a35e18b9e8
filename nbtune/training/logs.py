"""What Keras logs, as numbers. What a callback logs besides is no reason to stop a training that `fit` would go on with."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

MOST = 10_000  # numbers of one name, in an epoch: a confusion matrix of a hundred classes


def scalars(logs: Mapping[str, Any]) -> dict[str, float]:
    """What Keras logs, with one number a name: a metric of several numbers becomes `f1_score_0` and so on.

    What is something else than numbers, or too many, is left out with a warning.
    """
    return {name: float(column[0]) for name, column in _columns({name: [value] for name, value in logs.items()})}


def histories(logs: Mapping[str, list[Any]]) -> dict[str, list[float]]:
    """The same of what it has logged in several epochs, with a list a name."""
    return {name: [float(number) for number in column] for name, column in _columns(logs)}


def _columns(logs: Mapping[str, list[Any]]) -> list[tuple[str, np.ndarray]]:
    found: list[tuple[str, np.ndarray]] = []
    for name, values in logs.items():
        if not values:
            continue
        try:
            each = np.asarray([np.asarray(value, dtype=float) for value in values]).reshape(len(values), -1)
        except (TypeError, ValueError):  # as many in each epoch, too
            _leave_out(name, f"as a {type(values[0]).__name__}: only numbers, and as many in each epoch, are kept and compared")
            continue
        if each.shape[1] > MOST:
            _leave_out(name, f"as {each.shape[1]:,} numbers: no more than {MOST:,} are kept and compared")
            continue
        found += [(name if each.shape[1] == 1 else f"{name}_{i}", each[:, i]) for i in range(each.shape[1])]
    return found


def _leave_out(name: str, what: str) -> None:
    warnings.warn(f"nbtune leaves {name!r} out, which a callback or metric logs {what}", stacklevel=4)
