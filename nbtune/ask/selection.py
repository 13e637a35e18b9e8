"""Which combinations of a space are trained: what `--where` leaves, and of that the part that `--sample` takes.

Memory and time grow with the axes, with those that `--where` compares, and with what is taken; not with the whole grid.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nbtune.ask.sampling import LISTED, WINDOW, balanced, drawn, shuffled
from nbtune.ask.space import Axis, Grid, Space, Value
from nbtune.ask.where import Where
from nbtune.errors import UsageError

Objects = Mapping[str, Mapping[str, Any]]  # axis to name to thing, for values that stand for something else
COMPARED = 5_000_000  # combinations of the axes that `--where` speaks of; it looks at each of them


def select(space: Space, where: Where | None, sample: int | None, seed: int, objects: Objects) -> Space:
    """The part of a space that is to be trained, in grid order.

    Args:
        sample: how many combinations at most; None for all.
        seed: of the sample.

    Raises:
        UsageError: `where` speaks of something that is no axis, or has no value for a combination.
    """
    grid = space.combinations
    if isinstance(grid, Grid) and grid.size > sys.maxsize:
        raise UsageError(f"the grid has {grid.size:.0e} combinations, more than can be counted; give fewer values")
    if where is None and (sample is None or sample >= len(space)):
        return space
    if where:
        where.check(space.axes)
    candidates = _Product(grid, where, objects) if isinstance(grid, Grid) else _Listed(space, where, objects)
    if sample is None or sample >= candidates.allowed:
        numbers = candidates.numbers()
    else:
        numbers = sorted(itertools.islice(candidates.in_fair_order(seed), sample))
    return space.part(numbers, excluded=len(space) - candidates.allowed)


class _Product:
    """The combinations of a grid. Which of them are excluded is kept for the axes that `where` compares alone."""

    def __init__(self, grid: Grid, where: Where | None, objects: Objects) -> None:
        self._grid = grid
        self._sizes = [len(axis.values) for axis in grid.axes]
        # A combination's number is the sum of a part for each axis.
        parts = {axis.name: np.arange(len(axis.values)) * stride for axis, stride in zip(grid.axes, self._strides(), strict=True)}
        compared = _compared(grid, parts, where, objects) if where else None
        free = [part for name, part in parts.items() if not where or name not in where.names]
        self._parts = [*([compared] if compared is not None else []), *free]
        self.allowed = math.prod(len(part) for part in self._parts)

    def _strides(self) -> list[int]:
        return [math.prod(self._sizes[i + 1 :]) for i in range(len(self._sizes))]

    def numbers(self) -> list[int]:
        """Of what is not excluded, in grid order."""
        found = np.zeros(1, int)
        for part in self._parts:
            found = (found[:, None] + part).reshape(-1)
        return sorted(found.tolist())

    def in_fair_order(self, seed: int) -> Iterator[int]:
        few = self.allowed <= LISTED
        numbers = shuffled(self.numbers(), seed) if few else drawn([part.tolist() for part in self._parts], seed)
        return balanced(numbers, self._grid.places, self._sizes)


def _compared(grid: Grid, parts: Mapping[str, np.ndarray], where: Where, objects: Objects) -> np.ndarray:
    """What the axes that `where` compares add to the numbers of the combinations for which it holds."""
    axes = {axis.name: axis for axis in grid.axes}
    compared = [[_thing(axes[name], value, objects) for value in axes[name].values] for name in where.names]
    count = math.prod(map(len, compared))
    if count > COMPARED:
        names = ", ".join(where.names)
        raise UsageError(f"where: {names} have {count:,} combinations, and {COMPARED:,} can be compared; give fewer values")
    holds = np.fromiter(itertools.starmap(where.holds, itertools.product(*compared)), bool, count)
    found = np.zeros(1, int)
    for name in where.names:
        found = (found[:, None] + parts[name]).reshape(-1)
    return found[holds]


class _Listed:
    """Combinations that are a list already."""

    def __init__(self, space: Space, where: Where | None, objects: Objects) -> None:
        self._space = space
        axes = {axis.name: axis for axis in space.axes}

        def holds(values: Mapping[str, Value]) -> bool:
            if where is None or any(name not in values for name in where.names):
                return True  # a combination that lacks a hyperparameter has nothing to compare
            return where.holds(*(_thing(axes[name], values[name], objects) for name in where.names))

        self._numbers = [i for i, values in enumerate(space) if holds(values)]
        self.allowed = len(self._numbers)

    def numbers(self) -> list[int]:
        return self._numbers

    def in_fair_order(self, seed: int) -> Iterator[int]:
        return fair_order(self._space, shuffled(self._numbers, seed))


def fair_order(space: Space, numbers: Iterator[int], width: int = WINDOW) -> Iterator[int]:
    """These combinations of a space, so ordered that every first part is a fair sample; a closed scope counts as a value."""
    places = {axis.name: {value: i for i, value in enumerate(axis.values, 1)} for axis in space.axes}

    def levels(number: int) -> list[int]:
        values = space.combinations[number]
        return [place[values[name]] if name in values else 0 for name, place in places.items()]

    return balanced(numbers, levels, [len(place) + 1 for place in places.values()], width)


def _thing(axis: Axis, value: Value, objects: Objects) -> Any:
    """None or a number in place of the name that it stands by; a function keeps its name."""
    thing = objects.get(axis.name, {}).get(str(value), value)
    return thing if thing is None or isinstance(thing, (bool, int, float)) else value
