"""Which trials go to the workers next: a few stacks at a time, each trial with its retries, none forgotten. No I/O here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from nbtune.errors import BackendDied, WorkerDied, WorkerLost
from nbtune.record.events import FAILED, TrialEnded, from_dict

AHEAD = 2  # stacks handed out for each worker, so that none waits for the next


@dataclass(frozen=True, eq=False)
class Stack:
    """Trials that are trained together, or one on its own, and how often that one may still be tried again.

    Attributes:
        together: they are handed out as a stack; one with several runs may be, too.
    """

    trials: Sequence[str]
    retries: int
    together: bool


@dataclass(frozen=True)
class Outcome:
    """What came of a stack: how its trials ended as far as they did, and why its worker died if it did.

    `lost`: the worker left, and the stack has no part in that.
    """

    ended: Sequence[TrialEnded] = ()
    died: str = ""
    lost: bool = False


class Schedule:
    """The stacks that are waiting and those that are under way.

    A stack whose worker dies is halved until the trial that is to blame stands alone; what a stack refuses is trained trial
    by trial. Neither counts as a trial's failure.

    Args:
        work: the trials of each stack; read as they are due, since there may be a million.
        workers: how many there are now.
        retries: how often a trial that failed on its own is tried again before it counts as failed.
        has_ended: whether a trial has; a stack sends the end of each before its other trials are done.
        one_is_a_stack: whether a trial by itself is one, since its runs can be trained together.
    """

    def __init__(
        self,
        work: Iterable[Sequence[str]],
        workers: Callable[[], int],
        retries: int,
        has_ended: Callable[[str], bool],
        one_is_a_stack: bool = False,
    ) -> None:
        self._fresh = (Stack(trials, retries, one_is_a_stack or len(trials) > 1) for trials in work)
        self._next = next(self._fresh, None)
        self._again: deque[Stack] = deque()
        self._under_way: set[Stack] = set()
        self._workers = workers
        self._has_ended = has_ended

    @property
    def over(self) -> bool:
        return self._next is None and not self._again and not self._under_way

    @property
    def under_way(self) -> frozenset[Stack]:
        """What has been handed out and has not come back."""
        return frozenset(self._under_way)

    def drop(self, stack: Stack) -> None:
        """It comes back with nothing."""
        self._under_way.discard(stack)

    def due(self) -> Iterator[Stack]:
        """What is to be handed out now."""
        most = max(AHEAD * self._workers(), 1)
        while (self._next or self._again) and len(self._under_way) < most:
            if self._next:
                stack, self._next = self._next, next(self._fresh, None)
            else:
                stack = self._again.popleft()
            self._under_way.add(stack)
            yield stack

    def take(self, stack: Stack, outcome: Outcome) -> list[TrialEnded]:
        """Notes what came of a stack; the trials of it that have ended now."""
        self._under_way.discard(stack)
        if outcome.lost:
            left = [trial for trial in stack.trials if not self._has_ended(trial)]
            self._again.extend([Stack(left, stack.retries, stack.together)] if left else [])
            return []
        if stack.together:
            over = {end.trial for end in outcome.ended}
            left = [trial for trial in stack.trials if trial not in over and not self._has_ended(trial)]
            self._again.extend(Stack(trials, stack.retries, len(trials) > 1) for trials in _smaller(left, outcome) if trials)
            return list(outcome.ended)
        ended = outcome.ended or [TrialEnded(stack.trials[0], FAILED, error=outcome.died)]
        if ended[0].status == FAILED and stack.retries:
            self._again.append(Stack(stack.trials, stack.retries - 1, together=False))
            return []
        return list(ended)


def _smaller(left: Sequence[str], outcome: Outcome) -> list[Sequence[str]]:
    if not outcome.died:
        return [[trial] for trial in left]
    return [left[: len(left) // 2], left[len(left) // 2 :]]


def outcome_of(future: Future[Any]) -> Outcome:
    """What a backend's future says of a stack.

    Raises:
        BackendDied: all workers are gone; the trials have still to be trained.
    """
    try:
        result: dict[str, Any] = future.result()
    except BackendDied:
        raise
    except WorkerLost:
        return Outcome(lost=True)
    except WorkerDied as error:
        return Outcome(died=str(error))
    except Exception as error:
        return Outcome(died=f"a fault of nbtune, and not of your function: {error}")
    ended = [from_dict(end) for end in result["ended"]] if "ended" in result else [from_dict(result)]
    assert all(isinstance(end, TrialEnded) for end in ended)
    return Outcome([end for end in ended if isinstance(end, TrialEnded)])
