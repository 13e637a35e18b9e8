"""Which combinations may be trained together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nbtune.ask.space import Architecture, Axis, Space
from nbtune.costs import MOST_TOGETHER, OPERATIONS_A_STACK, OPERATIONS_A_WEIGHT
from nbtune.run import grouping
from nbtune.run.grouping import Work, shared_out, stacks
from nbtune.training.fused.worth import pays


def test_stacks_differ_in_what_shapes_a_model():
    space = Space.product([Axis.of("units", [4, 8]), Axis.of("learning_rate", [0.1, 0.01]), Axis.of("loss", ["mse", "mae"])])
    assert stacks(space, "fused") == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert stacks(space, "trial") == [[i] for i in range(8)]


def test_architectures_that_were_found_decide_where_they_are_known():
    combinations = [{"units": 4, "flag": True}, {"units": 4, "flag": False}, {"units": 8, "flag": True}]
    space = Space.listed(combinations, [], [Architecture("a", 9), Architecture("a", 9), Architecture("b", 9)])
    assert stacks(space, "auto") == [[0, 1], [2]]


def test_widths_share_a_stack_unless_padding_takes_longer_than_compiling():
    sizes = [100, 1_000, 10_000]
    space = Space.listed([{"units": i} for i in range(3)], [], [Architecture("a", size) for size in sizes])
    rows = int(OPERATIONS_A_STACK / (OPERATIONS_A_WEIGHT * (sizes[2] - sizes[1])))
    assert stacks(space, "auto", Work(rows * 9 // 10, 1)) == [[0, 1, 2]]
    assert stacks(space, "auto", Work(rows * 11 // 10, 1)) == [[2], [0, 1]]
    assert stacks(space, "auto", Work(rows * 1000, 1)) == [[2], [1], [0]]


def grid(layers, units, rates):
    """A grid of networks of Dense layers, 64 → 10, that all can share a stack."""
    axes = [Axis.of("layers", layers), Axis.of("units", units), Axis.of("learning_rate", [1.01**-i for i in range(rates)])]
    product = Space.product(axes)
    size = lambda n, wide: 64 * wide + wide + (n - 1) * (wide * wide + wide) + wide * 10 + 10  # noqa: E731
    return replace(product, architectures=tuple(Architecture("a", size(v["layers"], v["units"]), v["layers"]) for v in product))


def test_layers_that_a_trial_skips_are_not_padded():
    space = grid([1, 4], [64], 2)
    sizes = [known.size for known in space.architectures]
    rows = int(OPERATIONS_A_STACK / (OPERATIONS_A_WEIGHT * (max(sizes) - min(sizes))))
    assert stacks(space, "auto", Work(10 * rows, 1)) == [[0, 1, 2, 3]]


def test_few_short_trials_do_not_pay_for_compiling():
    assert not pays(1, 300)
    assert not pays(2, 10)
    assert pays(2, 1000)
    assert pays(3, 100)
    assert pays(4, 1)
    assert not pays(4, 1, proofs=1), "a comparison with model.fit is a model.fit of its own"
    assert not pays(8, 1, proofs=5)
    assert all(pays(fits + 1, steps + 1) for fits in range(1, 6) for steps in range(0, 2000, 100) if pays(fits, steps))


def test_no_worker_is_idle():
    space, work = grid([1], [8], 5), Work(40_000, 1)
    assert shared_out([[0, 1, 2, 3], [], [4]], 3, space, work) == [[0, 2], [1, 3], [4]]
    assert shared_out([[0, 1, 2]], 2, space, work) == [[0, 1, 2]]
    assert shared_out([[], []], 2, space, work) == []
    assert shared_out([[0, 1, 2, 3]], 1, space, work) == [[0, 1, 2, 3]]


def test_the_wide_and_the_narrow_part_and_each_has_one_that_is_the_deepest_and_the_widest():
    space = grid([1, 2, 3], [16, 32, 64], 6)
    whole = list(range(len(space)))
    parts = shared_out([whole], 2, space, Work(43_110, 1))
    assert sorted(i for part in parts for i in part) == whole
    assert len(parts) == 2
    for part in parts:
        shapes = {(space.combinations[i]["layers"], space.combinations[i]["units"]) for i in part}
        assert (max(deep for deep, _ in shapes), max(wide for _, wide in shapes)) in shapes
        assert all(
            sum((space.combinations[i]["layers"], space.combinations[i]["units"]) == shape for i in part) == 6 for shape in shapes
        )
    widest = [max(space.combinations[i]["units"] for i in part) for part in parts]
    assert sorted(widest) == [32, 64]


def test_a_long_stack_is_halved_though_there_are_enough_if_all_is_done_sooner():
    space = grid([1, 2], [64, 128], 6)
    wide = [i for i in range(len(space)) if space.combinations[i]["units"] == 128]
    narrow = [i for i in range(len(space)) if space.combinations[i]["units"] == 64]
    assert len(shared_out([wide, narrow], 2, space, Work(800_000, 1))) == 4
    assert len(shared_out([wide, narrow], 2, space, Work(100, 1))) == 2


@pytest.mark.parametrize("units", [[8], [8, 64]])
def test_no_stack_is_so_long_that_the_first_result_is_far(units):
    space = grid([1], units, 1000)
    whole = list(range(len(space)))
    parts = shared_out([whole], 2, space, Work(1, 1))
    assert sorted(i for part in parts for i in part) == whole
    assert max(map(len, parts)) <= MOST_TOGETHER
    assert len(parts) <= len(whole) / MOST_TOGETHER + 1
    mixed = [part for part in parts if len({space.architectures[i].size for i in part}) > 1]
    assert len(mixed) <= 1, "the others need no padding"


def test_the_first_of_many_stacks_are_a_fair_sample_of_the_grid():
    space = Space.product([Axis.of("units", range(8, 24)), Axis.of("act", ["relu", "tanh"]), Axis.of("dropout", [0.1, 0.2, 0.3])])
    work = [[i] for i in range(len(space))]
    order = grouping.in_order(work, space, 2)
    assert sorted(order) == work
    for first in (order[:16], order[:48]):
        for axis in space.axes:
            times = [sum(space.combinations[i][axis.name] == value for [i] in first) for value in axis.values]
            assert max(times) - min(times) <= 2
    assert grouping.in_order(work[:8], space, 2) == work[:8], "few are trained the longest first"
