"""Which combinations cannot be told from the winner, when each was trained with several seeds or in several folds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbtune.record.progress import Progress, Trial

if TYPE_CHECKING:
    import numpy as np

SIGN, LEVEL = "≈", 0.05


def ties(progress: Progress) -> frozenset[str]:
    """The trials whose scores do not differ from the best trial's at the 5 % level, the best itself left out.

    With folds by the corrected resampled t-test, fold by fold (`resampled`); without, by Welch's t-test (two-sided, unequal
    variances; B. L. Welch, Biometrika 34, 1947) on the scores of the seeds. One test for each trial and no correction for their
    number. Empty where each was trained once.
    """
    repeated = [trial for trial in progress.ranking if len(trial.scores) > 1]
    if progress.held_out.folds:
        repeated = [trial for trial in repeated if len(trial.scores) == progress.runs]  # a stopped one lacks folds
    if len(repeated) < 2:
        return frozenset()
    best, others = repeated[0], repeated[1:]
    p = _in_folds(progress, best, others) if progress.held_out.folds else _welch(best, others)
    pairs = zip(others, p, strict=True)  # p is NaN where all scores are equal
    return frozenset(trial.id for trial, value in pairs if value >= LEVEL or _equal(trial, best))


def _equal(one: Trial, other: Trial) -> bool:
    """Whether no test is needed to see that they do not differ."""
    return one.scores == other.scores or len({*one.scores, *other.scores}) == 1


def _welch(best: Trial, others: Sequence[Trial]) -> np.ndarray:
    from scipy.stats import ttest_ind  # half a second, and only needed here

    with warnings.catch_warnings():  # of scores that are all equal
        warnings.simplefilter("ignore", RuntimeWarning)
        found: np.ndarray = ttest_ind([best.scores], [trial.scores for trial in others], axis=1, equal_var=False).pvalue
    return found


def _in_folds(progress: Progress, best: Trial, others: Sequence[Trial]) -> np.ndarray:
    import numpy as np

    folds = progress.held_out.folds
    of_folds = lambda trial: np.reshape(trial.scores, (-1, folds)).mean(axis=0)  # noqa: E731 - over the seeds
    return np.asarray([resampled(of_folds(best) - of_folds(trial), progress.held_out.ratio) for trial in others])


def resampled(differences: Sequence[float] | np.ndarray, ratio: float) -> float:
    """The p value, two-sided, of scores that differ so in each fold; NaN where they differ alike in all.

    The folds' training rows overlap, so the variance of their mean is not 1/k of that of the differences but 1/k + ratio:
    t = mean / sqrt((1/k + ratio) · variance), with k - 1 degrees of freedom.

    Args:
        differences: `(k,)`.
        ratio: rows that validate over rows that train.

    Source: C. Nadeau and Y. Bengio, Inference for the Generalization Error, Machine Learning 52, 2003.
    """
    import numpy as np
    from scipy.stats import t

    k = len(differences)
    spread = np.sqrt((1 / k + ratio) * np.var(differences, ddof=1))
    return float(2 * t.sf(abs(np.mean(differences)) / spread, k - 1)) if spread else float("nan")


def explanation(progress: Progress) -> str:
    """What the sign stands for, where there are ties; else nothing."""
    found, best = ties(progress), progress.best
    if not found or best is None:
        return ""
    over = f"{progress.held_out.folds} folds" if progress.held_out.folds else f"{len(best.scores)} seeds"
    test = "corrected resampled t-test" if progress.held_out.folds else "Welch's t-test"
    tests = sum(len(trial.scores) > 1 for trial in progress.ranking) - 1
    many = f", not corrected for {tests:,} comparisons" if tests > 1 else ""
    return f"{SIGN} not significantly different from the best: {test} over {over}, p ≥ {LEVEL:g}{many}"
