"""How many batches a stack trains between two signs of life."""

from __future__ import annotations

import pytest

from nbtune.training.fused.chunking import SECONDS, Chunking


def parts(count, seconds_a_batch, compiling=3.0, epochs=2):
    """The sizes of the parts of some epochs, each batch taking so long."""
    chunking, found = Chunking(), []
    for _ in range(epochs):
        left = count
        found.append([])
        while left:
            ahead = chunking.batches(left)
            chunking.took(ahead, compiling + ahead * seconds_a_batch)
            compiling, left = 0.0, left - ahead
            found[-1].append(ahead)
    return found


def test_short_epochs_are_one_part_once_that_is_known():
    assert parts(30, 0.001) == [[1, 1, 28], [30]]


def test_compiling_is_not_taken_for_training():
    assert parts(30, 0.001, compiling=600.0) == [[1, 1, 28], [30]]


@pytest.mark.parametrize("seconds", [0.004, 0.06, 0.3, 2.0])
def test_no_part_of_a_long_epoch_takes_longer_than_half_a_second_or_one_batch(seconds):
    first, second = parts(700, seconds)
    assert sum(first) == sum(second) == 700
    assert max(first + second) <= max(SECONDS / seconds, 1)
    assert max(second) - min(second) <= max(second) // 2 + 1


def test_an_epoch_of_one_batch():
    assert parts(1, 5.0, epochs=3) == [[1], [1], [1]]
