"""Which combinations may be trained together."""

from __future__ import annotations

from nbtune.engines.stacks import shared_out, stacks
from nbtune.space import Axis, Space


def test_stacks_differ_in_what_shapes_a_model():
    space = Space.product([Axis.of("units", [4, 8]), Axis.of("learning_rate", [0.1, 0.01]), Axis.of("loss", ["mse", "mae"])])
    assert stacks(space, "fused") == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert stacks(space, "trial") == [[i] for i in range(8)]


def test_architectures_that_were_found_decide_where_they_are_known():
    combinations = [{"units": 4, "flag": True}, {"units": 4, "flag": False}, {"units": 8, "flag": True}]
    space = Space.listed(combinations, [], ["a", "a", "b"])
    assert stacks(space, "auto") == [[0, 1], [2]]


def test_no_worker_is_idle():
    assert shared_out([[0, 1, 2, 3], [], [4]], 3) == [[0, 2], [1, 3], [4]]
    assert shared_out([[0, 1, 2]], 2) == [[0, 1, 2]]
    assert shared_out([[], []], 2) == []
