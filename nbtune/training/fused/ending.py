"""How the trials of a task end: what their repeats came to, whose weights are saved, and what is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from nbtune.record.events import DONE, STOPPED, Emit, TrialEnded
from nbtune.record.job import Job
from nbtune.training import trial, weights
from nbtune.training.fused.member import Member
from nbtune.training.fused.repeats import Kept, Outcome, Repeats

Save = Callable[[Kept, int | None], str | None]  # of a trial, or of one of its folds


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

    def take(self, member: Member, kept: Callable[[Member], Kept], save: Save) -> None:
        """One repeat of a trial has ended, and with the last one that matters the trial.

        Args:
            kept: what would be saved of it.
            save: is called where its weights can be among those that stay on disk; returns their stamp.
        """
        self._note(member, kept, DONE)
        self._end(member.spec.trial, save, self._repeats[member.spec.trial].outcome())

    def stop(self, members: Sequence[Member], kept: Callable[[Member], Kept], save: Save) -> None:
        """Every trial ends with what it has, of these repeats, which are under way, and of earlier ones."""
        for member in members:
            if member.history.get(self._job.objective.name):
                self._note(member, kept, STOPPED)
        for name, repeats in self._repeats.items():
            self._end(name, save, repeats.so_far())

    def so_far(self, member: Member) -> TrialEnded:
        """What the only repeat of a trial came to, if it were stopped now."""
        end = trial.verdict(self._job, member.spec.trial, member.history, member.stopper.best_epoch + 1, STOPPED)
        return replace(end, **self._facts(member))

    def _facts(self, member: Member) -> dict[str, Any]:
        return {"seconds": member.seconds, "rates": list(member.rates), "size": member.spec.model.count_params()}

    def _note(self, member: Member, kept: Callable[[Member], Kept], status: str) -> None:
        end = trial.verdict(self._job, member.spec.trial, member.history, member.stopper.best_epoch + 1, status)
        self._repeats[member.spec.trial].take(member.repeat, replace(end, **self._facts(member)), lambda: kept(member))

    def _end(self, name: str, save: Save, outcome: Outcome | None) -> None:
        start = time.monotonic()
        if outcome is None or self.is_over(name):
            return
        ended = outcome.end
        if outcome.kept and self._is_to_keep(ended):
            stamps = {str(fold): save(kept, fold) for fold, kept in sorted(outcome.folds.items())}
            ended = replace(ended, fold_weights={fold: stamp for fold, stamp in stamps.items() if stamp is not None})
            ended = weights.handed_in(ended, save(outcome.kept, None))
        ended = replace(ended, seconds=ended.seconds + time.monotonic() - start)
        self.ended.append(ended)
        self._emit([ended])

    def _is_to_keep(self, ended: TrialEnded) -> bool:
        """Whether its weights can be among those that stay on disk, as far as the trials of this task show."""
        assert ended.score is not None
        scores = [end.score for end in self.ended if end.score is not None]
        return sum(self._job.objective.is_better(score, ended.score) for score in scores) < self._job.keep
