"""What a search would cost: short real fits in all of its workers at once, since they slow each other down."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from statistics import fmean
from typing import TypeVar

from nbtune.ask.space import Space
from nbtune.execution.protocol import Backend
from nbtune.record.job import Job
from nbtune.run.plan import Cost, Measured, Stack

T = TypeVar("T")
MOST_TRIALS = 32  # of a stack, of which the others are taken to be like these
MOST_STACKS = 32  # that are looked at; a deep model takes 0.2 s to build


def look_at(backend: Backend, job: Job, space: Space, work: Sequence[Sequence[int]]) -> list[Stack]:
    """What is planned for each unit of work, as far as that shows before it is trained.

    Of very many stacks some are looked at, spread evenly, and each stands for those next to it.

    Args:
        work: the numbers of the combinations of each.
    """
    together = [numbers for numbers in work if len(numbers) > 1]
    looked_at = _spread(together, MOST_STACKS)
    found = {
        "firsts": [space.combinations[numbers[0]] for numbers in looked_at],
        "sizes": [len(numbers) for numbers in looked_at],
    }
    reasons = backend.submit("reasons", job, **found).result()["reasons"] if together else []
    known = iter(reasons[i * len(reasons) // len(together)] for i in range(len(together)))
    return [Stack(len(numbers), next(known) if len(numbers) > 1 else None) for numbers in work]


def measure(
    backend: Backend, job: Job, space: Space, work: Sequence[Sequence[int]], stacks: Sequence[Stack], workers: int
) -> tuple[Measured, str | None]:
    """The mean of as many stacks as there are workers, spread evenly over those that are trained together, or over all.

    Args:
        work, stacks: the numbers of the combinations of each unit of work, and what is planned for it.

    Returns:
        What was measured, and if no stack could be trained, the reason.
    """
    together = [numbers for numbers, stack in zip(work, stacks, strict=True) if stack.trials > 1 and not stack.reason]
    futures = []
    for numbers in _spread(together or work, max(workers, 1)):
        trials = [space.combinations[i] for i in sample(space, numbers)]
        futures.append(backend.submit("measure", job, trials=trials, of=len(numbers), together=bool(together)))
    found = [future.result() for future in futures]
    trained = [Cost(**each["stack"]) for each in found if each["stack"]]
    measured = Measured(
        alone=Cost.mean([Cost(**each["alone"]) for each in found]),
        stack=Cost.mean(trained) if trained else None,
        shared_mb=fmean(each["shared_mb"] for each in found),
    )
    return measured, None if trained else next((each["reason"] for each in found), None)


def sample(space: Space, numbers: Sequence[int]) -> list[int]:
    """Some combinations of a large stack: the widest first, since all are padded to it, then others in their order.

    They are drawn at random, one out of each of equally many neighbours: at equal steps they could all have the same
    value of an axis.
    """
    sizes = [known.size if known else 0 for known in space.architectures or [None] * len(space)]
    widest = max(numbers, key=sizes.__getitem__)
    others = [i for i in numbers if i != widest]
    if len(numbers) > MOST_TRIALS:
        draw = random.Random(0)
        bounds = [len(others) * i // (MOST_TRIALS - 1) for i in range(MOST_TRIALS)]
        others = [others[draw.randrange(*part)] for part in itertools.pairwise(bounds)]
    return [widest, *others]


def _spread(things: Sequence[T], count: int) -> list[T]:
    count = min(count, len(things))
    return [things[(2 * i + 1) * len(things) // (2 * count)] for i in range(count)]
