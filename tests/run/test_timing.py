"""What is trained and what is looked at for an estimate: enough to tell, and never more of it for a larger grid."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from nbtune import tune
from nbtune.ask.space import Architecture, Axis, Space
from nbtune.run.timing import MOST_STACKS, MOST_TRIALS, sample
from nbtune.training.fused import fit
from tests.conftest import dense


def of_widths(widths, rates):
    """A grid in which the widths vary fastest, all of one architecture."""
    space = Space.product([Axis.of("rate", [i / 1e6 for i in range(1, rates + 1)]), Axis.of("units", widths)])
    return replace(space, architectures=tuple(Architecture("dense", 10 * values["units"]) for values in space))


@pytest.mark.parametrize("rates", [1, 8, 9, 100, 5000])
def test_a_sample_is_bounded_and_begins_with_the_widest(rates):
    space = of_widths([2, 16, 4, 8], rates)
    found = sample(space, range(len(space)))
    assert len(found) == len(set(found)) == min(len(space), MOST_TRIALS)
    assert space.combinations[found[0]]["units"] == 16
    assert found[1:] == sorted(found[1:])


def test_a_sample_is_of_the_stack_alone():
    space = of_widths([1, 2, 3, 100], 500)
    narrow = [i for i in range(len(space)) if space.combinations[i]["units"] < 100]
    assert set(sample(space, narrow)) <= set(narrow)
    assert space.combinations[sample(space, narrow)[0]]["units"] == 3


def test_a_sample_reaches_everywhere_and_keeps_to_no_step():
    space = of_widths(list(range(1, 11)), MOST_TRIALS - 1)  # at equal steps all would be of one width
    found = sample(space, range(len(space)))[1:]
    assert max(b - a for a, b in itertools.pairwise(found)) <= 20
    assert len({space.combinations[i]["units"] for i in found}) > 5


def test_a_sample_needs_no_architectures():
    space = Space.product([Axis.of("rate", [i / 1e6 for i in range(1, 1001)])])
    assert len(sample(space, range(len(space)))) == MOST_TRIALS
    assert sample(space, [4, 5, 6]) == [4, 5, 6]


def half_eager(units):
    model = dense(units=units)
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=units > 40)
    return model


def test_of_very_many_stacks_some_are_looked_at_and_stand_for_those_next_to_them(flowers, here, monkeypatch):
    looked_at = []
    reasons = fit.reasons
    monkeypatch.setattr(fit, "reasons", lambda job, firsts, sizes: looked_at.append(firsts) or reasons(job, firsts, sizes))
    rates = [0.1, 0.03, 0.01, 0.003]
    options = {"units": list(range(1, 81)), "learning_rate": rates, "plan": True, "workers": 0, "dir": str(here)}
    plan = tune(half_eager, flowers, epochs=200, **options).plan
    assert (plan.trials, plan.stacks) == (320, 80)
    assert [len(firsts) for firsts in looked_at] == [MOST_STACKS]
    assert plan.alone == {"run_eagerly": 40}
    assert plan.seconds < plan.seconds_alone
