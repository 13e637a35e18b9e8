from statistics import fmean

import pytest
from scipy import stats

from nbtune.record.events import TrialEnded
from nbtune.record.ties import explanation, ties

from ..views.conftest import product, search


def found(*scores):
    ends = [TrialEnded(str(i), "done", fmean(s), 1, {"val_accuracy": [fmean(s)]}, scores=list(s)) for i, s in enumerate(scores)]
    return search(product(units=range(len(scores))), events=ends)


BEST, CLOSE, FAR = [0.95, 0.97, 0.99, 0.96], [0.93, 0.96, 0.98, 0.95], [0.71, 0.73, 0.70, 0.74]


def test_what_welch_cannot_tell_from_the_best_is_a_tie():
    assert stats.ttest_ind(BEST, CLOSE, equal_var=False).pvalue > 0.05 > stats.ttest_ind(BEST, FAR, equal_var=False).pvalue
    progress = found(CLOSE, BEST, FAR)
    assert ties(progress) == {"0"}
    assert explanation(progress) == "≈ not significantly different from the best: Welch's t-test over 4 seeds, p ≥ 0.05"


@pytest.mark.parametrize("other", [[0.9, 0.9, 0.9], [0.8, 0.8, 0.8]])
def test_scores_without_any_spread(other, recwarn):
    assert ties(found([0.9, 0.9, 0.9], other)) == ({"1"} if other[0] == 0.9 else set())
    assert not recwarn.list


def test_without_repeats_nothing_is_told():
    progress = search(product(units=[1, 2]), events=[TrialEnded(str(i), "done", 0.9, 1, {"val_accuracy": [0.9]}) for i in (0, 1)])
    assert ties(progress) == frozenset()
    assert explanation(progress) == ""
    assert ties(found([0.9, 0.8])) == frozenset()
