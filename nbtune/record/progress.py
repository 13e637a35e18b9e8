"""The one reducer: events → what is known of a search. Replay the events and every screen comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, nan
from statistics import stdev
from typing import Any, NamedTuple

from nbtune.ask.objective import Objective
from nbtune.ask.space import Value
from nbtune.errors import printable
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
    TrainedAlone,
    TrialEnded,
    TrialReopened,
    TrialStarted,
)
from nbtune.record.heldout import HeldOut
from nbtune.record.ranking import ranked


@dataclass(frozen=True, repr=False)
class Trial:
    """One combination and what came of it.

    Attributes:
        id: its number in grid order, as KerasTuner writes it ("07").
        values: hyperparameter to value.
        status: "pending", "running", "done", "failed", "diverged" or "stopped".
        score: the objective at the best epoch, or the mean of `scores`; while it runs, and where it was stopped, the best so far.
        scores: with repeats or folds, the score of each run, all folds of the first seed first; else empty.
        best_epoch: counted from 1; with repeats or folds it, `epochs` and `history` are those of the best run.
        best_epochs: with repeats or folds, each run's.
        epochs: how many were trained.
        share: how much of the next one is trained, from 0 to 1; 0 where epochs are short.
        run: with repeats or folds that are trained one after the other, how many are behind it.
        at_once: how many of its runs are trained side by side.
        history: metric to its values, one an epoch; of validation where there was one, as in Keras's own `History`.
        rates: the learning rate at the first step of each epoch; empty until the trial has ended.
        size: how many weights its model has; None where that is not known.
        seconds: wall time in the worker.
        error: a traceback or a reason.
        weights: the stamp of the file of its weights, as `files` makes it; None where none were kept.
        fold_weights: those of the weights of each fold, with the first seed, by the number of the fold.
        alone: why it could not be trained together with the others of its stack; None where it was, or had none.
        started: when, in seconds since the epoch.
        since, begun, last: when it started, when it first gave a sign of life after what was compiled, and when it last did, in
            seconds that the search was running by then.
        trained: how many epochs it trained from `begun` to `last`, over all of its runs.
    """

    id: str
    values: Mapping[str, Value]
    status: str = PENDING
    score: float | None = None
    scores: tuple[float, ...] = ()
    best_epoch: int | None = None
    best_epochs: tuple[int, ...] = ()
    epochs: int = 0
    share: float = 0.0
    history: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    rates: tuple[float, ...] = ()
    size: int | None = None
    seconds: float = 0.0
    error: str | None = None
    weights: str | None = field(default=None, repr=False, compare=False)
    fold_weights: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    alone: str | None = None
    run: int = 0
    at_once: int = 1
    started: float | None = field(default=None, repr=False, compare=False)
    since: float = field(default=0.0, repr=False, compare=False)
    begun: float | None = field(default=None, repr=False, compare=False)
    last: float | None = field(default=None, repr=False, compare=False)
    trained: float = field(default=0.0, repr=False, compare=False)

    @property
    def ended(self) -> bool:
        return self.status not in (PENDING, RUNNING)

    @property
    def provisional(self) -> bool:
        """Whether its score may still change: it is under way, or was stopped before its end, and may be waiting to go on."""
        return self.score is not None and self.status in (RUNNING, STOPPED, PENDING)

    @property
    def std(self) -> float | None:
        """The standard deviation of `scores`, of a sample (n - 1); None with a single run."""
        return stdev(self.scores) if len(self.scores) > 1 else None

    @property
    def label(self) -> str:
        """Its values in a line: `layers 2, units 32`."""
        return ", ".join(f"{name} {show(value)}" for name, value in self.values.items())

    def __str__(self) -> str:
        score = "" if self.score is None else f", score {self.score:.4f} in epoch {self.best_epoch}"
        return f"trial {self.id}: {self.label or 'no hyperparameters'}; {self.status}{score}"

    def __repr__(self) -> str:
        return f"<{self}>"  # the history would fill screens


@dataclass(frozen=True, repr=False)
class Coverage:
    """How many combinations of the grid ended how; the counts add up to `total`.

    A trial under way counts as pending. `excluded` are those that `--where` leaves out, `unsampled` those that `--sample` does.
    """

    total: int
    done: int
    failed: int
    diverged: int
    stopped: int
    pending: int
    untried: tuple[Mapping[str, Value], ...] = ()
    excluded: int = 0
    unsampled: int = 0

    def __str__(self) -> str:
        counts = [(self.done, DONE), (self.failed, FAILED), (self.diverged, DIVERGED), (self.stopped, STOPPED)]
        counts += [(self.pending, PENDING), (self.excluded, "excluded"), (self.unsampled, "not sampled")]
        parts = [f"{n:,} {name}" for n, name in counts if n or name == DONE]
        return f"{self.total:,} combination{'s' * (self.total != 1)}: {', '.join(parts)}"

    __repr__ = __str__


class Unit(NamedTuple):
    """Trials that are handed out together, which may be one, and the seconds that they are expected to take.

    Attributes:
        setup: whatever they train.
        epochs: if each trains all of its epochs.
        kind: equal for networks that can be trained together; "" where that is not known.
        measured: whether this machine has shown before how fast it is; else they only tell what units cost beside each other.
    """

    trials: tuple[str, ...]
    setup: float
    epochs: float
    kind: str = ""
    measured: bool = False


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
        runs: int = 1,
        excluded: int = 0,
        unsampled: int = 0,
    ) -> None:
        """`epochs`: of each of a trial's `runs` at most. `excluded`, `unsampled`: combinations that are left out."""
        self._left_out = {"excluded": excluded, "unsampled": unsampled}
        ids = ids or [f"{i:0{len(str(len(combinations)))}d}" for i in range(len(combinations))]
        self._trials = {id: Trial(id, values) for id, values in zip(ids, combinations, strict=True)}
        self.objective = objective
        self.epochs = epochs
        self.workers = workers
        self.runs = runs
        self.notes: tuple[str, ...] = ()  # what people should know of how it began, a sentence each
        self.advice: tuple[str, ...] = ()  # what looked like a mistake before it began, a sentence each
        self.held_out = HeldOut()  # the rows that scores are measured on
        self.patience: int | None = None  # epochs without a better score after which a run ends
        self.units: tuple[Unit, ...] = ()  # how the trials are handed out, as far as that is known
        self.state, self.reason = "planned", ""
        self.version = 0
        self._clock = 0.0  # seconds spent running before `_since`
        self._since: float | None = None

    def apply(self, event: Event) -> None:
        """Takes one event in. What reaches a trial after its end changes nothing."""
        match event:
            case StateChanged(state, at, reason):
                self._change_state(state, at)
                self.reason = reason
            case TrialReopened(trial):
                self._trials[trial] = _reopened(self._trials[trial])
            case TrialStarted(trial, at, history, at_once, run) if not self._trials[trial].ended:
                old = self._trials[trial]
                begun = Trial(trial, old.values, RUNNING, alone=old.alone, at_once=at_once, run=run, started=at)
                begun = replace(begun, since=self.seconds_spent(at))
                self._trials[trial] = replace(begun, **self._gone_on(history))
            case TrainedAlone(trials, reason):
                for trial in trials:
                    self._trials[trial] = replace(self._trials[trial], alone=reason)
            case EpochUnderWay(trials, epoch, share, at):
                for trial in trials:
                    if (old := self._trials[trial]).status == RUNNING:
                        self._trials[trial] = self._timed(old, epoch - 1, share, at)
            case EpochEnded(trial) if self._trials[trial].status == RUNNING:
                self._trials[trial] = self._after_epoch(self._trials[trial], event)
            case TrialEnded() if not self._trials[event.trial].ended:
                self._trials[event.trial] = self._ended(self._trials[event.trial], event)
        self.version += 1

    def _gone_on(self, history: Mapping[str, Sequence[float]]) -> dict[str, Any]:
        """What is known of a trial that goes on after these epochs."""
        values = self.objective.by_epoch(self.objective.name, history)
        finite = [value for value in values if isfinite(value)]
        if not finite:
            return {}
        score = finite[self.objective.best(finite)]
        kept = {name: tuple(each) for name, each in history.items()}
        epochs = max(map(len, kept.values()))
        return {"history": kept, "epochs": epochs, "score": score, "best_epoch": values.index(score) + 1}

    def _after_epoch(self, old: Trial, event: EpochEnded) -> Trial:
        again = event.epoch == 1 and bool(old.history)  # each run of a trial begins anew
        old = replace(old, run=old.run + 1, history={}, score=None, best_epoch=None, epochs=0, share=0.0) if again else old
        history = {**old.history, **{name: (*old.history.get(name, ()), value) for name, value in event.logs.items()}}
        score, best_epoch = old.score, old.best_epoch
        value = event.logs.get(self.objective.name, nan)
        if isfinite(value) and (score is None or self.objective.is_better(value, score)):
            score, best_epoch = value, event.epoch
        return replace(self._timed(old, event.epoch, 0.0, event.at), history=history, score=score, best_epoch=best_epoch)

    def _timed(self, old: Trial, epochs: int, share: float, at: float | None) -> Trial:
        """A trial that is so far now; until its first sign of life it may have been compiled, which tells nothing."""
        new = replace(old, epochs=epochs, share=share)
        if not at:
            return new
        spent = self.seconds_spent(at)
        if old.begun is None:
            return replace(new, last=spent, begun=spent)
        return replace(new, last=spent, trained=old.trained + max(epochs + share - old.epochs - old.share, 0.0))

    def _ended(self, old: Trial, event: TrialEnded) -> Trial:
        history = {name: tuple(values) for name, values in event.history.items()} or old.history
        return replace(
            old,
            status=event.status,
            score=None if event.status in (FAILED, DIVERGED) else event.score,
            scores=tuple(event.scores),
            best_epoch=event.best_epoch,
            best_epochs=tuple(event.best_epochs),
            epochs=max(map(len, history.values()), default=0),
            share=0.0,
            history=history,
            rates=tuple(event.rates) or history.get("learning_rate", ()),  # of a trial that was stopped
            size=event.size,
            seconds=event.seconds,
            error=event.error,
            weights=event.weights,
            fold_weights=event.fold_weights,
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
        """Trials that have ended with a score, the best first; of equal ones that with the lower number."""
        return self.ranked(trial for trial in self.trials if trial.ended)

    @property
    def standing(self) -> list[Trial]:
        """As `ranking`, with the trials that are under way and their best score so far."""
        return self.ranked(self.trials)

    def ranked(self, trials: Iterable[Trial]) -> list[Trial]:
        """Of these the ones with a score, the best first; ties as they come."""
        return ranked(trials, self.objective)

    @property
    def best(self) -> Trial | None:
        """Of the trials that have ended."""
        return next(iter(self.ranking), None)

    @property
    def best_so_far(self) -> Trial | None:
        """Of all trials, also of those under way."""
        return next(iter(self.standing), None)

    @property
    def baseline(self) -> tuple[float, str] | None:
        """The accuracy of a constant answer, and which, where classes are so uneven that it has to be seen beside the scores."""
        held_out, objective = self.held_out, self.objective
        if not (held_out.uneven and objective.is_accuracy and objective.name.startswith("val_")):
            return None
        return held_out.share, f"always class {held_out.largest}"

    @property
    def coverage(self) -> Coverage:
        trials = self.trials
        count = Counter(PENDING if trial.status == RUNNING else trial.status for trial in trials)
        untried = tuple(trial.values for trial in trials if trial.status == PENDING)
        counts = (count[DONE], count[FAILED], count[DIVERGED], count[STOPPED], count[PENDING])
        return Coverage(len(trials) + sum(self._left_out.values()), *counts, untried, **self._left_out)

    def seconds_spent(self, now: float) -> float:
        """Time in state "running", pauses left out."""
        return self._clock + (now - self._since if self._since is not None else 0.0)


def _reopened(old: Trial) -> Trial:
    """One that is to be trained again; what it had when it was stopped stays until it starts."""
    return replace(old, status=PENDING, started=None) if old.status == STOPPED else Trial(old.id, old.values)


def show(value: object) -> str:
    """A value as people write it: `0.001`, `1e-05`, `relu`."""
    return f"{value:g}" if isinstance(value, float) else printable(str(value))


def duration(seconds: float) -> str:
    """`8 s`, `2 min 05 s`, `1 h 12 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
