"""How far a search is and how long it will go on, by the epochs that its trials have trained and still have before them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from nbtune.record.events import PENDING, STOPPED

if TYPE_CHECKING:
    from nbtune.record.progress import Progress, Trial


class Lifetimes:
    """How many epochs trials live for, where some have ended (early or not) and others are still under way.

    By the product-limit estimator (E. L. Kaplan and P. Meier, JASA 53, 1958): of the trials that reached an epoch, the
    share that ended with it. What nothing is known of lasts for all epochs.
    """

    def __init__(self, trials: Iterable[Trial], epochs: int) -> None:
        """`epochs`: how many a trial trains at most."""
        self._epochs = epochs
        seen = [trial for trial in trials if trial.epochs]
        ends = Counter(trial.epochs for trial in seen if trial.ended and trial.status != STOPPED)
        self._survive = [
            (epoch, 1 - count / sum(trial.epochs >= epoch for trial in seen)) for epoch, count in sorted(ends.items())
        ]

    def left(self, after: float) -> float:
        """Expected number of further epochs of a trial that is still under way after so many."""
        total, alive, at = 0.0, 1.0, after
        for epoch, survive in self._survive:
            if epoch > after:
                total += alive * (epoch - at)
                alive, at = alive * survive, float(epoch)
        return total + alive * max(self._epochs - at, 0)


def share_done(progress: Progress) -> float:
    """How much of the training is behind it, from 0 to 1: epochs trained of the epochs expected."""
    trials = progress.trials
    lives = Lifetimes(trials, progress.epochs)
    return fmean(_share(trial, progress, lives) for trial in trials) if trials else 1.0


def _share(trial: Trial, progress: Progress, lives: Lifetimes) -> float:
    if trial.ended and trial.status != STOPPED:
        return 1.0
    trained = trial.epochs + trial.share
    if not trained:
        return trial.run / progress.repeats
    runs = progress.repeats if trial.run else 1  # a stack trains all runs side by side, where it can
    return (min(trial.run, runs - 1) + trained / (trained + lives.left(trained))) / runs


class _Stack(NamedTuple):
    """What was started together, as one computation: seconds since, and seconds until its end if that can be told."""

    elapsed: float
    left: float | None


def seconds_left(progress: Progress, now: float) -> float | None:
    """An estimate; None as long as nothing is known of how long an epoch takes.

    A stack is what was started together, one trial or several: those are trained as one computation, and their
    seconds add up to its own. Trials that stop early are in it.
    """
    trials = progress.trials
    stacks = _stacks(trials)
    over = [stack for stack in stacks if all(trial.ended for trial in stack)]
    lives = Lifetimes(trials, progress.epochs)
    lasted = [seconds for stack in over if (seconds := sum(trial.seconds for trial in stack))]
    running = [_under_way(stack, progress, lives, now, bool(lasted)) for stack in stacks if stack not in over]
    usual = fmean(lasted) if lasted else _usual(running, trials)
    if usual is None:
        return None
    left = [max(usual - stack.elapsed, 0.0) if stack.left is None else stack.left for stack in running]
    shares = [stack.elapsed / (stack.elapsed + rest or 1) for stack, rest in zip(running, left, strict=True)]
    pending = sum(trial.status == PENDING for trial in trials) / (fmean(map(len, stacks)) if stacks else 1)
    spent, worked = progress.seconds_spent(now), len(over) + sum(shares)
    each = spent / worked if spent and over else usual / max(progress.workers, 1)
    return max((pending + len(shares) - sum(shares)) * each, *left, 0.0)


def _usual(running: Sequence[_Stack], trials: Sequence[Trial]) -> float | None:
    """How long a stack takes, where none has ended in this run: by those under way, else by an earlier run's trials."""
    known = [stack.elapsed + stack.left for stack in running if stack.left is not None]
    earlier = [trial.seconds for trial in trials if trial.ended and trial.seconds and trial.started is None]
    found = known or earlier
    return fmean(found) if found else None


def _under_way(stack: Sequence[Trial], progress: Progress, lives: Lifetimes, now: float, others: bool) -> _Stack:
    """By its epochs; where those cannot be timed yet, by how much of it is done, unless `others` tell more."""
    elapsed = now - (stack[0].started or now)
    alive = [trial for trial in stack if not trial.ended]
    paces = [trial.pace for trial in alive if trial.pace is not None and trial.last is not None]
    if paces:
        latest = max(trial.last for trial in alive if trial.last is not None)
        runs = progress.repeats if any(trial.run for trial in alive) else 1
        further = fmean(_further(trial, runs, lives) for trial in alive)
        return _Stack(elapsed, max(fmean(paces) * further - (now - latest), 0.0))
    known = not others and any(trial.epochs or trial.ended for trial in stack)
    share = fmean(_share(trial, progress, lives) for trial in stack) if known else 0.0
    return _Stack(elapsed, elapsed * (1 - share) / share if share and elapsed else None)


def _further(trial: Trial, runs: int, lives: Lifetimes) -> float:
    """Epochs before it: of this run, and of those that come after it."""
    left = lives.left(trial.epochs + trial.share)
    return left + max(runs - 1 - trial.run, 0) * (trial.epochs + trial.share + left)


def _stacks(trials: Sequence[Trial]) -> list[list[Trial]]:
    """The trials that have begun, those together that did so at the same moment."""
    found: dict[float, list[Trial]] = {}
    for trial in trials:
        if trial.started is not None and trial.status != STOPPED:
            found.setdefault(trial.started, []).append(trial)
    return list(found.values())
