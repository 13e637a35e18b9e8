"""The size and the cost of a search, before it runs."""

from __future__ import annotations

import pytest

from nbtune.ask.space import Axis, Space
from nbtune.run.plan import Cost, Measured, Plan, Stack

SPACE = Space.product([Axis.of("layers", [1, 2, 3]), Axis.of("units", [16, 32, 64]), Axis.of("learning_rate", [0.1, 0.01])])
ALONE, TOGETHER = Cost(setup=2.0, epoch=0.1, worker_mb=300), Cost(setup=4.0, epoch=0.01, worker_mb=400)
MEASURED = Measured(ALONE, TOGETHER, shared_mb=500)


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


def test_one_stack_is_one_stack():
    assert "in 1 stack\n" in str(Plan.of(SPACE, 1, 1, stacks=[Stack(18)]))
    assert "in 2 stacks\n" in str(Plan.of(SPACE, 1, 1, stacks=[Stack(9)] * 2))


def test_what_was_not_measured_is_not_claimed():
    plan = Plan.of(SPACE, 30, 2)
    assert (plan.measured, plan.seconds, plan.peak_mb) == (False, None, None)
    assert "MB" not in str(plan)
    assert "time" not in str(plan)


@pytest.mark.parametrize(("workers", "seconds", "peak"), [(1, 90.0, 800), (2, 45.0, 1100), (0, 90.0, 800)])
def test_the_cost_of_trials_on_their_own_is_that_of_one_times_all_over_the_workers(workers, seconds, peak):
    plan = Plan.of(SPACE, 30, workers, MEASURED)
    assert plan.measured
    assert plan.seconds == pytest.approx(seconds)
    assert plan.peak_mb == pytest.approx(peak)


SIX = 4.0 + 30 * 6 * 0.01  # seconds for a stack of six trials


@pytest.mark.parametrize(
    ("workers", "stacks", "seconds"),
    [
        (1, [Stack(6)] * 3, 3 * SIX),
        (2, [Stack(6)] * 3, 2 * SIX),  # the third one when the first is done
        (4, [Stack(6)] * 3, SIX),
        (1, [Stack(6), Stack(6, "too odd"), *[Stack(1)] * 6], SIX + 12 * 5.0),
        (2, [Stack(12), Stack(6, "too odd")], 4 * 5.0),  # four of the six while the other worker has the stack and two
    ],
)
def test_the_cost_of_stacks_is_that_until_the_last_worker_is_done(workers, stacks, seconds):
    plan = Plan.of(SPACE, 30, workers, MEASURED, stacks)
    assert plan.seconds == pytest.approx(seconds)
    assert plan.seconds_alone == pytest.approx(90 / workers, rel=0.15)
    assert plan.peak_mb == 500 + 400 * workers


def test_what_each_trial_of_a_stack_costs_grows_with_the_stack_and_not_with_the_repeats():
    measured = Measured(ALONE, Cost(setup=4.0, epoch=0.01, worker_mb=400, trial=0.1), shared_mb=500)
    plan = Plan.of(SPACE, 30, 1, measured, [Stack(18)], runs=5)
    assert plan.seconds == pytest.approx(4.0 + 18 * (0.1 + 5 * 30 * 0.01))


def test_repeats_are_compiled_once_and_trained_each():
    plan = Plan.of(SPACE, 30, 1, MEASURED, [Stack(6)] * 3, runs=5)
    assert plan.epochs == 30 * 18 * 5
    assert plan.seconds == pytest.approx(3 * (4.0 + 5 * 30 * 6 * 0.01))
    assert plan.seconds_alone == pytest.approx(5 * 90)


def test_what_comes_before_the_first_trial_is_in_it():
    assert Plan.of(SPACE, 30, 2, Measured(ALONE, None, 500, before=7.0)).seconds == pytest.approx(52)


def test_where_no_stack_could_be_trained_each_trial_is_on_its_own():
    plan = Plan.of(SPACE, 30, 1, Measured(ALONE, None, 500), [Stack(6, "too odd")] * 3)
    assert plan.seconds == plan.seconds_alone == pytest.approx(90)
    assert plan.peak_mb == 800
    assert plan.alone == {"too odd": 3}
    assert "3 of the stacks: too odd" in str(plan)
    assert "trial by trial" not in str(plan)


def test_the_plan_as_text_says_all_of_it():
    text = str(Plan.of(SPACE, 30, 2, MEASURED))
    assert all(part in text for part in ("= 18", "540", "2", "45 s", "1,100 MB"))
    stacked = str(Plan.of(SPACE, 30, 2, MEASURED, [Stack(6)] * 3))
    assert all(part in stacked for part in ("3 stacks", "12 s", "45 s", "1,300 MB"))
    assert "in this process" in str(Plan.of(SPACE, 30, 0))


def test_the_table_is_escaped():
    space = Space.listed([{"<b>": 1}], [])
    markup = Plan.of(space, 1, 1)._repr_html_()
    assert "<b>" not in markup
    assert "&lt;b&gt;" in markup


@pytest.mark.parametrize(
    ("minutes", "says"), [(1, "1 min 00 s, which will do"), (0.3, "18 s, when at least 40 % of the training will be done")]
)
def test_the_plan_says_whether_the_time_will_do(minutes, says):
    assert says in str(Plan.of(SPACE, 30, 2, MEASURED, minutes=minutes)), "45 s are needed"


def test_a_plan_that_was_not_measured_only_names_the_time():
    assert "stopped after" in (text := str(Plan.of(SPACE, 30, 2, minutes=20)))
    assert text.endswith("20 min 00 s")
