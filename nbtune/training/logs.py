"""What Keras logs, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def scalars(logs: Mapping[str, Any]) -> dict[str, Any]:
    """What Keras logs with one number a name, or a list of them: a metric of several numbers becomes `f1_score_0` and so on."""
    found: dict[str, Any] = {}
    for name, value in logs.items():
        is_history = isinstance(value, list)
        values = _numbers(name, value)
        each = values.reshape(len(values), -1) if is_history else values.reshape(1, -1)
        for i in range(each.shape[1]):
            column = [float(number) for number in each[:, i]]
            found[name if each.shape[1] == 1 else f"{name}_{i}"] = column if is_history else column[0]
    return found


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        what = f"a callback or metric logs {name!r} as a {type(value).__name__}"
        raise ValueError(f"{what}; only numbers can be shown and compared, so keep it elsewhere") from None
