"""How the trials of a task end: what their repeats came to, whose weights are saved, and what is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from nbtune.record.events import DONE, STOPPED, Emit, TrialEnded
from nbtune.record.job import Job
from nbtune.training import trial, weights
from nbtune.training.fused.member import Member
from nbtune.training.fused.repeats import Kept, Outcome, Repeats
from nbtune.training.fused.spec import TrialSpec

Save = Callable[[Kept, int | None], str | None]  # of a trial, or of one of its folds


class Ending:
    """The outcomes so far, of all stacks of a task.

    Attributes:
        handed_in: in the order in which they came.
    """

    def __init__(self, job: Job, emit: Emit) -> None:
        self._job, self._emit = job, emit
        self._repeats: dict[str, Repeats] = {}
        self.handed_in: list[TrialEnded] = []

    def begin(self, stack: Iterable[TrialSpec], kept: Callable[[TrialSpec, int], Kept]) -> None:
        """These trials start, perhaps anew in a smaller stack, or go on.

        Args:
            kept: what would be saved of a run that was left off.
        """
        for spec in stack:
            repeats = self._repeats[spec.trial] = Repeats(self._job)
            for run, at in sorted(spec.left.items()):
                (repeats.take if at.has_ended else repeats.leave)(run, at.end, partial(kept, spec, run))

    @property
    def over(self) -> set[str]:
        """The trials that have ended."""
        return {end.trial for end in self.handed_in}

    def is_over(self, name: str) -> bool:
        return any(end.trial == name for end in self.handed_in)

    def take(self, member: Member, kept: Callable[[Member], Kept], save: Save) -> None:
        """One repeat of a trial has ended, and with the last one that matters the trial.

        Args:
            kept: what would be saved of it.
            save: is called where its weights can be among those that stay on disk; returns their stamp.
        """
        self._note(member, kept, DONE)
        self._end(member.spec.trial, save, self._repeats[member.spec.trial].outcome())

    def stop(self, members: Sequence[Member], kept: Callable[[Member], Kept], save: Save, obstacle: str | None) -> None:
        """Every trial ends with what it has, of these repeats, which are under way, and of earlier ones.

        Args:
            obstacle: why they cannot go on where they are.
        """
        for member in members:
            if member.history.get(self._job.objective.name):
                self._note(member, kept, STOPPED)
        for name, repeats in self._repeats.items():
            outcome = repeats.so_far()
            error = outcome and trial.with_obstacle(outcome.end.error, obstacle, self._job.runs > 1)
            self._end(name, save, outcome and outcome._replace(end=replace(outcome.end, error=error)))

    def so_far(self, member: Member) -> TrialEnded:
        """What a repeat came to, if it were stopped now."""
        return self._verdict(member, STOPPED)

    def ended(self, member: Member) -> TrialEnded:
        """What a repeat came to that has ended."""
        return self._verdict(member, DONE)

    def _verdict(self, member: Member, status: str) -> TrialEnded:
        end = trial.verdict(self._job, member.spec.trial, member.history, member.stopper.best_epoch + 1, status)
        return replace(end, seconds=member.seconds, rates=list(member.rates), size=member.spec.model.count_params())

    def _note(self, member: Member, kept: Callable[[Member], Kept], status: str) -> None:
        self._repeats[member.spec.trial].take(member.repeat, self._verdict(member, status), lambda: kept(member))

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
        self.handed_in.append(ended)
        self._emit([ended])

    def _is_to_keep(self, ended: TrialEnded) -> bool:
        """Whether its weights can be among those that stay on disk, as far as the trials of this task show."""
        assert ended.score is not None
        scores = [end.score for end in self.handed_in if end.score is not None]
        return sum(self._job.objective.is_better(score, ended.score) for score in scores) < self._job.keep
