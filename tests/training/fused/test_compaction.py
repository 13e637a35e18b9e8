"""When a stack is compiled again for fewer trials."""

from __future__ import annotations

from nbtune.training.fused.compaction import Compaction


def asked(*epochs):
    compaction = Compaction()
    return [compaction.due(*epoch) for epoch in epochs]


def test_not_before_the_stopped_have_cost_what_compiling_took():
    assert asked((3.0, 4, 4), (1.0, 4, 4), (2.0, 2, 4), (2.0, 2, 4), (2.0, 1, 4)) == [False, False, False, False, True]


def test_not_for_nothing():
    assert asked((3.0, 4, 4), *[(9.0, 4, 4)] * 5) == [False] * 6
    assert asked((3.0, 4, 4), (9.0, 0, 4)) == [False, False]


def test_the_next_one_counts_anew():
    assert asked((1.0, 4, 4), (2.0, 2, 4), (1.0, 2, 2), (1.0, 1, 2), (1.0, 1, 2)) == [False, True, False, False, True]
