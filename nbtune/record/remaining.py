"""How far a search is and how long it will go on, by the epochs that its trials have trained and still have before them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from nbtune.record.events import PENDING, STOPPED
from nbtune.record.lifetimes import Lifetimes

if TYPE_CHECKING:
    from nbtune.record.progress import Progress, Trial

FIXED = 0.15  # of an epoch of a stack, whatever the number of trials that are still in it
EPOCHS_THAT_TELL, SECONDS_THAT_TELL = 0.5, 3.0  # one of both: the first steps of what was compiled are slow
MOST_IN_TURN = 1000  # units whose turns are gone through one by one; of more of them the last to end hardly counts


def share_done(progress: Progress) -> float:
    """How much of the training is behind it, from 0 to 1: epochs trained of the epochs expected."""
    trials, lives = progress.trials, Lifetimes.of(progress)
    return fmean(_share(trial, progress.runs, lives) for trial in trials) if trials else 1.0


def _share(trial: Trial, repeats: int, lives: Lifetimes) -> float:
    if trial.ended and trial.status != STOPPED:
        return 1.0
    runs = max(repeats // trial.at_once, 1)
    trained = trial.epochs + trial.share
    if not trained:
        return trial.run / runs
    return (min(trial.run, runs - 1) + trained / (trained + lives.left(trial).expected)) / runs


class _Stack(NamedTuple):
    """What was started together, as one computation, and has not ended.

    Attributes:
        elapsed: seconds since.
        left: seconds until its end, if that can be told.
        cost: of all of it, beside other units.
    """

    elapsed: float
    left: float | None
    cost: float


def seconds_left(progress: Progress, now: float) -> float | None:
    """An estimate; None as long as nothing is known of how long an epoch takes, by this search or by those before it.

    A stack is what was started together, one trial or several: those are trained as one computation, and their
    seconds add up to its own. What one costs in seconds is that of the others, in proportion to what they cost by the plan.
    """
    lives, spent = Lifetimes.of(progress), progress.seconds_spent(now)
    costs = _Costs(progress, lives)
    over: list[list[Trial]] = []
    under_way: list[list[Trial]] = []
    for stack in started(progress.trials):
        (over if all(trial.ended for trial in stack) else under_way).append(stack)
    lasted = [(seconds, costs.of(stack)) for stack in over if (seconds := sum(trial.seconds for trial in stack))]
    running = [_under_way(stack, progress, lives, spent, costs.of(stack)) for stack in under_way]
    each = _seconds_a_cost(lasted, running, progress.trials, costs)
    if each is None and any(unit.measured for unit in progress.units):
        each = _by_the_plan(under_way, progress, spent)
    if each is None:
        return None
    left = [max(each * stack.cost - stack.elapsed, 0.0) if stack.left is None else stack.left for stack in running]
    end = _end(left, [each * cost for cost in costs.pending()], max(progress.workers, 1))
    return end if lasted or running else max(end - spent, 0.0)


def _seconds_a_cost(
    lasted: Sequence[tuple[float, float]], running: Sequence[_Stack], trials: Sequence[Trial], costs: _Costs
) -> float | None:
    """By what has ended or is under way; where nothing tells yet, by the trials of an earlier run."""
    known = [*lasted, *((stack.elapsed + stack.left, stack.cost) for stack in running if stack.left is not None)]
    if not known:
        earlier = [trial for trial in trials if trial.ended and trial.seconds and trial.started is None]
        known = [(trial.seconds, costs.of([trial])) for trial in earlier]
    total = sum(cost for _, cost in known)
    return sum(seconds for seconds, _ in known) / total if total else None


def _by_the_plan(under_way: Sequence[Sequence[Trial]], progress: Progress, spent: float) -> float:
    """As long as nothing was measured; what is still being compiled takes at least as long as it has by now."""
    setup = {id: unit.setup for unit in progress.units for id in unit.trials}
    begun = [(stack, min((trial.begun for trial in stack if trial.begun is not None), default=spent)) for stack in under_way]
    before = building(progress)
    over = ((at - stack[0].since + before) / setup[stack[0].id] for stack, at in begun if setup.get(stack[0].id))
    return max([1.0, *over])


def _end(running: Sequence[float], pending: Sequence[float], workers: int) -> float:
    """Seconds until the last of the workers is done, each of which takes the next unit when it has none."""
    ends = sorted(running)[-workers:]
    ends += [0.0] * (workers - len(ends))
    if len(pending) > MOST_IN_TURN:
        return max((sum(running) + sum(pending)) / workers, *ends)
    heapq.heapify(ends)
    for seconds in pending:
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)


class _Costs:
    """What trials cost beside each other, by the plan; as much as others of which it says nothing."""

    def __init__(self, progress: Progress, lives: Lifetimes) -> None:
        self._trials = progress.trials
        self._units = progress.units
        part = min(lives.usual / progress.epochs, 1.0) if progress.epochs else 1.0
        self._each: dict[str, float] = {}
        for unit in self._units:
            cost = (unit.setup + part * unit.epochs) / len(unit.trials)
            self._each |= dict.fromkeys(unit.trials, cost)
        self._usual = fmean(self._each.values()) if self._each else 1.0

    def of(self, trials: Iterable[Trial]) -> float:
        return sum(self._each.get(trial.id, self._usual) for trial in trials)

    def pending(self) -> list[float]:
        """Of each unit that is still to be started."""
        waiting = {trial.id: trial for trial in self._trials if trial.status == PENDING}
        found = [[waiting.pop(id) for id in unit.trials if id in waiting] for unit in self._units]
        return [self.of(unit) for unit in [*found, *([trial] for trial in waiting.values())] if unit]


def _under_way(stack: Sequence[Trial], progress: Progress, lives: Lifetimes, spent: float, cost: float) -> _Stack:
    """By its epochs; where those cannot be timed yet, nothing is known of its end."""
    elapsed = spent - stack[0].since + building(progress)
    timed = [(trial, trial.begun, trial.last) for trial in stack if trial.begun is not None and trial.last is not None]
    done = _epochs([(trial.trained, trial.trained) for trial, *_ in timed], len(stack))
    seconds = max(last for *_, last in timed) - min(begun for _, begun, _ in timed) if timed else 0.0
    if not seconds or (done < EPOCHS_THAT_TELL and seconds < SECONDS_THAT_TELL):
        return _Stack(elapsed, None, cost)
    left = _epochs([_further(trial, progress, lives) for trial in stack if not trial.ended], len(stack))
    return _Stack(elapsed, max(seconds / done * left - (spent - max(last for *_, last in timed)), 0.0), cost)


def _epochs(each: Sequence[tuple[float, float]], trials: int) -> float:
    """What epochs of some trials of a stack cost, beside one of all of them: the more, the more trials are in it.

    Args:
        each: epochs until its last run ends, and usual ones, of each.
    """
    return FIXED * max((longest for longest, _ in each), default=0.0) + (1 - FIXED) * sum(usual for _, usual in each) / trials


def _further(trial: Trial, progress: Progress, lives: Lifetimes) -> tuple[float, float]:
    """Epochs before it in this run and those that come after: until the last of those side by side has ended, and usual ones."""
    this, most = lives.left(trial), progress.epochs - trial.epochs - trial.share
    later = max(progress.runs // trial.at_once - 1 - trial.run, 0) * lives.usual
    return this.of_longest(trial.at_once, most) + later, this.expected + later


def building(progress: Progress) -> float:
    """Seconds from when a worker gets a stack until it says that its trials have started: those of the first one."""
    return min((trial.since for trial in progress.trials if trial.started is not None), default=0.0)


def started(trials: Sequence[Trial]) -> list[list[Trial]]:
    """The trials that have begun, those together that did so at the same moment."""
    found: dict[float, list[Trial]] = {}
    for trial in trials:
        if trial.started is not None and trial.status != STOPPED:
            found.setdefault(trial.started, []).append(trial)
    return list(found.values())
