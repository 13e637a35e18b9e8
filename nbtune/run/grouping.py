"""Which trials are handed to a worker together. Keras is not needed here; the worker looks closer (`training.fused.spec`)."""

from __future__ import annotations

import heapq
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nbtune.ask.options import APPLIED_OUTSIDE, SAME_ARCHITECTURE
from nbtune.ask.sampling import shuffled
from nbtune.ask.selection import fair_order
from nbtune.ask.space import Architecture, Space, Value
from nbtune.ask.strategy import TRIAL
from nbtune.costs import (
    MOST_TOGETHER,
    OPERATIONS_A_MODEL,
    OPERATIONS_A_STACK,
    OPERATIONS_A_TRIAL,
    OPERATIONS_A_WEIGHT,
    OTHER_WEIGHTS,
)
from nbtune.record.pace import Pace
from nbtune.record.progress import Unit

_TRAINING_STEP = frozenset(APPLIED_OUTSIDE) - set(SAME_ARCHITECTURE)  # these change it, and not the model
_SMALLEST_TO_HALVE = 3  # a stack is compiled, whatever its size
_MOST_BY_LENGTH = 4  # stacks a worker: with more of them, the last one to end hardly counts
_MOST_A_WORKER = 2  # stacks that come of halving
_WORTH_SPLITTING = 1.15  # so much sooner two stacks have to be done for trials of one model to be in both, where it is made twice


class Work(NamedTuple):
    """What each trial is trained for: in so many `runs`, through so many `rows` at most over all of them."""

    rows: int
    runs: int


UNKNOWN = Work(0, 1)


def stacks(space: Space, engine: str, work: Work = UNKNOWN) -> list[list[int]]:
    """The numbers of the combinations that may share a stack; a list of one is a trial on its own.

    They go by the architectures that were found when models were built, and where there are none by the values.
    """
    if engine == TRIAL:
        return [[i] for i in range(len(space))]
    known = space.architectures or [None] * len(space)
    groups: dict[str, list[int]] = {}
    for i, (values, architecture) in enumerate(zip(space, known, strict=True)):
        key = [architecture and architecture.name, _shape(values, architecture)]
        groups.setdefault(json.dumps(key, sort_keys=True), []).append(i)
    costs = _Costs(space, work)
    parts = [part for group in groups.values() for part in _of_like_sizes(group, costs)]
    return sorted(parts, key=costs.stack, reverse=True)  # the longest first, so that all end together


class _Costs:
    """What stacks cost, in floating-point operations."""

    def __init__(self, space: Space, work: Work) -> None:
        self._known = space.architectures or [None] * len(space)
        self._a_model = OPERATIONS_A_MODEL * work.runs
        self._a_weight = OPERATIONS_A_WEIGHT * work.rows

    def size(self, i: int) -> int:
        return known.size if (known := self._known[i]) else 0

    def depth(self, i: int) -> int:
        return known.depth if (known := self._known[i]) else 0

    def alike(self, part: Sequence[int]) -> bool:
        return len({(self.size(i), self.depth(i)) for i in part}) == 1

    def padding(self, own: Sequence[int], part: Sequence[int]) -> float:
        """Trials of one size, which are not wider than those of their depth in a part, to the widest of these."""
        size, depth = self.size(own[0]), self.depth(own[0])
        widest = max((self.size(i) for i in part if self.depth(i) == depth), default=size)
        return self._a_weight * len(own) * (widest - size)

    def stack(self, part: Sequence[int]) -> float:
        return self.first(part)[-1]

    def by_width(self, part: Sequence[int]) -> list[int]:
        """The widest of each depth first, then the next ones.

        The shallow ones of a width come first, so wherever this is cut, in both parts the deepest are the widest as well, and
        one of them can be the template of the others.
        """
        sizes: dict[int, set[int]] = {}
        for i in part:
            sizes.setdefault(self.depth(i), set()).add(self.size(i))
        place = {(depth, size): n for depth, own in sizes.items() for n, size in enumerate(sorted(own, reverse=True))}
        return sorted(part, key=lambda i: (place[self.depth(i), self.size(i)], self.depth(i), i))

    def unit(self, part: Sequence[int]) -> tuple[float, float]:
        """What a stack costs before its epochs, and in all of them."""
        models = len({(self.depth(i), self.size(i)) for i in part})
        fixed = OPERATIONS_A_STACK + len(part) * OPERATIONS_A_TRIAL + models * self._a_model
        return fixed, self.stack(part) - fixed

    def first(self, order: Sequence[int]) -> list[float]:
        """The cost of each stack that the first of these trials make, all padded to the widest of their depth."""
        counts: Counter[int] = Counter()
        widest: dict[int, int] = {}
        models = set()
        found = []
        for trials, i in enumerate(order, 1):
            depth = self.depth(i)
            counts[depth] += 1
            widest[depth] = max(widest.get(depth, 0), self.size(i))
            models.add((depth, self.size(i)))
            weights = sum(count * (OTHER_WEIGHTS + widest[depth]) for depth, count in counts.items())
            fixed = OPERATIONS_A_STACK + trials * OPERATIONS_A_TRIAL + len(models) * self._a_model
            found.append(fixed + weights * self._a_weight)
        return found


def _of_like_sizes(group: list[int], costs: _Costs) -> list[list[int]]:
    """Apart what is so much narrower than the widest that padding it would take longer than compiling it separately."""
    parts: list[list[int]] = []
    for size in sorted({costs.size(i) for i in group}, reverse=True):
        own = [i for i in group if costs.size(i) == size]
        part = next((part for part in parts if costs.padding(own, part) <= OPERATIONS_A_STACK), None)
        if part:
            part += own
        else:
            parts.append(own)
    return [sorted(part) for part in parts]


def _shape(values: Mapping[str, Value], architecture: Architecture | None) -> dict[str, Value]:
    """The values that say which architecture it is, as far as that is not known yet."""
    if architecture is not None:
        return {name: value for name, value in values.items() if name in _TRAINING_STEP}
    return {name: value for name, value in values.items() if name not in SAME_ARCHITECTURE}


def shared_out(groups: Sequence[Sequence[int]], workers: int, space: Space, work: Work) -> list[list[int]]:
    """The stacks, the longest first, some of them halved if all are done sooner that way."""
    costs = _Costs(space, work)
    found = [part for group in groups if group for part in _not_too_long(group, costs)]
    ways = [found]
    while found and len(found) < _MOST_A_WORKER * workers:
        longest = max(found, key=lambda part: (len(part) > _SMALLEST_TO_HALVE, not costs.alike(part), costs.stack(part)))
        if len(longest) <= _SMALLEST_TO_HALVE:
            break
        found = [part for part in found if part is not longest] + _halves(longest, costs)
        ways.append(found)
    best = min(ways, key=lambda way: _end(list(map(costs.stack, way)), workers))
    return sorted(best, key=costs.stack, reverse=True)


def units(stacks: Sequence[Sequence[int]], ids: Sequence[str], space: Space, work: Work, pace: Pace) -> tuple[Unit, ...]:
    """The trials of these stacks, whose `ids` are in grid order, with the seconds that they are expected to take."""
    costs, known = _Costs(space, work), space.architectures or [None] * len(space)

    def unit(stack: Sequence[int]) -> Unit:
        kind = first.name if (first := known[stack[0]]) else ""
        setup, epochs = (pace.seconds(operations, kind) for operations in costs.unit(stack))
        return Unit(tuple(ids[i] for i in stack), setup, epochs, kind, pace.is_known)

    return tuple(map(unit, stacks))


def in_order(stacks: Sequence[list[int]], space: Space, workers: int) -> Sequence[list[int]]:
    """Stacks as they are to be trained: few of them the longest first, many so that any first part is a fair sample of the grid.

    A search that is stopped early then says something of all values of all axes.
    """
    if len(stacks) <= _MOST_BY_LENGTH * max(workers, 1):
        return stacks
    by_middle = {stack[len(stack) // 2]: stack for stack in stacks}
    return [by_middle[number] for number in fair_order(space, shuffled(list(by_middle), seed=0), width=256)]


def _not_too_long(group: Sequence[int], costs: _Costs) -> list[list[int]]:
    """In parts of which none has so many trials that it is long until the first result: the wide ones, and the narrow ones."""
    count = math.ceil(len(group) / MOST_TOGETHER)
    if count == 1 or costs.alike(group):
        return [list(group[i::count]) for i in range(count)]
    order, size = costs.by_width(group), math.ceil(len(group) / count)
    return [sorted(order[i : i + size]) for i in range(0, len(order), size)]


def _halves(part: Sequence[int], costs: _Costs) -> list[list[int]]:
    """The wide ones and the narrow ones, that need less padding; every other one if all are alike."""
    if costs.alike(part):
        return [list(part[0::2]), list(part[1::2])]
    order = costs.by_width(part)
    wide, narrow = costs.first(order), costs.first(order[::-1])[::-1]

    def longer(at: int) -> float:
        splits_alike = costs.size(order[at - 1]) == costs.size(order[at])
        return max(wide[at - 1], narrow[at]) * (_WORTH_SPLITTING if splits_alike else 1)

    at = min(range(1, len(order)), key=longer)
    return [sorted(order[:at]), sorted(order[at:])]


def _end(costs: Sequence[float], workers: int) -> float:
    """When the last of the workers is done, each of which takes the longest stack that is left."""
    ends = [0.0] * max(workers, 1)
    for cost in sorted(costs, reverse=True):
        heapq.heapreplace(ends, ends[0] + cost)
    return max(ends)
