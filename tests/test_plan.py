"""The size and the cost of a search, before it runs."""

from __future__ import annotations

import pytest

from nbtune.plan import Measured, Plan
from nbtune.space import Axis, Space

SPACE = Space.product([Axis.of("layers", [1, 2, 3]), Axis.of("units", [16, 32, 64]), Axis.of("learning_rate", [0.1, 0.01])])
MEASURED = Measured(setup=2.0, epoch=0.1, shared_mb=500, worker_mb=300)


def test_the_size_is_that_of_the_grid():
    plan = Plan.of(SPACE, epochs=30, workers=2)
    assert (plan.trials, plan.epochs, plan.workers) == (18, 540, 2)
    assert plan.axes == {"layers": 3, "units": 3, "learning_rate": 2}
    assert plan.arithmetic == "layers 3 × units 3 × learning_rate 2 = 18"


def test_a_space_with_closed_scopes_does_not_pretend_to_multiply():
    space = Space.listed([{"a": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 2}], [])
    assert Plan.of(space, 1, 1).arithmetic == "a 2 × b 2 → 3"


def test_without_axes_there_is_one_trial():
    plan = Plan.of(Space.product([]), 5, 1)
    assert (plan.trials, plan.epochs) == (1, 5)
    assert plan.arithmetic == "no axes = 1"


def test_what_was_not_measured_is_not_claimed():
    plan = Plan.of(SPACE, 30, 2)
    assert (plan.measured, plan.seconds, plan.peak_mb) == (False, None, None)
    assert "MB" not in str(plan)
    assert "time" not in str(plan)


@pytest.mark.parametrize(("workers", "seconds", "peak"), [(1, 90.0, 800), (2, 45.0, 1100), (0, 90.0, 800)])
def test_the_cost_is_that_of_one_trial_times_all_over_the_workers(workers, seconds, peak):
    plan = Plan.of(SPACE, 30, workers, MEASURED)
    assert plan.measured
    assert plan.seconds == pytest.approx(seconds)
    assert plan.peak_mb == pytest.approx(peak)


def test_the_plan_as_text_says_all_of_it():
    text = str(Plan.of(SPACE, 30, 2, MEASURED))
    assert all(part in text for part in ("= 18", "540", "2", "45 s", "1,100 MB"))
    assert "in this process" in str(Plan.of(SPACE, 30, 0))


def test_the_table_is_escaped():
    space = Space.listed([{"<b>": 1}], [])
    markup = Plan.of(space, 1, 1)._repr_html_()
    assert "<b>" not in markup
    assert "&lt;b&gt;" in markup
