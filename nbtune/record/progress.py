"""The one fold: events → what is known of a search. Replay the events and every screen comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, stdev

from nbtune.ask.objective import Objective
from nbtune.ask.space import Value
from nbtune.record.events import (
    DIVERGED,
    DONE,
    FAILED,
    PENDING,
    RUNNING,
    STOPPED,
    EpochEnded,
    EpochUnderWay,
    Event,
    StateChanged,
    TrialEnded,
    TrialReopened,
    TrialStarted,
)


@dataclass(frozen=True)
class Trial:
    """One combination and what came of it.

    Attributes:
        id: its number in grid order, as KerasTuner writes it ("07").
        values: hyperparameter to value.
        status: "pending", "running", "done", "failed", "diverged" or "stopped".
        score: the objective at the best epoch, or the mean of `scores`; None unless done.
        scores: with repeats, the score of each run; else empty.
        best_epoch: counted from 1; with repeats it, `epochs` and `history` are those of the best run.
        epochs: how many were trained.
        share: how much of the next one is trained, from 0 to 1; 0 where epochs are short.
        history: metric to its values, one an epoch.
        seconds: wall time in the worker.
        error: a traceback or a reason.
    """

    id: str
    values: Mapping[str, Value]
    status: str = PENDING
    score: float | None = None
    scores: tuple[float, ...] = ()
    best_epoch: int | None = None
    epochs: int = 0
    share: float = 0.0
    history: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    seconds: float = 0.0
    error: str | None = None
    started: float | None = field(default=None, repr=False, compare=False)

    @property
    def ended(self) -> bool:
        return self.status not in (PENDING, RUNNING)

    @property
    def std(self) -> float | None:
        """The standard deviation of `scores`, of a sample (n - 1); None without repeats."""
        return stdev(self.scores) if len(self.scores) > 1 else None

    @property
    def label(self) -> str:
        """Its values in a line: `layers 2, units 32`."""
        return ", ".join(f"{name} {show(value)}" for name, value in self.values.items())

    def __str__(self) -> str:
        score = "" if self.score is None else f", score {self.score:.4f} in epoch {self.best_epoch}"
        return f"trial {self.id}: {self.label or 'no hyperparameters'}; {self.status}{score}"


@dataclass(frozen=True, repr=False)
class Coverage:
    """How many combinations ended how; the counts add up to `total`. A trial under way counts as pending."""

    total: int
    done: int
    failed: int
    diverged: int
    stopped: int
    pending: int
    untried: tuple[Mapping[str, Value], ...] = ()

    def __str__(self) -> str:
        counts = [(self.done, DONE), (self.failed, FAILED), (self.diverged, DIVERGED), (self.stopped, STOPPED)]
        parts = [f"{n} {name}" for n, name in [*counts, (self.pending, PENDING)] if n or name == DONE]
        return f"{self.total} combination{'s' * (self.total != 1)}: {', '.join(parts)}"

    __repr__ = __str__


class Progress:
    """What is known of a search. `version` grows with every event, so that a view sees whether to draw.

    One thread calls `apply`; any thread reads: trials are immutable and replaced whole.
    """

    def __init__(
        self,
        combinations: Sequence[Mapping[str, Value]],
        objective: Objective,
        epochs: int,
        workers: int,
        ids: Sequence[str] | None = None,
    ) -> None:
        ids = ids or [f"{i:0{len(str(len(combinations)))}d}" for i in range(len(combinations))]
        self._trials = {id: Trial(id, values) for id, values in zip(ids, combinations, strict=True)}
        self.objective = objective
        self.epochs = epochs
        self.workers = workers
        self.state, self.reason = "planned", ""
        self.version = 0
        self._clock = 0.0  # seconds spent running before `_since`
        self._since: float | None = None

    def apply(self, event: Event) -> None:
        """Folds one event in. What reaches a trial after its end changes nothing."""
        match event:
            case StateChanged(state, at, reason):
                self._change_state(state, at)
                self.reason = reason
            case TrialReopened(trial):
                self._trials[trial] = Trial(trial, self._trials[trial].values)
            case TrialStarted(trial, at) if not self._trials[trial].ended:
                fresh = Trial(trial, self._trials[trial].values, RUNNING, started=at)
                self._trials[trial] = fresh
            case EpochUnderWay(trials, epoch, share):
                for trial in trials:
                    if (old := self._trials[trial]).status == RUNNING:
                        self._trials[trial] = replace(old, epochs=epoch - 1, share=share)
            case EpochEnded(trial, epoch, logs) if self._trials[trial].status == RUNNING:
                old = self._trials[trial]
                before = old.history if epoch > 1 else {}  # each run of a trial begins anew
                history = {name: (*before.get(name, ()), value) for name, value in logs.items()}
                self._trials[trial] = replace(old, epochs=epoch, share=0.0, history=history)
            case TrialEnded() if not self._trials[event.trial].ended:
                self._trials[event.trial] = self._ended(self._trials[event.trial], event)
        self.version += 1

    def _ended(self, old: Trial, event: TrialEnded) -> Trial:
        history = {name: tuple(values) for name, values in event.history.items()} or old.history
        return replace(
            old,
            status=event.status,
            score=event.score,
            scores=tuple(event.scores),
            best_epoch=event.best_epoch,
            epochs=max(map(len, history.values()), default=0),
            share=0.0,
            history=history,
            seconds=event.seconds,
            error=event.error,
        )

    def _change_state(self, state: str, at: float) -> None:
        if self._since is not None:
            self._clock, self._since = self._clock + at - self._since, None
        if state == "running":
            self._since = at
        self.state = state

    @property
    def trials(self) -> list[Trial]:
        """Every combination, in grid order."""
        return list(self._trials.values())

    def trial(self, id: str) -> Trial:
        return self._trials[id]

    @property
    def ended(self) -> int:
        return sum(trial.ended for trial in self.trials)

    @property
    def ranking(self) -> list[Trial]:
        """Trials with a score, the best first; ties in grid order."""
        return self.ranked(self.trials)

    def ranked(self, trials: Iterable[Trial]) -> list[Trial]:
        """Of these the ones with a score, the best first; ties as they come."""
        scored = [trial for trial in trials if trial.score is not None]
        sign = -1 if self.objective.direction == "max" else 1
        return sorted(scored, key=lambda trial: sign * (trial.score or 0.0))

    @property
    def best(self) -> Trial | None:
        ranking = self.ranking
        return ranking[0] if ranking else None

    @property
    def coverage(self) -> Coverage:
        trials = self.trials
        count = Counter(PENDING if trial.status == RUNNING else trial.status for trial in trials)
        untried = tuple(trial.values for trial in trials if trial.status == PENDING)
        return Coverage(len(trials), count[DONE], count[FAILED], count[DIVERGED], count[STOPPED], count[PENDING], untried)

    def seconds_spent(self, now: float) -> float:
        """Time in state "running", pauses left out."""
        return self._clock + (now - self._since if self._since is not None else 0.0)

    def seconds_left(self, now: float) -> float | None:
        """An estimate from how fast stacks have ended so far; None before the first trial has.

        A stack is what was started together, one trial or several: those are trained as one computation, and their
        seconds add up to its own. Trials that stop early are in it.
        """
        trials = self.trials
        stacks = _stacks(trials)
        over = [stack for stack in stacks if all(trial.ended for trial in stack)]
        running = [stack for stack in stacks if stack not in over]
        elapsed = [now - (stack[0].started or now) for stack in running]
        lasted = [seconds for stack in over if (seconds := sum(trial.seconds for trial in stack))]
        lasted = lasted or [
            e / self._share_done(stack)
            for e, stack in zip(elapsed, running, strict=True)
            if e and any(trial.ended for trial in stack)
        ]
        if not lasted:
            return self._left_by_earlier_trials(elapsed)
        usual, spent = fmean(lasted), self.seconds_spent(now)
        shares = [min(e / usual, 1.0) for e in elapsed]
        pending = sum(trial.status == PENDING for trial in trials) / fmean(map(len, stacks))
        left, worked = pending + len(shares) - sum(shares), len(over) + sum(shares)
        each = spent / worked if spent and over else usual / max(self.workers, 1)
        return max(left * each, usual * (1 - min(shares, default=1.0)))

    def _share_done(self, stack: Sequence[Trial]) -> float:
        """How much of a stack's epochs is trained or, since trials stopped early, will never be."""
        return fmean(1.0 if trial.ended else (trial.epochs + trial.share) / self.epochs for trial in stack)

    def _left_by_earlier_trials(self, elapsed: Sequence[float]) -> float | None:
        """The same where all that has ended did so in an earlier run; `elapsed` since the stacks under way began."""
        trials = self.trials
        lasted = [trial.seconds for trial in trials if trial.ended and trial.seconds]
        if not lasted:
            return None
        usual = fmean(lasted)
        pending = sum(trial.status == PENDING for trial in trials)
        left = pending + sum(max(1 - seconds / usual, 0.0) for seconds in elapsed)
        return left * usual / max(self.workers, 1)


def _stacks(trials: Sequence[Trial]) -> list[list[Trial]]:
    """The trials that have begun, those together that did so at the same moment."""
    found: dict[float, list[Trial]] = {}
    for trial in trials:
        if trial.started is not None and trial.status != STOPPED:
            found.setdefault(trial.started, []).append(trial)
    return list(found.values())


def show(value: object) -> str:
    """A value as people write it: `0.001`, `1e-05`, `relu`."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def duration(seconds: float) -> str:
    """`8 s`, `2 min 05 s`, `1 h 12 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
