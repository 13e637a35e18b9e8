"""Cross-validation as it is asked for: `5`, or `time:5` for rows in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbtune.errors import UsageError, quoted

TIME = "time"


@dataclass(frozen=True)
class Folds:
    """`count` folds; `by_time`: each validates on rows that come after those it trains on."""

    count: int
    by_time: bool = False

    def __str__(self) -> str:
        return f"{TIME}:{self.count}" if self.by_time else str(self.count)


def check(name: str, value: Any) -> Folds | None:
    """A whole number of 2 or more, or `time:` and such a number; None for a single split."""
    if value is None or isinstance(value, Folds):
        return value
    text = str(value).strip().lower()
    if text == "none":
        return None
    kind, colon, number = text.rpartition(":")
    if not number.isdecimal() or isinstance(value, float) or bool(colon) != (kind == TIME):
        raise UsageError(
            f"{name}: {quoted(value)} is neither a number of folds, like 5, nor time:5 for rows in the order of time"
        )
    if int(number) < 2:
        raise UsageError(f"{name}: {quoted(value)} is too few; cross-validation takes 2 folds or more, usually 5")
    return Folds(int(number), kind == TIME)
