"""Learning curves: the running and the best trials in colour, the others in faint grey."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtune.record.events import RUNNING
from nbtune.record.progress import Progress, Trial
from nbtune.views.figures import ink
from nbtune.views.figures.scale import limits
from nbtune.views.words import hyperparameters, measured, squeeze, value_text, varying

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

BEST, UNDER_WAY = 3, 3
FAINT = "faint"


@dataclass(frozen=True)
class Curve:
    """One trial's objective, epoch by epoch.

    Attributes:
        trial: its id.
        role: "best-1" to "best-3", "running-1" to "running-3", or "faint".
        status: as in `Trial.status`.
        values: one an epoch, from epoch 1; NaN where not finite, or not measured.
        training: the same metric on the training data, for a highlighted trial; else empty.
        best_epoch: counted from 1.
    """

    trial: str
    role: str
    status: str
    values: tuple[float, ...]
    training: tuple[float, ...] = ()
    best_epoch: int | None = None

    @property
    def highlighted(self) -> bool:
        return self.role != FAINT

    @property
    def points(self) -> list[tuple[int, float]]:
        """Epochs and values, as far as there are."""
        return [(epoch, value) for epoch, value in enumerate(self.values, 1) if math.isfinite(value)]


@dataclass(frozen=True)
class Key:
    """What a highlighted curve stands for: its score, and the values that tell it from the other highlighted ones."""

    trial: str
    role: str
    score: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class CurvesInfo:
    """What the figure shows: the faint curves first, then the running, then the best with the very best last.

    Attributes:
        keys: of the highlighted curves, the best first.
        names: of the hyperparameters by which they are told apart, as in `Key.values`.
        shared: the values that all highlighted ones have.
        limits: the y range.
        log: whether it is better read on a log scale.
        left_out: how many faint curves are not here.
        empty: what to say instead of curves.
        baseline: the score of a constant answer, and which; None where it does not matter.
    """

    objective: str
    curves: tuple[Curve, ...]
    keys: tuple[Key, ...]
    shared: tuple[str, ...]
    limits: tuple[float, float]
    log: bool
    left_out: int
    empty: str
    baseline: tuple[float, str] | None = None
    names: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.objective}, epoch by epoch"

    @property
    def others(self) -> str:
        """How many curves are faint, in words."""
        others = sum(not curve.highlighted for curve in self.curves)
        more = f" ({self.left_out:,} more not drawn)" if self.left_out else ""
        return f"{others} other{'s' * (others != 1)}{more}" if others else ""


def curves_info(progress: Progress, most: int = 150) -> CurvesInfo:
    """`most`: how many faint curves at most, picked evenly from all."""
    name = progress.objective.name
    begun = [trial for trial in progress.trials if trial.history.get(name)]
    best = [trial for trial in progress.standing if trial.history.get(name)][:BEST]
    ranked = {trial.id for trial in best}
    others = [trial for trial in begun if trial.id not in ranked]
    running = sorted((t for t in others if t.status == RUNNING), key=lambda t: t.started or 0.0)[-UNDER_WAY:]
    lit = [*((t, f"best-{i}") for i, t in enumerate(best, 1)), *((t, f"running-{i}") for i, t in enumerate(running, 1))]
    coloured = {trial.id for trial, _ in lit}
    others = [trial for trial in others if trial.id not in coloured]
    step = max(math.ceil(len(others) / most), 1)
    faint = [_curve(trial, progress, FAINT) for trial in others[::step]]
    first, last = [_curve(*one) for one in ((t, progress, role) for t, role in lit[len(best) :])], lit[: len(best)]
    curves = (*faint, *first, *(_curve(trial, progress, role) for trial, role in reversed(last)))
    low, high = limits((v for curve in curves for v in (*curve.values, *curve.training)), progress.objective)
    if progress.baseline and curves:
        low, high = min(low, progress.baseline[0]), max(high, progress.baseline[0])
    log = progress.objective.direction == "min" and low > 0 and high / low > 30
    keys, names, shared = _keys(lit)
    empty = "waiting for the first epoch" if progress.state in ("planned", "running", "paused") else "no epoch has ended"
    return CurvesInfo(name, curves, keys, shared, (low, high), log, len(others) - len(faint), empty, progress.baseline, names)


def _keys(lit: Sequence[tuple[Trial, str]]) -> tuple[tuple[Key, ...], tuple[str, ...], tuple[str, ...]]:
    trials = [trial for trial, _ in lit]
    names = varying(trials) if len(trials) > 1 else hyperparameters(trials)
    same = [name for name in hyperparameters(trials) if name not in names]
    texts = [tuple(f"{name} {value_text(trial, name)}" for name in names) for trial in trials]
    keys = tuple(Key(t.id, role, _score(t), values) for (t, role), values in zip(lit, texts, strict=True))
    return keys, tuple(names), tuple(f"{name} {value_text(trials[0], name)}" for name in same)


def _score(trial: Trial) -> str:
    return f"{measured(trial)}{' so far' if trial.provisional else ''}" if trial.score is not None else trial.status


def _curve(trial: Trial, progress: Progress, role: str) -> Curve:
    objective = progress.objective
    values = _finite(objective.by_epoch(objective.name, trial.history))
    other = objective.metric != objective.name and role != FAINT
    training = _finite(trial.history.get(objective.metric, ())) if other else ()
    shown = trial.best_epoch if trial.best_epoch and trial.best_epoch <= len(values) else None
    return Curve(trial.id, role, trial.status, values, training, shown)


def _finite(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(value if math.isfinite(value) else math.nan for value in values)


def draw_curves(info: CurvesInfo, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure."""
    width, height = ink.size(figure)
    sheet = ink.sheet(figure)
    left, right, foot, head = 42.0, 10.0, 92.0, 26.0
    ink.write(sheet, left, height - 15, info.title, ink.TITLE, weight="bold")
    box = (left / width, foot / height, (width - left - right) / width, (height - foot - head) / height)
    axes = figure.add_axes(box)
    _style(axes, info)
    if not info.curves:
        ink.write(axes, 0.5, 0.5, info.empty, color=ink.QUIET, ha="center", transform=axes.transAxes)
        return
    _draw_lines(axes, info)
    _draw_key(sheet, info, left, foot - 34, width - left - right)


def _style(axes: Axes, info: CurvesInfo) -> None:
    low, high = info.limits
    room = 0.04 * (high - low) or 0.05 * abs(high) or 0.5
    if info.log:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.1, high * 1.1)
    else:
        axes.set_ylim(low - room, high + room)
    longest = max((len(part) for curve in info.curves for part in (curve.values, curve.training)), default=10)
    axes.set_xlim(min(1, longest - 1) - 0.01 * longest, longest * 1.02 + 0.1)
    ink.by_epoch(axes)


def _draw_lines(axes: Axes, info: CurvesInfo) -> None:
    from matplotlib.collections import LineCollection

    faint = [curve for curve in info.curves if not curve.highlighted]
    segments = [curve.points for curve in faint]
    axes.add_collection(LineCollection(segments, colors=ink.FAINT, linewidths=0.6, alpha=0.7), autolim=False)
    if info.baseline:
        value, says = info.baseline
        axes.axhline(value, color=ink.TEXT, linewidth=0.9, linestyle=(0, (5, 3)))
        ink.write(axes, 0.005, value, says, ink.SMALL, va="bottom", transform=axes.get_yaxis_transform())
    for curve in (curve for curve in info.curves if curve.highlighted):
        color, dash = ink.ROLES[curve.role], (0, (4, 1.5)) if curve.status == RUNNING else "-"
        axes.plot(range(1, len(curve.training) + 1), curve.training, color=color, linewidth=0.8, linestyle=":", marker="")
        alone = "o" if len(curve.points) == 1 else ""
        at, values = zip(*curve.points, strict=True) if curve.points else ((), ())
        axes.plot(at, values, color=color, linewidth=1.8, linestyle=dash, marker=alone, markersize=3)
        if curve.best_epoch:
            best = curve.values[curve.best_epoch - 1]
            axes.plot([curve.best_epoch], [best], marker="o", markersize=5.5, color=color, markeredgecolor=ink.WHITE, zorder=4)


def _draw_key(sheet: Axes, info: CurvesInfo, left: float, top: float, width: float) -> None:
    """Two columns under the axes: the best at the left; the running, or else how to read the lines, at the right.

    Where names and values have no room in one line, the names stand once, above.
    """
    room = ink.fitting(width / 2 - 24, ink.SMALL)
    best = [key for key in info.keys if key.role.startswith("best")]
    running = [key for key in info.keys if key not in best]
    rooms = [room - len(key.score) - 2 for key in info.keys]
    named = all(len(" · ".join(key.values)) <= most for key, most in zip(info.keys, rooms, strict=True))
    names = "" if named else " · ".join(info.names)
    shared = f"all with {' · '.join(info.shared)}" if info.shared else ""
    above = squeeze(filter(None, [names, shared]), ink.fitting(width, ink.SMALL))
    ink.write(sheet, left, top, above, ink.SMALL, ink.QUIET, style="italic")
    middle = left + width / 2 + 4 if best else left
    for x, keys in ((left, best), (middle, running)):
        for i, key in enumerate(keys, 1):
            dash = (0, (3, 1.2)) if keys is running else "-"
            values = key.values if named else [v.removeprefix(f"{n} ") for n, v in zip(info.names, key.values, strict=True)]
            text = f"{key.score}  {squeeze(values, room - len(key.score) - 2)}"
            _key_line(sheet, x, top - 13 * i, ink.ROLES[key.role], dash, text)
    if not running:
        _key_line(sheet, middle, top - 13, ink.TEXT, "", "best epoch", marker="o")
        _key_line(sheet, middle, top - 26, ink.TEXT, ":", "on the training data")
        _key_line(sheet, middle, top - 39, ink.FAINT, "-", info.others or "0 others")


def _key_line(sheet: Axes, x: float, y: float, color: str, dash: object, text: str, marker: str = "") -> None:
    from matplotlib.lines import Line2D

    at = [x + 7] if marker else [x, x + 14]
    line = Line2D(at, [y + 2.5] * len(at), color=color, linewidth=1.8, linestyle=dash, marker=marker, markersize=5)  # type: ignore[arg-type]
    sheet.add_line(line)
    ink.write(sheet, x + 18, y, text, ink.SMALL)
