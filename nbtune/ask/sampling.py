"""An order of combinations of which every first part is a fair sample: each value of each axis in it about equally often."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np

WINDOW = 4096  # combinations that are compared for the next place
LISTED = 100_000  # combinations that are shuffled as a list; of more some are drawn
_MISSES = 10_000  # draws in a row without a new combination


def shuffled(numbers: Sequence[int], seed: int) -> Iterator[int]:
    """These numbers at random."""
    found = list(numbers)
    random.Random(seed).shuffle(found)
    return iter(found)


def drawn(parts: Sequence[Sequence[int]], seed: int) -> Iterator[int]:
    """Sums of one number out of each part, at random, each once: the numbers of the combinations of a large grid.

    One Latin hypercube after the other: each part goes through all of its numbers before one comes again. It ends where
    nearly all sums have come.
    """
    draw = random.Random(seed)
    cycles = [_cycle(part, draw) for part in parts]
    seen: set[int] = set()
    misses = 0
    while misses < _MISSES:
        number = sum(map(next, cycles))
        if number in seen:
            misses += 1
            continue
        misses = 0
        seen.add(number)
        yield number


def _cycle(numbers: Sequence[int], draw: random.Random) -> Iterator[int]:
    found = list(numbers)
    while True:
        draw.shuffle(found)
        yield from found


def balanced(
    numbers: Iterator[int], levels: Callable[[int], Sequence[int]], sizes: Sequence[int], width: int = WINDOW
) -> Iterator[int]:
    """The numbers, so ordered that every first part is fair: next comes the one whose values have come least often so far.

    What comes first does not depend on how many are taken, so a larger sample holds a smaller one.

    Args:
        numbers: of combinations, at random.
        levels: the place of each axis's value in a combination.
        sizes: how many values each axis has.
        width: how many are compared for the next place.
    """
    offsets = np.cumsum([0, *sizes])[:-1]
    weights = np.asarray(sizes, float)  # a value of an axis with many of them is due less often
    window = list(itertools.islice(numbers, width))
    places = np.array([levels(number) for number in window], int).reshape(len(window), len(sizes)) + offsets
    counts = np.zeros(sum(sizes))
    while window:
        best = int((counts[places] * weights).sum(axis=1).argmin())
        yield window[best]
        counts[places[best]] += 1
        if (new := next(numbers, None)) is not None:
            window[best], places[best] = new, np.asarray(levels(new), int) + offsets
        else:
            del window[best]
            places = np.delete(places, best, axis=0)
