"""What a search would do, before it does it."""

from __future__ import annotations

import heapq
import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import partial
from statistics import fmean

from nbtune.ask.space import Space
from nbtune.record.progress import duration


@dataclass(frozen=True)
class Plan:
    """The size and the cost of a search.

    Attributes:
        axes: hyperparameter to its number of values.
        trials: combinations.
        stacks: units of work: trials that are trained as one computation, or a trial on its own.
        alone: stacks that have to be trained trial by trial, by the reason why; None if it was not looked at.
        epochs: at most, over all trials.
        workers: processes.
        seconds: estimated wall time at most, from measured fits; None if it was not measured.
        peak_mb: estimated peak memory of the workers together, in MB; None if it was not measured.
        trained_alone: trials that turned out not to be trained together, by the reason why, once the search runs.
        seconds_alone: the same as `seconds`, if each trial were trained on its own.
        minutes: after which it is stopped; None for no limit.
        held_out: which rows validate, in words.
    """

    axes: dict[str, int]
    trials: int
    stacks: int
    epochs: int
    workers: int
    is_product: bool = True
    seconds: float | None = None
    peak_mb: float | None = None
    alone: Mapping[str, int] | None = None
    seconds_alone: float | None = None
    trained_alone: Mapping[str, int] = field(default_factory=dict)
    minutes: float | None = None
    held_out: str = ""

    @classmethod
    def of(
        cls,
        space: Space,
        epochs: int,
        workers: int,
        measured: Measured | None = None,
        stacks: Sequence[Stack] | None = None,
        runs: int = 1,
        minutes: float | None = None,
    ) -> Plan:
        """Args: `epochs` of a run at most; `stacks` of one trial each if left out."""
        trials = len(space)
        stacks = [Stack(1)] * trials if stacks is None else stacks
        axes = {axis.name: len(axis.values) for axis in space.axes}
        size = axes, trials, len(stacks), trials * runs * epochs, workers, space.is_product
        if measured is None:
            return cls(*size, minutes=minutes)
        cost = partial(measured.seconds, epochs=epochs, runs=runs, workers=max(workers, 1))
        peak = measured.peak_mb(stacks, max(workers, 1))
        alone = Counter(stack.reason for stack in stacks if stack.reason)
        return cls(*size, cost(stacks), peak, alone, cost([Stack(1)] * trials), minutes=minutes)

    @property
    def measured(self) -> bool:
        return self.seconds is not None

    @property
    def arithmetic(self) -> str:
        """`layers 3 × units 3 = 9`: how the grid comes to its size."""
        axes = [f"{name} {n}" for name, n in self.axes.items()]
        return f"{' × '.join(axes) or 'no axes'} {'=' if self.is_product else '→'} {self.trials:,}"

    def rows(self) -> list[tuple[str, str]]:
        """What there is to show, as (name, text)."""
        rows = [
            ("combinations", self.arithmetic),
            ("epochs at most", f"{self.epochs:,}"),
            ("workers", str(self.workers) if self.workers else "none: in this process"),
        ]
        if self.held_out:
            rows.append(("validated on", self.held_out))
        if self.stacks < self.trials:
            rows.insert(1, ("trained together", f"in {self.stacks:,} stack{'s' * (self.stacks > 1)}"))
        for reason, stacks in (self.alone or {}).items():
            rows.insert(2, ("trained one by one", f"{stacks:,} of the stacks: {reason}"))
        for reason, trials in self.trained_alone.items():
            rows.append(("trained one by one", f"{trials:,} of the combinations: {reason}"))
        if self.seconds is not None:
            rows.append(("time at most, estimated", duration(self.seconds)))
        if self.minutes is not None:
            rows.append(("stopped after", self._deadline(self.minutes)))
        if self.seconds_alone and self.seconds != self.seconds_alone:
            rows.append(("trial by trial it would be", duration(self.seconds_alone)))
        if self.peak_mb is not None:
            rows.append(("memory of the workers, estimated", f"{self.peak_mb:,.0f} MB"))
        return rows

    def _deadline(self, minutes: float) -> str:
        """`20 min 00 s, when at least 40 % of the training will be done`."""
        limit = duration(60 * minutes)
        if self.seconds is None:
            return limit
        if self.seconds <= 60 * minutes:
            return f"{limit}, which will do"
        return f"{limit}, when at least {100 * 60 * minutes / self.seconds:.0f} % of the training will be done"

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.rows())
        return "\n".join(f"{name:<{width}}  {text}" for name, text in self.rows())

    def _repr_html_(self) -> str:
        cells = ((html.escape(name), html.escape(text)) for name, text in self.rows())
        return "<table>" + "".join(f"<tr><th style='text-align:left'>{n}</th><td>{t}</td></tr>" for n, t in cells) + "</table>"

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(str(self))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Stack:
    """A unit of work: so many trials, and the reason why they are trained one by one all the same."""

    trials: int
    reason: str | None = None


@dataclass(frozen=True)
class Cost:
    """Of a trial on its own, or of a stack.

    Attributes:
        setup: seconds for all but the epochs and what comes with each trial of a stack: to trace and to compile.
        epoch: seconds for an epoch of one trial.
        trial: seconds for each trial of a stack, to build it and to write its weights; on its own they are in `setup`.
        worker_mb: memory that the worker held by itself afterwards.
    """

    setup: float
    epoch: float
    worker_mb: float
    trial: float = 0.0

    @classmethod
    def mean(cls, costs: Sequence[Cost]) -> Cost:
        return cls(*(fmean(each) for each in zip(*(astuple(cost) for cost in costs), strict=True)))


@dataclass(frozen=True)
class Measured:
    """Short real fits in as many workers at once as there will be.

    Attributes:
        stack: None if none was trained.
        shared_mb: memory that the workers have in common.
        before: seconds from the start of the search until the first trial could begin.
    """

    alone: Cost
    stack: Cost | None
    shared_mb: float
    before: float = 0.0

    def seconds(self, stacks: Sequence[Stack], epochs: int, runs: int, workers: int) -> float:
        """Until the last of the workers is done, each of which takes the next stack when it has none."""
        ends = [self.before] * workers
        for stack in stacks:
            if self.stack and stack.trials > 1 and not stack.reason:
                each = [self.stack.setup + stack.trials * (self.stack.trial + runs * epochs * self.stack.epoch)]
            else:
                each = [runs * (self.alone.setup + epochs * self.alone.epoch)] * stack.trials
            for seconds in each:
                heapq.heapreplace(ends, ends[0] + seconds)
        return max(ends)

    def peak_mb(self, stacks: Sequence[Stack], workers: int) -> float:
        together = any(stack.trials > 1 and not stack.reason for stack in stacks)
        return self.shared_mb + workers * (self.stack if self.stack and together else self.alone).worker_mb
