"""The loop that takes trials through an engine: a few at a time, each with its retries, none forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from nbtune.engines.base import Engine
from nbtune.errors import EngineDied, WorkerDied
from nbtune.events import FAILED, Event, TrialEnded, from_dict
from nbtune.job import Job
from nbtune.progress import Trial

AHEAD = 2  # trials handed out for each worker, so that none waits for the next


def drive(
    engine: Engine,
    job: Job,
    trials: Iterable[Trial],
    workers: int,
    retries: int,
    timeout: float | None,
    take: Callable[[Event], None],
) -> None:
    """Returns when each trial has ended and `take` has its `TrialEnded`, or when the engine was closed.

    Args:
        timeout: seconds after which a trial is ended and counts as failed.
        retries: how often a trial that failed is tried again before it counts as failed.

    Raises:
        EngineDied: the engine is gone by itself; trials without a `TrialEnded` are still to do.
    """
    queue = deque((trial, retries) for trial in trials)
    under_way: dict[Future[Any], tuple[Trial, int]] = {}
    while queue or under_way:
        while queue and len(under_way) < max(AHEAD * workers, 1):
            trial, left = queue.popleft()
            future = engine.submit("fit", job, timeout, trial=trial.id, values=dict(trial.values))
            under_way[future] = (trial, left)
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            trial, left = under_way.pop(future)
            if future.cancelled():
                queue.clear()
                continue
            ended = _outcome(trial, future)
            if ended.status == FAILED and left:
                queue.append((trial, left - 1))
            else:
                take(ended)


def _outcome(trial: Trial, future: Future[Any]) -> TrialEnded:
    try:
        ended = from_dict(future.result())
    except EngineDied:
        raise
    except WorkerDied as error:
        return TrialEnded(trial.id, FAILED, error=str(error))
    assert isinstance(ended, TrialEnded)
    return ended
