"""What the runs of a trial came to, one for each seed in each fold, in whatever order they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nbtune.record.events import DONE, TrialEnded
from nbtune.record.job import Job
from nbtune.record.runs import together
from nbtune.training.fused.spec import TrialSpec


class Kept(NamedTuple):
    """What is saved of a trial: the best repeat's spec, weights of its best epoch, and the optimizer's state at its end."""

    spec: TrialSpec
    weights: list[np.ndarray]
    slots: list[np.ndarray]


class Outcome(NamedTuple):
    """How a trial ended, what is kept of it if it is done, and of each fold with the first seed, by the fold's number."""

    end: TrialEnded
    kept: Kept | None
    folds: dict[int, Kept]


class Repeats:
    """The runs of one trial; of each that was the best when it ended something is kept, and of each fold."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._ends: dict[int, TrialEnded] = {}
        self._best: tuple[int, Kept] | None = None
        self._folds: dict[int, Kept] = {}
        self._left: dict[int, tuple[TrialEnded, Callable[[], Kept]]] = {}

    def leave(self, repeat: int, end: TrialEnded, kept: Callable[[], Kept]) -> None:
        """What a run had come to when it was left off, which counts where it does not go on."""
        self._left[repeat] = end, kept

    def take(self, repeat: int, end: TrialEnded, kept: Callable[[], Kept]) -> None:
        self._ends[repeat] = end
        if end.score is None:
            return
        is_best, is_of_fold = self._is_best(repeat, end), self._job.folds > 1 and repeat < self._job.folds
        if is_best or is_of_fold:
            own = kept()
            self._best = (repeat, own) if is_best else self._best
            self._folds |= {repeat: own} if is_of_fold else {}

    def _is_best(self, repeat: int, end: TrialEnded) -> bool:
        if self._best is None:
            return True
        before = self._ends[self._best[0]]
        assert end.score is not None and before.score is not None
        return self._job.objective.is_better(end.score, before.score) or (end.score == before.score and repeat < self._best[0])

    def outcome(self) -> Outcome | None:
        """None as long as it is open."""
        ends: list[TrialEnded] = []
        while len(ends) < self._job.runs:
            if len(ends) not in self._ends:
                return None
            ends.append(self._ends[len(ends)])
            if ends[-1].status != DONE:
                break
        return self._together(ends)

    def so_far(self) -> Outcome | None:
        """The same of the runs that there are, where no more come; None where there are none."""
        for repeat, (end, kept) in self._left.items():
            if repeat not in self._ends:
                self.take(repeat, end, kept)
        ends = [self._ends[repeat] for repeat in sorted(self._ends)]
        return self._together(ends) if ends else None

    def _together(self, ends: list[TrialEnded]) -> Outcome:
        ended, _ = together(self._job, ends)
        ended = replace(ended, seconds=sum(end.seconds for end in self._ends.values()))
        if ended.score is None:
            return Outcome(ended, None, {})
        return Outcome(ended, self._best[1] if self._best else None, self._folds)
