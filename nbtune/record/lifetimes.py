"""How many epochs a trial still has before it, by what is known of it and of the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from nbtune.ask.objective import Objective
from nbtune.record.events import STOPPED

if TYPE_CHECKING:
    from nbtune.record.progress import Progress, Trial

OTHERS = 2.0  # so many of a trial's own epochs weigh as much as what all trials do
SLOWER = 0.15  # how much more seldom epochs get better: by half, once so much of the patience equals the epochs behind it
RECENT = 2  # times the patience: a trial's epochs by which its next ones are foreseen
FIRST = 0.8  # share of epochs that are better than all before, as long as nothing is known; they get fewer with every epoch


class Further(NamedTuple):
    """Epochs that a run has before it: expected, and what is certain of them."""

    expected: float
    least: float

    def of_longest(self, runs: int, most: float) -> float:
        """Expected until the last of so many like runs has ended, where what is not certain is about exponential."""
        return min(self.least + (self.expected - self.least) * sum(1 / n for n in range(1, runs + 1)), most)


class Lifetimes:
    """Epochs of trials, some of which have ended, early or not, and others are under way.

    Without patience: by the product-limit estimator (E. L. Kaplan and P. Meier, JASA 53, 1958): of the trials that reached
    an epoch, the share that ended with it. What nothing is known of lasts for all epochs.

    With patience a run ends after so many epochs in a row that are no better than all before. If each of them is better
    with a chance q, the waiting time for such a row is that for a run of failures (W. Feller, An Introduction to Probability
    Theory, XIII.7); q is what the run has shown of late, and what all show.
    """

    def __init__(
        self, trials: Iterable[Trial], epochs: int, patience: int | None = None, objective: Objective | None = None
    ) -> None:
        """`epochs`: how many a trial trains at most. `patience`: None where nothing is waited for, else by this `objective`."""
        self._epochs, self._patience, self._objective = epochs, patience, objective
        every = objective.every if objective else 1
        self._every = every if isinstance(every, int) else epochs / max(len(every), 1)  # epochs to a score
        seen = [trial for trial in trials if trial.epochs]
        ends = Counter(trial.epochs for trial in seen if trial.ended and trial.status != STOPPED)
        self._survive = [
            (epoch, 1 - count / sum(trial.epochs >= epoch for trial in seen)) for epoch, count in sorted(ends.items())
        ]
        self._usual_chance = self._chance_of_all(seen) if patience else 1.0
        self._whole = [self._whole_of(trial) for trial in seen] if patience else []

    @classmethod
    def of(cls, progress: Progress) -> Lifetimes:
        return cls(progress.trials, progress.epochs, progress.patience, progress.objective)

    @property
    def usual(self) -> float:
        """Epochs of a trial of which nothing is known yet."""
        return fmean(self._whole) if self._whole else self.after(0.0)

    def left(self, trial: Trial) -> Further:
        """Of the run of a trial that is under way."""
        most = max(self._epochs - trial.epochs - trial.share, 0.0)
        if not self._patience:
            return Further(self.after(trial.epochs + trial.share), 0.0)
        if not trial.epochs:
            return Further(max(self.usual - trial.share, 0.0), min(self._patience * self._every, most))
        waited = (trial.epochs - (trial.best_epoch or 0)) // self._every
        least = min(max(self._patience - waited, 0) * self._every - trial.share, most)
        scores = _until_row(self._chance(trial), self._patience, waited, most / self._every)
        return Further(scores * self._every, max(least, 0.0))

    def after(self, epochs: float) -> float:
        """Expected further epochs of one that has trained so many, by how long others lived."""
        total, alive, at = 0.0, 1.0, epochs
        for epoch, survive in self._survive:
            if epoch > epochs:
                total += alive * (epoch - at)
                alive, at = alive * survive, float(epoch)
        return total + alive * max(self._epochs - at, 0)

    def _whole_of(self, trial: Trial) -> float:
        over = trial.ended and trial.status != STOPPED
        return trial.epochs if over else trial.epochs + trial.share + self.left(trial).expected

    def _chance_of_all(self, seen: Sequence[Trial]) -> float:
        better, count = FIRST * OTHERS, OTHERS
        for trial in seen:
            own, epochs = self._records(trial, RECENT * (self._patience or 0))
            better, count = better + own, count + epochs
        return better / count

    def _chance(self, trial: Trial) -> float:
        """That one of its next epochs is better than all before."""
        better, count = self._records(trial, RECENT * (self._patience or 0))
        now = (better + OTHERS * self._usual_chance) / (count + OTHERS)
        return now * trial.epochs / (trial.epochs + SLOWER * (self._patience or 0))

    def _records(self, trial: Trial, last: int) -> tuple[int, int]:
        """Of so many of its last epochs those that were better than all before, and how many these are; not of the first."""
        assert self._objective is not None
        values = trial.history.get(self._objective.name, ())
        better, best = [], None
        for value in values:
            is_record = math.isfinite(value) and (best is None or self._objective.is_better(value, best))
            best = value if is_record else best
            better.append(is_record)
        recent = better[1:][-last:]
        return sum(recent), len(recent)


def _until_row(chance: float, row: int, waited: float, most: float) -> float:
    """Expected epochs until so many in a row are not better, `waited` of which are there already; never above `most`."""
    miss, least = 1 - min(max(chance, 1e-6), 1 - 1e-6), max(row - waited, 0)
    if least >= most:
        return most
    log_inverse = math.log1p(-(miss**least)) - math.log(1 - miss) - row * math.log(miss) if least else -math.inf
    free = math.exp(min(log_inverse, 50.0)) - least
    return least + free * -math.expm1(-(most - least) / free) if free > 1e-9 else least
