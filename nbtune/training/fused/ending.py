"""How the trials of a task end: what their repeats came to, whose weights are saved, and what is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from nbtune.record.events import DONE, Emit, TrialEnded
from nbtune.record.job import Job
from nbtune.training import trial
from nbtune.training.fused.member import Member
from nbtune.training.fused.repeats import Kept, Repeats


class Ending:
    """The outcomes so far, of all stacks of a task.

    Attributes:
        ended: in the order in which they came.
    """

    def __init__(self, job: Job, emit: Emit) -> None:
        self._job, self._emit = job, emit
        self._repeats: dict[str, Repeats] = {}
        self.ended: list[TrialEnded] = []

    def begin(self, trials: Iterable[str]) -> None:
        """These trials start, perhaps anew in a smaller stack."""
        self._repeats.update({name: Repeats(self._job) for name in trials})

    def is_over(self, name: str) -> bool:
        return any(end.trial == name for end in self.ended)

    def take(self, member: Member, kept: Callable[[], Kept], save: Callable[[Kept], str]) -> None:
        """One repeat of a trial has ended, and with the last one that matters the trial.

        Args:
            kept: what would be saved of it.
            save: is called where its weights can be among those that stay on disk; returns their stamp.
        """
        name, start = member.spec.trial, time.monotonic()
        end = trial.verdict(self._job, name, member.history, member.stopper.best_epoch + 1)
        end = replace(end, seconds=member.seconds, rates=member.rates, size=member.spec.model.count_params())
        self._repeats[name].take(member.repeat, end, kept)
        outcome = self._repeats[name].outcome()
        if outcome is None or self.is_over(name):
            return
        ended, best = outcome
        if best and self._is_to_keep(ended):
            ended = replace(ended, weights=save(best))
        ended = replace(ended, seconds=ended.seconds + time.monotonic() - start)
        self.ended.append(ended)
        self._emit([ended])

    def _is_to_keep(self, ended: TrialEnded) -> bool:
        """Whether its weights can be among those that stay on disk, as far as the trials of this task show."""
        assert ended.score is not None
        scores = [end.score for end in self.ended if end.status == DONE and end.score is not None]
        return sum(self._job.objective.is_better(score, ended.score) for score in scores) < self._job.keep
