"""Which trials are handed to a worker together. Keras is not needed here; the worker looks closer (`recipes`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from nbtune.space import Architecture, Space, Value

AUTO, FUSED, TRIAL = "auto", "fused", "trial"
ENGINES = (AUTO, FUSED, TRIAL)
SAME_ARCHITECTURE = ("learning_rate", "loss", "init")  # these leave the shape of a model as it is
OPERATIONS_A_WEIGHT = 6  # floating-point ones, for each row: forwards, and backwards to the input and to the weight
OPERATIONS_A_STACK = 2e10  # in the time in which one more stack is traced and compiled, 2 s on a core
SETUPS_OF_A_STACK, STEPS_OF_A_SETUP = 3.5, 500  # see `pays`
_SMALLEST_TO_HALVE = 3  # a stack is compiled, whatever its size
_T = TypeVar("_T")


def stacks(space: Space, engine: str, work: float = 0.0) -> list[list[int]]:
    """The numbers of the combinations that may share a stack; a list of one is a trial on its own.

    They go by the architectures that were found when models were built, and where there are none by the values.

    Args:
        work: rows that each trial goes through at most, times epochs.
    """
    if engine == TRIAL:
        return [[i] for i in range(len(space))]
    known = space.architectures or [None] * len(space)
    groups: dict[str, list[int]] = {}
    for i, (values, architecture) in enumerate(zip(space, known, strict=True)):
        key = [architecture and architecture.name, _shape(values, architecture)]
        groups.setdefault(json.dumps(key, sort_keys=True), []).append(i)
    sizes = [architecture.size if architecture else 0 for architecture in known]
    parts = [part for group in groups.values() for part in _of_like_sizes(group, sizes, work)]
    return sorted(parts, key=lambda part: -len(part) * max(sizes[i] for i in part))  # the longest first, so that all end together


def _of_like_sizes(group: list[int], sizes: Sequence[int], work: float) -> list[list[int]]:
    """Apart what is so much narrower than the widest that filling it up would take longer than compiling it separately."""
    parts: list[list[int]] = []
    for size in sorted({sizes[i] for i in group}, reverse=True):
        own = [i for i in group if sizes[i] == size]
        if parts and OPERATIONS_A_WEIGHT * work * len(own) * (sizes[parts[-1][0]] - size) <= OPERATIONS_A_STACK:
            parts[-1] += own
        else:
            parts.append(own)
    return [sorted(part) for part in parts]


def _shape(values: Mapping[str, Value], architecture: Architecture | None) -> dict[str, Value]:
    """The values that say which architecture it is, as far as that is not known yet."""
    if architecture is not None:
        return {name: value for name, value in values.items() if name in ("optimizer", "batch_size")}
    return {name: value for name, value in values.items() if name not in SAME_ARCHITECTURE}


def pays(fits: int, steps: int) -> bool:
    """Whether so many fits of so many steps each are faster together than one by one.

    Together they are never slower at training, but have to be compiled. On two cores that took as long as 2 to 3.5 setups
    of `model.fit`, and a setup as long as 400 to 900 of its steps (Dense on digits, LSTM over 8 steps, Conv2D on 28 × 28).
    So four trials always pay, and two if they have some hundred steps.
    """
    return fits * (STEPS_OF_A_SETUP + steps) >= SETUPS_OF_A_STACK * STEPS_OF_A_SETUP


def shared_out(groups: Sequence[Sequence[_T]], workers: int) -> list[Sequence[_T]]:
    """The stacks, halved where there are fewer of them than workers, so that none is idle."""
    found = [group for group in groups if group]
    while found and len(found) < workers and max(map(len, found)) > _SMALLEST_TO_HALVE:
        largest = max(found, key=len)
        at = found.index(largest)
        found[at : at + 1] = [largest[0::2], largest[1::2]]
    return found
