"""The loop that takes trials through an engine: a few at a time, each with its retries, none forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from nbtune.engines.base import Engine
from nbtune.errors import EngineDied, WorkerDied
from nbtune.events import FAILED, Event, TrialEnded, from_dict
from nbtune.job import Job
from nbtune.progress import Trial

AHEAD = 2  # stacks handed out for each worker, so that none waits for the next


def drive(
    engine: Engine,
    job: Job,
    work: Iterable[Sequence[Trial]],
    workers: int,
    retries: int,
    timeout: float | None,
    take: Callable[[Event], None],
) -> None:
    """Returns when each trial has ended and `take` has its `TrialEnded`, or when the engine was closed.

    Args:
        work: stacks of trials; those of a stack that could not be trained together are then trained one by one.
        timeout: seconds after which a trial is ended and counts as failed.
        retries: how often a trial that failed is tried again before it counts as failed.

    Raises:
        EngineDied: the engine is gone by itself; trials without a `TrialEnded` are still to do.
    """
    queue = deque((stack, retries) for stack in work)
    under_way: dict[Future[Any], tuple[Sequence[Trial], int]] = {}
    while queue or under_way:
        while queue and len(under_way) < max(AHEAD * workers, 1):
            stack, left = queue.popleft()
            under_way[_submit(engine, job, timeout, stack)] = (stack, left)
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            stack, left = under_way.pop(future)
            if future.cancelled():
                queue.clear()
                continue
            final = {end.trial: end for end in _outcomes(stack, future) if end.status != FAILED or not left}
            for end in final.values():
                take(end)
            left -= len(stack) == 1  # what a stack could not do is no failure yet
            queue.extend(([trial], left) for trial in stack if trial.id not in final)


def _submit(engine: Engine, job: Job, timeout: float | None, stack: Sequence[Trial]) -> Future[Any]:
    if len(stack) == 1:
        return engine.submit("fit", job, timeout, trial=stack[0].id, values=dict(stack[0].values))
    values = {trial.id: dict(trial.values) for trial in stack}
    return engine.submit("fit_stack", job, timeout and timeout * len(stack), trials=values)


def _outcomes(stack: Sequence[Trial], future: Future[Any]) -> list[TrialEnded]:
    """How trials of a stack ended; those that are missing have to be trained on their own."""
    try:
        result = future.result()
    except EngineDied:
        raise
    except WorkerDied as error:  # whoever of a stack was to blame, on its own it harms no other
        return [TrialEnded(stack[0].id, FAILED, error=str(error))] if len(stack) == 1 else []
    ends = [from_dict(end) for end in (result["ended"] if len(stack) > 1 else [result])]
    return [end for end in ends if isinstance(end, TrialEnded)]
