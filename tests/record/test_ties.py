from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from nbtune.record.events import TrialEnded
from nbtune.record.heldout import HeldOut
from nbtune.record.ties import explanation, resampled, ties

from ..views.conftest import product, search


def found(*scores):
    ends = [TrialEnded(str(i), "done", fmean(s), 1, {"val_accuracy": [fmean(s)]}, scores=list(s)) for i, s in enumerate(scores)]
    return search(product(units=range(len(scores))), events=ends)


BEST, CLOSE, FAR = [0.95, 0.97, 0.99, 0.96], [0.93, 0.96, 0.98, 0.95], [0.71, 0.73, 0.70, 0.74]


def test_what_welch_cannot_tell_from_the_best_is_a_tie():
    assert stats.ttest_ind(BEST, CLOSE, equal_var=False).pvalue > 0.05 > stats.ttest_ind(BEST, FAR, equal_var=False).pvalue
    progress = found(CLOSE, BEST, FAR)
    assert ties(progress) == {"0"}
    assert explanation(progress) == (
        "≈ not significantly different from the best: Welch's t-test over 4 seeds, p ≥ 0.05, not corrected for 2 comparisons"
    )


@pytest.mark.parametrize("other", [[0.9, 0.9, 0.9], [0.8, 0.8, 0.8]])
def test_scores_without_any_spread(other, recwarn):
    assert ties(found([0.9, 0.9, 0.9], other)) == ({"1"} if other[0] == 0.9 else set())
    assert not recwarn.list


def test_without_repeats_nothing_is_told():
    progress = search(product(units=[1, 2]), events=[TrialEnded(str(i), "done", 0.9, 1, {"val_accuracy": [0.9]}) for i in (0, 1)])
    assert ties(progress) == frozenset()
    assert explanation(progress) == ""
    assert ties(found([0.9, 0.8])) == frozenset()


def test_folds_are_compared_one_by_one_and_by_a_wider_variance():
    """By the formula of Nadeau and Bengio; the plain paired t-test, which takes folds for independent, tells them apart."""
    close = [0.94, 0.955, 0.985, 0.955]
    differences = np.subtract(BEST, close)
    t = np.mean(differences) / np.sqrt((1 / 4 + 1 / 3) * np.var(differences, ddof=1))
    expected = 2 * stats.t.sf(t, 3)
    assert resampled(differences, 1 / 3) == pytest.approx(expected)
    assert resampled(differences, 0.0) == pytest.approx(stats.ttest_rel(BEST, close).pvalue)
    assert stats.ttest_rel(BEST, close).pvalue < 0.05 < expected
    progress = found(close, BEST, FAR)
    progress.runs, progress.held_out = 4, HeldOut(100, folds=4, ratio=1 / 3)
    assert ties(progress) == {"0"}
    assert explanation(progress).startswith("≈ not significantly different from the best: corrected resampled t-test over 4")


def test_seeds_in_the_same_folds_are_averaged_first():
    progress = found(BEST, [*BEST[:2], 0.97, 0.94])
    progress.runs, progress.held_out = 4, HeldOut(100, folds=2, ratio=1.0)
    expected = resampled([(0.95 + 0.99 - 0.95 - 0.97) / 2, (0.97 + 0.96 - 0.97 - 0.94) / 2], 1.0)
    assert (ties(progress) == {"1"}) == (expected >= 0.05)
