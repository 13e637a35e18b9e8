"""What Keras logs, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

MOST = 10_000  # numbers of one name, in an epoch: a confusion matrix of a hundred classes


def scalars(logs: Mapping[str, Any]) -> dict[str, float]:
    """What Keras logs, with one number a name: a metric of several numbers becomes `f1_score_0` and so on.

    Raises:
        ValueError: something else than numbers, or too many.
    """
    return {name: float(column[0]) for name, column in _columns({name: [value] for name, value in logs.items()})}


def histories(logs: Mapping[str, list[Any]]) -> dict[str, list[float]]:
    """The same of what it has logged in several epochs, with a list a name."""
    return {name: [float(number) for number in column] for name, column in _columns(logs)}


def _columns(logs: Mapping[str, list[Any]]) -> list[tuple[str, np.ndarray]]:
    found: list[tuple[str, np.ndarray]] = []
    for name, values in logs.items():
        each = _numbers(name, values).reshape(len(values), -1)
        if each.shape[1] > MOST:
            what = f"a callback or metric logs {each.shape[1]:,} numbers as {name!r}"
            raise ValueError(f"{what}; more than {MOST:,} cannot be shown and compared, so keep them elsewhere")
        found += [(name if each.shape[1] == 1 else f"{name}_{i}", each[:, i]) for i in range(each.shape[1])]
    return found


def _numbers(name: str, values: list[Any]) -> np.ndarray:
    try:
        return np.asarray([np.asarray(value, dtype=float) for value in values])
    except (TypeError, ValueError):
        what = f"a callback or metric logs {name!r} as a {type(values[0]).__name__}"
        raise ValueError(f"{what}; only numbers can be shown and compared, so keep it elsewhere") from None
