"""What a search would do, before it does it."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

from nbtune.progress import duration
from nbtune.space import Space


@dataclass(frozen=True)
class Plan:
    """The size and the cost of a search.

    Attributes:
        axes: hyperparameter to its number of values.
        trials: combinations.
        stacks: units of work: trials of one architecture that are trained as one computation, or a trial on its own.
        alone: stacks that have to be trained trial by trial, by the reason why; None if it was not looked at.
        epochs: at most, over all trials.
        workers: processes.
        seconds: estimated wall time at most, from a measured trial; None if it was not measured.
        peak_mb: estimated peak memory of the workers together, in MB; None if it was not measured.
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

    @classmethod
    def of(
        cls,
        space: Space,
        epochs: int,
        workers: int,
        measured: Measured | None = None,
        stacks: int | None = None,
        alone: Mapping[str, int] | None = None,
    ) -> Plan:
        trials = len(space)
        seconds = measured.trial_seconds(epochs) * trials / max(workers, 1) if measured else None
        peak = measured.shared_mb + measured.worker_mb * max(workers, 1) if measured else None
        axes = {axis.name: len(axis.values) for axis in space.axes}
        units = trials if stacks is None else stacks
        return cls(axes, trials, units, trials * epochs, workers, space.is_product, seconds, peak, alone)

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
        if self.stacks < self.trials:
            rows.insert(1, ("trained together", f"{self.stacks:,} stacks of one architecture each"))
        for reason, stacks in (self.alone or {}).items():
            rows.insert(2, ("trained one by one", f"{stacks:,} of the stacks: {reason}"))
        if self.seconds is not None:
            rows.append(("time at most, estimated", duration(self.seconds)))
        if self.peak_mb is not None:
            rows.append(("memory of the workers, estimated", f"{self.peak_mb:,.0f} MB"))
        return rows

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.rows())
        return "\n".join(f"{name:<{width}}  {text}" for name, text in self.rows())

    def _repr_html_(self) -> str:
        cells = ((html.escape(name), html.escape(text)) for name, text in self.rows())
        return "<table>" + "".join(f"<tr><th style='text-align:left'>{n}</th><td>{t}</td></tr>" for n, t in cells) + "</table>"

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(str(self))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Measured:
    """A short real fit in a worker: seconds to set a trial up and for an epoch; memory in MB."""

    setup: float
    epoch: float
    shared_mb: float
    worker_mb: float

    def trial_seconds(self, epochs: int) -> float:
        return self.setup + epochs * self.epoch
