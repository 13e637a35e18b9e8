"""What trials are ranked by: the name of a metric, and which way is better."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nbtune.ask import names
from nbtune.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Objective:
    """What trials are ranked by, and in which epochs that is measured.

    Attributes:
        name: as Keras logs it (`val_accuracy`).
        direction: "max" or "min".
        also: names of metrics to have beside it.
        every: `fit`'s `validation_freq`: validation comes after every so many epochs, or after these, counted from 1.
    """

    name: str
    direction: str
    also: tuple[str, ...] = ()
    every: int | tuple[int, ...] = 1

    @classmethod
    def of(cls, text: str) -> Objective:
        """From `val_accuracy`, or `max:val_my_metric` where the direction cannot be known.

        Raises:
            UsageError: a metric whose direction is unknown.
        """
        direction, colon, name = text.partition(":")
        if colon and direction in ("min", "max") and name:
            return cls(name, direction)
        metric = text.removeprefix("val_")
        metric = metric if metric == "kld" else names.canonical(metric)  # a loss to Keras, and no metric
        if metric in names.MAXIMISED:
            return cls(text, "max")
        if metric in names.MINIMISED:
            return cls(text, "min")
        parts = metric.split("_") if ":" not in text else []
        ends = {names.canonical("_".join(parts[i:])) for i in range(1, len(parts))}  # of one of several outputs
        for known, way in ((names.MAXIMISED, "max"), (names.MINIMISED, "min")):
            if ends & known:
                return cls(text, way)
        hint = did_you_mean(text, [f"val_{m}" for m in names.MAXIMISED | names.MINIMISED])
        raise UsageError(f"objective: is a high or a low {text!r} better? Write max:{text} or min:{text}{hint}")

    @property
    def metric(self) -> str:
        """The metric to compile with: the objective without `val_`."""
        return self.name.removeprefix("val_")

    @property
    def is_accuracy(self) -> bool:
        """Whether it is a share of rows."""
        return self.metric in names.ACCURACIES

    def order(self, score: float) -> float:
        """What to sort scores by: the better one is the smaller."""
        return -score if self.direction == "max" else score

    @property
    def metrics(self) -> list[str]:
        """All metrics to compile with: the objective's, then those beside it."""
        return list(dict.fromkeys(name.removeprefix("val_") for name in (self.name, *self.also)))

    def best(self, scores: Sequence[float]) -> int:
        """Which of the scores is the best; the first of equal ones."""
        return scores.index(min(scores, key=self.order))

    def is_better(self, score: float, other: float) -> bool:
        return self.order(score) < self.order(other)

    def validates(self, epoch: int) -> bool:
        """Whether there is a validation after this epoch, counted from 1."""
        return epoch % self.every == 0 if isinstance(self.every, int) else epoch in self.every

    def _epochs(self, name: str) -> Iterator[int]:
        """Those in which a metric is measured."""
        every = self.every if name.startswith("val_") else 1
        return itertools.count(every, every) if isinstance(every, int) else iter(sorted(every))

    def by_epoch(self, name: str, history: Mapping[str, Sequence[float]]) -> Sequence[float]:
        """A metric's values, one an epoch, NaN where it was not measured; empty where it is not in the history."""
        values = history.get(name, ())
        if self.every == 1 or not name.startswith("val_"):
            return values
        measured = dict(zip(self._epochs(name), values, strict=False))
        return [measured.get(epoch, math.nan) for epoch in range(1, max(measured, default=0) + 1)]

    def at(self, epoch: int | None, name: str, history: Mapping[str, Sequence[float]]) -> float | None:
        """A metric's value in an epoch, counted from 1; None where it was not measured."""
        if epoch is None or epoch < 1 or (name.startswith("val_") and not self.validates(epoch)):
            return None
        values = self.by_epoch(name, history)
        return values[epoch - 1] if epoch <= len(values) else None

    def check(self, losses: Sequence[str], validated: bool) -> None:
        """Raises UsageError where this objective cannot rank the trials fairly."""
        if self.metric == "loss" and len(losses) > 1:
            raise UsageError(
                f"objective {self.name} cannot rank trials of {len(losses)} losses: their values are on different "
                "scales; use --objective val_accuracy (classes) or val_mean_absolute_error (numbers)"
            )
        if self.name.startswith("val_") and not validated:
            raise UsageError(f"objective {self.name} needs validation data; give --validation-data or --validation-split")
