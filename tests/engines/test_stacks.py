"""Which combinations may be trained together."""

from __future__ import annotations

from nbtune.engines.stacks import OPERATIONS_A_STACK, OPERATIONS_A_WEIGHT, pays, shared_out, stacks
from nbtune.space import Architecture, Axis, Space


def test_stacks_differ_in_what_shapes_a_model():
    space = Space.product([Axis.of("units", [4, 8]), Axis.of("learning_rate", [0.1, 0.01]), Axis.of("loss", ["mse", "mae"])])
    assert stacks(space, "fused") == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert stacks(space, "trial") == [[i] for i in range(8)]


def test_architectures_that_were_found_decide_where_they_are_known():
    combinations = [{"units": 4, "flag": True}, {"units": 4, "flag": False}, {"units": 8, "flag": True}]
    space = Space.listed(combinations, [], [Architecture("a", 9), Architecture("a", 9), Architecture("b", 9)])
    assert stacks(space, "auto") == [[0, 1], [2]]


def test_widths_share_a_stack_unless_filling_up_takes_longer_than_compiling():
    sizes = [100, 1_000, 10_000]
    space = Space.listed([{"units": i} for i in range(3)], [], [Architecture("a", size) for size in sizes])
    operations = OPERATIONS_A_WEIGHT * (sizes[2] - sizes[1])
    assert stacks(space, "auto", OPERATIONS_A_STACK / operations * 0.9) == [[0, 1, 2]]
    assert stacks(space, "auto", OPERATIONS_A_STACK / operations * 1.05) == [[2], [0, 1]]
    assert stacks(space, "auto", OPERATIONS_A_STACK) == [[2], [1], [0]]


def test_few_short_trials_do_not_pay_for_compiling():
    assert not pays(1, 300)
    assert not pays(2, 10)
    assert pays(2, 1000)
    assert pays(3, 100)
    assert pays(4, 1)
    assert all(pays(fits + 1, steps + 1) for fits in range(1, 6) for steps in range(0, 2000, 100) if pays(fits, steps))


def test_no_worker_is_idle():
    assert shared_out([[0, 1, 2, 3], [], [4]], 3) == [[0, 2], [1, 3], [4]]
    assert shared_out([[0, 1, 2]], 2) == [[0, 1, 2]]
    assert shared_out([[], []], 2) == []
