"""Which trials are handed to a worker together. Keras is not needed here; the worker looks closer (`recipes`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from nbtune.space import Space, Value

AUTO, FUSED, TRIAL = "auto", "fused", "trial"
ENGINES = (AUTO, FUSED, TRIAL)
SAME_ARCHITECTURE = ("learning_rate", "loss", "init")  # these leave the shape of a model as it is
SETUPS_OF_A_STACK, STEPS_OF_A_SETUP = 3.5, 500  # see `pays`
_SMALLEST_TO_HALVE = 3  # a stack is compiled, whatever its size
_T = TypeVar("_T")


def stacks(space: Space, engine: str) -> list[list[int]]:
    """The numbers of the combinations that may share a stack, in grid order; a list of one is a trial on its own.

    A KerasTuner function's combinations go by the architectures that were found when they were built, a plain function's
    by what it is given.
    """
    if engine == TRIAL:
        return [[i] for i in range(len(space))]
    groups: dict[str, list[int]] = {}
    for i, values in enumerate(space):
        architecture = space.architectures[i] if space.architectures else None
        groups.setdefault(json.dumps([architecture, _shape(values, architecture)], sort_keys=True), []).append(i)
    return list(groups.values())


def _shape(values: Mapping[str, Value], architecture: str | None) -> dict[str, Value]:
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
