"""What a search would cost: short real fits in all of its workers at once, since they slow each other down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TypeVar

from nbtune.engines.base import Engine
from nbtune.job import Job
from nbtune.plan import Cost, Measured, Stack
from nbtune.space import Value

T = TypeVar("T")
MOST_TRIALS = 32  # of a stack, of which the others are taken to be like these


def measure(
    engine: Engine, job: Job, groups: Sequence[Sequence[Mapping[str, Value]]], stacks: Sequence[Stack], workers: int
) -> tuple[Measured, str | None]:
    """The mean of as many stacks as there are workers, spread evenly over those that are trained together, or over all.

    Of a large stack some trials are trained, spread evenly too.

    Args:
        groups, stacks: the combinations of each unit of work, and what is planned for it.

    Returns:
        What was measured, and if no stack could be trained, the reason.
    """
    together = [group for group, stack in zip(groups, stacks, strict=True) if stack.trials > 1 and not stack.reason]
    picked = _spread(together or groups, max(workers, 1))
    futures = [
        engine.submit("measure", job, trials=_spread(group, MOST_TRIALS), of=len(group), together=bool(together))
        for group in picked
    ]
    found = [future.result() for future in futures]
    trained = [Cost(**each["stack"]) for each in found if each["stack"]]
    measured = Measured(
        alone=Cost.mean([Cost(**each["alone"]) for each in found]),
        stack=Cost.mean(trained) if trained else None,
        shared_mb=fmean(each["shared_mb"] for each in found),
    )
    return measured, None if trained else next((each["reason"] for each in found), None)


def _spread(things: Sequence[T], count: int) -> list[T]:
    count = min(count, len(things))
    return [things[(2 * i + 1) * len(things) // (2 * count)] for i in range(count)]
