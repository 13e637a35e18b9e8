"""What is said when a search is over."""

from __future__ import annotations

import pytest

from nbtune.record.events import DONE, StateChanged, TrialEnded
from nbtune.record.heldout import HeldOut
from nbtune.views.findings import Edge, advice_of, edges

from .conftest import product, search

OVER = StateChanged("finished", 2000.0)


def over(scores, rows=360, **axes):
    """A search that is over, with these scores in grid order; each trial has a curve of its own."""
    grid = product(**axes)
    ends = [
        TrialEnded(f"{i:0{len(str(len(grid)))}d}", DONE, score, 1, {"loss": [1.0 - score], "val_accuracy": [score]})
        for i, score in enumerate(scores)
    ]
    progress = search(grid, events=[*ends, OVER])
    progress.held_out = HeldOut(rows)
    return progress


def test_ranks_that_noise_explains():
    progress = over([354 / 360, 353 / 360, 353 / 360, 300 / 360], units=[32, 64, 16, 8])
    (said,) = advice_of(progress)
    assert said.startswith("Ranks 1 to 3 differ by 1 of 360 rows, no more than chance (± 2.4 rows); try --repeats 5")
    assert not advice_of(over([0.9, 0.5, 0.8, 0.4], units=[32, 64, 16, 8]))


def test_nothing_is_said_while_it_runs():
    progress = over([0.9, 0.9], units=[8, 16])
    progress.advice = ("from before",)
    progress.apply(StateChanged("running", 2001.0))
    assert advice_of(progress) == ["from before"]


@pytest.mark.parametrize(
    ("values", "best", "beyond"),
    [
        ([16, 32, 64], 2, 128),
        ([16, 32, 64], 0, 8),
        ([1, 2, 3], 2, 4),
        ([1, 2, 3], 0, None),
        ([1e-4, 1e-3, 1e-2], 2, 0.1),
        ([1e-4, 1e-3, 1e-2], 0, 1e-5),
        ([0.0, 0.2, 0.4], 2, 0.6),
        ([0.0, 0.4, 0.8], 2, None),
        ([0.0, 0.2, 0.4], 0, None),
        ([10, 20, 30], 2, 40),
        ([8, 16], 1, 32),
        ([1, 2], 1, 3),
        ([16, 32, 64], 1, None),
        (["relu", "tanh"], 1, None),
        ([False, True], 1, None),
        ([7], 0, None),
    ],
)
def test_the_best_value_at_the_edge_of_its_axis(values, best, beyond):
    scores = [0.9 if i == best else 0.5 + 0.01 * i for i in range(len(values))]
    found = edges(over(scores, size=values))
    assert found == ([] if beyond is None else [Edge("size", values[best], beyond)])


def test_a_value_that_only_draws_with_its_neighbour_is_no_edge():
    assert not edges(over([0.5, 0.9, 0.9], units=[8, 16, 32]))


def test_an_axis_without_effect():
    grid = product(units=[8, 16], learning_rate=[0.1, 0.01])
    histories = [[0.9, 0.5], [0.9, 0.7], [0.9, 0.500001], [0.9, 0.7]]
    ends = [TrialEnded(str(i), DONE, 0.5, 1, {"loss": losses}) for i, losses in enumerate(histories)]
    said = advice_of(search(grid, events=[*ends, OVER]))
    assert [line for line in said if "makes no difference" in line] == [
        "units makes no difference: each of its values trains the same network. Does the function use it?"
    ]
