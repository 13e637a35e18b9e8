"""`Search.evaluate`: the winner on a test set, and how often that has been looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nbtune.views.words import plural, score_text

TIMES = {1: "once", 2: "twice"}


@dataclass(frozen=True, repr=False)
class Evaluation:
    """The winner's metrics on rows that took no part in the search.

    Attributes:
        label: the winner's values.
        metrics: name to number, as `model.evaluate` has them.
        rows: how many there were.
        looks: how often this search has been evaluated on these rows, this time included.
    """

    label: str
    metrics: Mapping[str, float]
    rows: int
    looks: int

    def __getitem__(self, metric: str) -> float:
        return self.metrics[metric]

    def __str__(self) -> str:
        found = ", ".join(f"{name} {score_text(value)}" for name, value in self.metrics.items())
        times = TIMES.get(self.looks, f"{self.looks:,} times")
        again = "; the more choices are made by it, the less it says about new data" if self.looks > 1 else ""
        return f"{found} on {plural(self.rows, 'row')} ({self.label}). This test set has been looked at {times}{again}."

    __repr__ = __str__
