"""A part of a grid: what is trained of it, what is said of the rest, and how it is widened."""

from __future__ import annotations

import time

import pytest

from nbtune import UsageError, tune
from tests.conftest import dense


def build(layers, units):
    return dense(layers, units)


def search_of(flowers, here, **options):
    grid = {"layers": [1, 2], "units": [4, 8, 16], "learning_rate": [0.1, 0.01]}
    return tune(build, flowers, **grid, epochs=1, workers=0, dir=str(here), **options)


def test_a_part_is_trained_and_the_counts_add_up_to_the_grid(flowers, here):
    search = search_of(flowers, here, where="layers * units <= 16", sample=4)
    cover = search.coverage
    assert (cover.done, cover.excluded, cover.unsampled, cover.total) == (4, 2, 6, 12)
    assert str(cover) == "12 combinations: 4 done, 2 excluded, 6 not sampled"
    assert all(trial.values["layers"] * trial.values["units"] <= 16 for trial in search.trials)


def test_only_what_is_missing_is_trained_when_it_is_widened(flowers, here):
    first = {str(trial.values): trial for trial in search_of(flowers, here, where="units < 16", sample=3).trials}
    second = search_of(flowers, here, where="units < 16", sample=6)
    assert second.coverage.done == 6
    both = {str(trial.values): trial for trial in second.trials}
    assert set(first) <= set(both)
    assert all(both[values].seconds == trial.seconds for values, trial in first.items()), "it was not trained again"
    third = search_of(flowers, here)
    assert third.coverage.done == 12
    all_of_it = {str(trial.values): trial for trial in third.trials}
    assert all(all_of_it[values].seconds == trial.seconds for values, trial in both.items())
    assert third.directory == second.directory


def test_a_large_grid_asks_first_and_at_once(flowers, here):
    began = time.perf_counter()
    with pytest.raises(UsageError, match=r"2,000,000 combinations would take 2.3 days .* --sample 500 .* --sample all") as error:
        tune(build, flowers, layers="1:1000", units="1:1000", learning_rate=[1e-2, 1e-3], dir=str(here))
    assert time.perf_counter() - began < 2
    assert error.value.about == "sample"
    assert not list(here.iterdir()), "nothing is left on disk"


def test_a_sample_of_a_large_grid_is_trained(flowers, here):
    search = tune(
        build, flowers, layers=[1, 2], units="1:1000", learning_rate="log:1e-4:1e-1:1000", sample=3, epochs=1, workers=0, dir=here
    )
    assert search.coverage.done == 3
    assert search.coverage.total == 2_000_000
    assert {trial.values["layers"] for trial in search.trials} == {1, 2}


def test_nothing_left_is_said(flowers, here):
    with pytest.raises(UsageError, match="of 12 combinations, none for which units > 99 holds"):
        search_of(flowers, here, where="units > 99")
