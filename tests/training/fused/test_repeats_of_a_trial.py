"""How runs that end in any order make a trial."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from nbtune.ask.objective import Objective
from nbtune.record.events import DIVERGED, DONE, TrialEnded
from nbtune.training.fused.repeats import Repeats


def runs(repeats, objective="val_accuracy"):
    terms = {"repeats": repeats, "folds": 1, "runs": repeats, "run_in_words": lambda number: f"the run with seed {7 + number}"}
    return Repeats(SimpleNamespace(**terms, objective=Objective.of(objective)))


def done(score):
    return TrialEnded("0", DONE, score, 1, {"val_accuracy": [score]}, seconds=1.0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_best_run_stands_for_the_trial_and_the_first_of_equal_ones(order):
    made, scores = runs(3), [0.5, 0.75, 0.75]
    for i in order:
        assert made.outcome() is None
        made.take(i, done(scores[i]), lambda i=i: i)
    ended, kept, _ = made.outcome()
    assert (ended.score, ended.scores, ended.seconds, kept) == (pytest.approx(2 / 3), scores, 3.0, 1)


def test_low_is_better_for_an_error():
    made = runs(2, "val_mean_absolute_error")
    made.take(1, done(0.2), lambda: "second")
    made.take(0, done(0.3), lambda: "first")
    assert made.outcome()[1] == "second"


def test_a_run_that_diverges_ends_the_trial_once_those_before_it_are_known():
    made = runs(3)
    made.take(1, TrialEnded("0", DIVERGED, error="NaN"), lambda: "bad")
    assert made.outcome() is None
    made.take(0, done(0.9), lambda: "good")
    ended, kept, _ = made.outcome()
    assert (ended.status, ended.error, kept) == (DIVERGED, "NaN, in the run with seed 8", None)
