"""Which combinations cannot be told from the winner, when each was trained with several seeds."""

from __future__ import annotations

import warnings

from nbtune.record.progress import Progress

SIGN, LEVEL = "≈", 0.05


def ties(progress: Progress) -> frozenset[str]:
    """The trials whose scores do not differ from the best trial's at the 5 % level, the best itself left out.

    By Welch's t-test (two-sided, unequal variances; B. L. Welch, Biometrika 34, 1947) on the scores of the runs, one test
    for each trial and no correction for their number. Empty without repeats.
    """
    repeated = [trial for trial in progress.ranking if len(trial.scores) > 1]
    if len(repeated) < 2:
        return frozenset()
    best, others = repeated[0], repeated[1:]
    from scipy.stats import ttest_ind  # half a second, and only needed here

    with warnings.catch_warnings():  # of scores that are all equal
        warnings.simplefilter("ignore", RuntimeWarning)
        p = ttest_ind([best.scores], [trial.scores for trial in others], axis=1, equal_var=False).pvalue
    pairs = zip(others, p, strict=True)  # p is NaN where all scores are equal
    return frozenset(trial.id for trial, value in pairs if value >= LEVEL or set(trial.scores) == set(best.scores))


def explanation(progress: Progress) -> str:
    """What the sign stands for, where there are ties; else nothing."""
    found, best = ties(progress), progress.best
    if not found or best is None:
        return ""
    return f"{SIGN} not significantly different from the best: Welch's t-test over {len(best.scores)} seeds, p ≥ {LEVEL:g}"
