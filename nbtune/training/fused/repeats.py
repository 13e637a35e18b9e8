"""What the repeats of a trial came to, one for each seed, in whatever order they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nbtune.record.events import DONE, TrialEnded
from nbtune.record.job import Job
from nbtune.training import trial
from nbtune.training.fused.spec import TrialSpec


class Kept(NamedTuple):
    """What is saved of a trial: the best repeat's spec, weights of its best epoch, and the optimizer's state at its end."""

    spec: TrialSpec
    weights: list[np.ndarray]
    slots: list[np.ndarray]


class Repeats:
    """The repeats of one trial; of each that was the best when it ended something is kept."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._ends: dict[int, TrialEnded] = {}
        self._best: tuple[int, Kept] | None = None

    def take(self, repeat: int, end: TrialEnded, kept: Callable[[], Kept]) -> None:
        self._ends[repeat] = end
        if end.score is not None and self._is_best(repeat, end):
            self._best = repeat, kept()

    def _is_best(self, repeat: int, end: TrialEnded) -> bool:
        if self._best is None:
            return True
        before = self._ends[self._best[0]]
        assert end.score is not None and before.score is not None
        return self._job.objective.is_better(end.score, before.score) or (end.score == before.score and repeat < self._best[0])

    def outcome(self) -> tuple[TrialEnded, Kept | None] | None:
        """How the trial ended, and what is kept of it if it is done; None as long as that is open."""
        ends: list[TrialEnded] = []
        while len(ends) < self._job.repeats:
            if len(ends) not in self._ends:
                return None
            ends.append(self._ends[len(ends)])
            if ends[-1].status != DONE:
                break
        return self._together(ends)

    def so_far(self) -> tuple[TrialEnded, Kept | None] | None:
        """The same of the repeats that there are, where no more come; None where there are none."""
        ends = [self._ends[repeat] for repeat in sorted(self._ends)]
        return self._together(ends) if ends else None

    def _together(self, ends: list[TrialEnded]) -> tuple[TrialEnded, Kept | None]:
        ended, _ = trial.together(self._job, ends)
        ended = replace(ended, seconds=sum(end.seconds for end in self._ends.values()))
        return ended, self._best[1] if self._best and ended.score is not None else None
