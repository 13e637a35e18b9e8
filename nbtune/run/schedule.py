"""Which trials go to the workers next: a few stacks at a time, each trial with its retries, none forgotten. No I/O here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from nbtune.errors import BackendDied, WorkerDied, WorkerKilled, WorkerLost
from nbtune.record.events import FAILED, TrialEnded, from_dict

AHEAD = 2  # stacks handed out for each worker, so that none waits for the next


@dataclass(frozen=True, eq=False)
class Stack:
    """Trials that are trained together, or one on its own, and how often that one may still be tried again.

    Attributes:
        together: they are handed out as a stack; one with several runs may be, too.
        alone: with nothing beside it, so that what goes wrong then is its own doing.
    """

    trials: Sequence[str]
    retries: int
    together: bool
    alone: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a stack: how its trials ended as far as they did, and why its worker died if it did.

    `lost`: the worker left, and the stack has no part in that.
    `killed`: it was ended from outside of it, by whomever.
    """

    ended: Sequence[TrialEnded] = ()
    died: str = ""
    lost: bool = False
    killed: bool = False


class Schedule:
    """The stacks that are waiting and those that are under way.

    A stack whose worker dies is halved until the trial that is to blame stands alone; what a stack refuses is trained trial
    by trial. A trial whose worker was killed, by another trial's function perhaps, or with all workers at once, is given again
    with nothing beside it. None of these counts as a trial's failure.

    Args:
        work: the trials of each stack; read as they are due, since there may be a million.
        workers: how many there are now.
        retries: how often a trial that failed on its own is tried again before it counts as failed.
        has_ended: whether a trial has; a stack sends the end of each before its other trials are done.
        one_is_a_stack: whether a trial by itself is one, since its runs can be trained together.
        again: stacks of an earlier schedule's `left`, whose trials may be among `work`, too.
    """

    def __init__(
        self,
        work: Iterable[Sequence[str]],
        workers: Callable[[], int],
        retries: int,
        has_ended: Callable[[str], bool],
        one_is_a_stack: bool = False,
        again: Iterable[Stack] = (),
    ) -> None:
        self._has_ended = has_ended
        self._again: deque[Stack] = deque()
        for stack in again:
            self._give_again(stack)
        known = {trial for stack in self._again for trial in stack.trials}
        fresh = (trials if known.isdisjoint(trials) else [trial for trial in trials if trial not in known] for trials in work)
        self._fresh = (Stack(trials, retries, one_is_a_stack or len(trials) > 1) for trials in fresh if trials)
        self._next = next(self._fresh, None)
        self._under_way: set[Stack] = set()
        self._workers = workers

    @property
    def over(self) -> bool:
        return self._next is None and not self._again and not self._under_way

    @property
    def under_way(self) -> frozenset[Stack]:
        """What has been handed out and has not come back."""
        return frozenset(self._under_way)

    @property
    def left(self) -> list[Stack]:
        """What has been handed out once, and has to be again."""
        return [*self._again, *self._under_way]

    def drop(self, stack: Stack) -> None:
        """It comes back with nothing."""
        self._under_way.discard(stack)

    def due(self) -> Iterator[Stack]:
        """What is to be handed out now."""
        most = max(AHEAD * self._workers(), 1)
        while len(self._under_way) < most and (stack := self._pop()):
            self._under_way.add(stack)
            yield stack

    def _pop(self) -> Stack | None:
        """The next one, if it may be handed out beside those that are under way."""
        if any(stack.alone for stack in self._under_way):
            return None
        if self._next:
            stack, self._next = self._next, next(self._fresh, None)
            return stack
        beside = next((stack for stack in self._again if not stack.alone), None)
        found = beside or (self._again[0] if self._again and not self._under_way else None)
        if found:
            self._again.remove(found)
        return found

    def take(self, stack: Stack, outcome: Outcome) -> list[TrialEnded]:
        """Notes what came of a stack; the trials of it that have ended now."""
        self._under_way.discard(stack)
        if outcome.lost:
            self._give_again(stack)
            return []
        if stack.together:
            over = {end.trial for end in outcome.ended}
            left = [trial for trial in stack.trials if trial not in over]
            for trials in _smaller([trial for trial in left if not self._has_ended(trial)], outcome):
                self._give_again(replace(stack, trials=trials, together=len(trials) > 1))
            return list(outcome.ended)
        if outcome.killed and not stack.alone:
            self._give_again(replace(stack, alone=True))
            return []
        again = ", and again when there was nothing beside it" if outcome.killed else ""
        ended = outcome.ended or [TrialEnded(stack.trials[0], FAILED, error=outcome.died + again)]
        if ended[0].status == FAILED and stack.retries:
            self._give_again(replace(stack, retries=stack.retries - 1))
            return []
        return list(ended)

    def bury(self, stack: Stack, why: str) -> list[TrialEnded]:
        """All workers died at once while they were at this stack: the trials of it that have ended by that.

        Whatever was under way may be to blame, and is given again with nothing beside it; what had nothing beside it is.
        """
        beside = self._under_way - {stack}
        self._under_way.clear()
        for each in beside:
            self._give_again(replace(each, alone=True))
        if stack.alone:
            return self.take(stack, Outcome(died=why, killed=True))
        self._give_again(replace(stack, alone=True))
        return []

    def _give_again(self, stack: Stack) -> None:
        left = [trial for trial in stack.trials if not self._has_ended(trial)]
        if left:
            self._again.append(replace(stack, trials=left))


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
        return Outcome(died=str(error), killed=isinstance(error, WorkerKilled))
    except Exception as error:
        return Outcome(died=f"a fault of nbtune, and not of your function: {error}")
    ended = [from_dict(end) for end in result["ended"]] if "ended" in result else [from_dict(result)]
    assert all(isinstance(end, TrialEnded) for end in ended)
    return Outcome([end for end in ended if isinstance(end, TrialEnded)])
