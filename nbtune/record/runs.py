"""What a trial with repeats or folds came to, by what each of its runs did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from nbtune.record.events import DONE, STOPPED, TrialEnded
from nbtune.record.job import Job


def together(job: Job, ends: Sequence[TrialEnded]) -> tuple[TrialEnded, int]:
    """What a trial came to whose runs ended so, and which run stands for it: the best, or the one that went wrong.

    One that was stopped has the runs of which an epoch was trained.
    """
    if job.runs == 1:
        return ends[0], 0
    for i, end in enumerate(ends):
        if end.status not in (DONE, STOPPED):
            return replace(end, error=f"{end.error}, in {job.run_in_words(i)}"), i
    scored = [end for end in ends if end.score is not None]
    if not scored:
        return ends[0], 0
    scores = [end.score or 0.0 for end in scored]
    best = job.objective.best(scores)
    is_whole = [end.status for end in ends] == [DONE] * job.runs
    status, error = (DONE, None) if is_whole else (STOPPED, f"stopped early, in run {len(scores)} of {job.runs}")
    found = replace(scored[best], status=status, error=error, score=fmean(scores), scores=scores)
    found = replace(found, best_epochs=[end.best_epoch or 1 for end in scored], weights=None)
    return replace(found, fold_weights={str(i): end.weights for i, end in enumerate(ends[: job.folds]) if end.weights}), best
