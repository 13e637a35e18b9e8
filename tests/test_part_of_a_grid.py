"""A part of a grid: what is trained of it, what is said of the rest, and how it is widened."""

from __future__ import annotations

import pytest

from nbtune import UsageError, tune
from tests.conftest import dense


def build(layers, units):
    return dense(layers, units)


def search_of(flowers, here, **options):
    grid = {"layers": [1, 2], "units": [4, 16]}
    return tune(build, flowers, **grid, epochs=1, workers=0, dir=str(here), **options)


def test_a_part_is_trained_and_only_what_is_missing_when_it_is_widened(flowers, here):
    first = search_of(flowers, here, where="layers * units <= 16", sample=1)
    cover = first.coverage
    assert (cover.done, cover.excluded, cover.unsampled, cover.total) == (1, 1, 2, 4)
    assert str(cover) == "4 combinations: 1 done, 1 excluded, 2 not sampled"
    assert all(trial.values["layers"] * trial.values["units"] <= 16 for trial in first.trials)

    second = search_of(flowers, here, where="layers * units <= 16", sample=2)
    whole = search_of(flowers, here)
    assert (second.coverage.done, whole.coverage.done) == (2, 4)
    assert first.directory == second.directory == whole.directory
    for before, after in ((first, second), (second, whole)):
        lasted = {str(trial.values): trial.seconds for trial in after.trials}
        assert all(lasted[str(trial.values)] == trial.seconds for trial in before.trials), "it was not trained again"


def test_a_large_grid_asks_first(flowers, here):
    with pytest.raises(UsageError, match=r"2,000,000 combinations would take 2.3 days .* --sample 500 .* --sample all") as error:
        tune(build, flowers, layers="1:1000", units="1:1000", learning_rate=[1e-2, 1e-3], dir=str(here))
    assert error.value.about == "sample"
    assert not list(here.iterdir()), "nothing is left on disk"
    with pytest.raises(UsageError, match="6,000 combinations would take 10 min 00 s even at"):
        tune(build, flowers, layers="1:6", units="1:1000", dir=str(here))


def test_a_sample_of_a_large_grid_is_trained(flowers, here):
    search = tune(
        build, flowers, layers=[1, 2], units="1:1000", learning_rate="log:1e-4:1e-1:1000", sample=2, epochs=1, workers=0, dir=here
    )
    assert search.coverage.done == 2
    assert search.coverage.total == 2_000_000
    assert {trial.values["layers"] for trial in search.trials} == {1, 2}


def test_nothing_left_is_said(flowers, here):
    with pytest.raises(UsageError, match="of 4 combinations, none for which units > 99 holds"):
        search_of(flowers, here, where="units > 99")
