"""The loop that takes trials through a backend: a few stacks at a time, each trial with its retries, none forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from nbtune.errors import BackendDied, WorkerDied
from nbtune.execution.protocol import Backend
from nbtune.record.events import FAILED, Event, TrialEnded, from_dict
from nbtune.record.job import Job
from nbtune.record.progress import Trial

AHEAD = 2  # stacks handed out for each worker, so that none waits for the next
Stack = Sequence[Trial]


def drive(
    backend: Backend,
    job: Job,
    work: Iterable[Stack],
    workers: int,
    retries: int,
    timeout: float | None,
    take: Callable[[Event], None],
    has_ended: Callable[[str], bool],
) -> None:
    """Returns when each trial has ended and `take` has its `TrialEnded`, or when the backend was closed.

    A stack whose worker dies is halved until the trial that is to blame stands alone; what a stack refuses is trained trial
    by trial. Neither counts as a trial's failure.

    Args:
        work: stacks of trials.
        timeout: seconds after which a trial is ended and counts as failed; a stack has its trials' seconds together.
        retries: how often a trial that failed on its own is tried again before it counts as failed.
        has_ended: whether a trial's `TrialEnded` has been taken, which a stack sends before its other trials are done.

    Raises:
        BackendDied: the backend is gone by itself; trials without a `TrialEnded` are still to do.
    """
    queue = deque((stack, retries) for stack in work)
    under_way: dict[Future[Any], tuple[Stack, int]] = {}
    while queue or under_way:
        while queue and len(under_way) < max(AHEAD * workers, 1):
            stack, left = queue.popleft()
            under_way[_submit(backend, job, timeout, stack)] = (stack, left)
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            stack, left = under_way.pop(future)
            if future.cancelled():
                queue.clear()
            elif len(stack) > 1:
                queue.extend((again, left) for again in _rest(stack, future, take, has_ended))
            else:
                ended = _outcome(stack[0], future)
                if ended.status == FAILED and left:
                    queue.append((stack, left - 1))
                else:
                    take(ended)


def _submit(backend: Backend, job: Job, timeout: float | None, stack: Stack) -> Future[Any]:
    if len(stack) == 1:
        return backend.submit("fit", job, timeout, trial=stack[0].id, values=dict(stack[0].values))
    values = {trial.id: dict(trial.values) for trial in stack}
    return backend.submit("fit_stack", job, timeout and timeout * len(stack), trials=values)


def _outcome(trial: Trial, future: Future[Any]) -> TrialEnded:
    try:
        ended = from_dict(future.result())
    except BackendDied:
        raise
    except WorkerDied as error:
        return TrialEnded(trial.id, FAILED, error=str(error))
    assert isinstance(ended, TrialEnded)
    return ended


def _rest(stack: Stack, future: Future[Any], take: Callable[[Event], None], has_ended: Callable[[str], bool]) -> list[Stack]:
    """Takes how the trials of a stack ended; what has to be trained again, in smaller stacks."""
    try:
        ends = [from_dict(end) for end in future.result()["ended"]]
    except BackendDied:
        raise
    except WorkerDied:
        open_trials = [trial for trial in stack if not has_ended(trial.id)]
        middle = len(open_trials) // 2
        return [half for half in (open_trials[:middle], open_trials[middle:]) if half]
    for end in ends:
        take(end)
    return [[trial] for trial in stack if not has_ended(trial.id)]
