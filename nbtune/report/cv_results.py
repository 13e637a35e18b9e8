"""The columns that scikit-learn's `GridSearchCV` has in `cv_results_`, of a search with folds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pstdev
from typing import Any

from nbtune.record.progress import Progress, Trial


def cv_results(progress: Progress, trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """For each trial `split0_test_score` and so on, of all folds of the first seed first; nothing without folds.

    `std_test_score` is that of all splits, not of a sample, as scikit-learn has it; `rank_test_score` goes by the objective,
    whether more of it or less is better.
    """
    if not progress.held_out.folds:
        return [{} for _ in trials]
    orders = sorted(progress.objective.order(t.score) for t in progress.trials if t.score is not None and t.ended)
    return [_row(trial, progress, orders) for trial in trials]


def _row(trial: Trial, progress: Progress, orders: Sequence[float]) -> dict[str, Any]:
    scores = trial.scores or (None,) * progress.runs
    scores = (*scores, *(None,) * (progress.runs - len(scores)))
    known = [score for score in scores if score is not None]
    is_ranked = trial.score is not None and trial.ended
    return {
        **{f"param_{name}": value for name, value in trial.values.items()},
        "params": dict(trial.values),
        **{f"split{i}_test_score": score for i, score in enumerate(scores)},
        "mean_test_score": fmean(known) if known else None,
        "std_test_score": pstdev(known) if known else None,
        "rank_test_score": 1 + orders.index(progress.objective.order(trial.score or 0.0)) if is_ranked else len(orders) + 1,
    }
