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
from nbtune.views.words import score_text, squeeze, value_text, varying

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

BEST, UNDER_WAY = 3, 3


@dataclass(frozen=True)
class Curve:
    """One trial's objective, epoch by epoch.

    Attributes:
        trial: its id.
        label: the values that tell it from others, in the order of `CurvesInfo.names`.
        status: as in `Trial.status`.
        values: one an epoch, from epoch 1; NaN where not finite.
        training: the same metric on the training data, for a highlighted trial; else empty.
        rank: 1 for the best; None unless it is one of the highlighted best.
        best_epoch: counted from 1.
        score: at the best epoch.
    """

    trial: str
    label: tuple[str, ...]
    status: str
    values: tuple[float, ...]
    training: tuple[float, ...] = ()
    rank: int | None = None
    highlighted: bool = False
    best_epoch: int | None = None
    score: float | None = None

    @property
    def epochs(self) -> range:
        return range(1, len(self.values) + 1)


@dataclass(frozen=True)
class CurvesInfo:
    """What the figure shows: the faint curves first, then the running, then the best with rank 1 last.

    `limits` is the y range, `log` whether it is better read on a log scale, `left_out` how many faint curves are not here.
    """

    objective: str
    names: tuple[str, ...]
    curves: tuple[Curve, ...]
    limits: tuple[float, float]
    log: bool
    left_out: int


def curves_info(progress: Progress, most: int = 150, names: Sequence[str] | None = None) -> CurvesInfo:
    """`most`: how many faint curves at most, picked evenly from all; `names`: what tells trials apart, if known already."""
    trials = progress.trials
    names = varying(trials) if names is None else names
    name = progress.objective.name
    begun = [trial for trial in trials if trial.history.get(name)]
    best = progress.ranking[:BEST]
    running = sorted((t for t in begun if t.status == RUNNING), key=lambda t: t.started or 0.0)[-UNDER_WAY:]
    coloured = {trial.id for trial in (*best, *running)}
    others = [trial for trial in begun if trial.id not in coloured]
    step = max(math.ceil(len(others) / most), 1)
    faint = [_curve(trial, progress, names) for trial in others[::step]]
    lit = [_curve(t, progress, names, highlighted=True) for t in running]
    ranked = [_curve(t, progress, names, highlighted=True, rank=i + 1) for i, t in enumerate(best) if t.history.get(name)]
    curves = (*faint, *lit, *reversed(ranked))
    low, high = limits((v for curve in curves for v in (*curve.values, *curve.training)), progress.objective)
    log = progress.objective.direction == "min" and low > 0 and high / low > 30
    return CurvesInfo(name, tuple(names), curves, (low, high), log, len(others) - len(faint))


def _curve(trial: Trial, progress: Progress, names: Sequence[str], highlighted: bool = False, rank: int | None = None) -> Curve:
    objective = progress.objective
    values = _finite(trial.history[objective.name])
    training = _finite(trial.history.get(objective.metric, ())) if highlighted and objective.metric != objective.name else ()
    shown = trial.best_epoch if trial.best_epoch and trial.best_epoch <= len(values) else None
    label = tuple(value_text(trial, name) for name in names)
    return Curve(trial.id, label, trial.status, values, training, rank, highlighted, shown, trial.score)


def _finite(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(value if math.isfinite(value) else math.nan for value in values)


def draw_curves(info: CurvesInfo, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure."""
    width, height = ink.size(figure)
    sheet = ink.sheet(figure)
    left, right, foot, head = 42.0, 10.0, 92.0, 26.0
    ink.write(sheet, left, height - 15, f"{info.objective}, epoch by epoch", ink.TITLE, weight="bold")
    box = (left / width, foot / height, (width - left - right) / width, (height - foot - head) / height)
    axes = figure.add_axes(box)
    _style(axes, info)
    if not info.curves:
        ink.write(axes, 0.5, 0.5, "waiting for the first epoch", color=ink.QUIET, ha="center", transform=axes.transAxes)
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
    longest = max((len(curve.values) for curve in info.curves), default=10)
    axes.set_xlim(min(1, longest - 1) - 0.01 * longest, longest * 1.02 + 0.1)
    axes.set_facecolor(ink.WHITE)
    axes.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    axes.tick_params(which="both", colors=ink.QUIET, labelsize=ink.SMALL, length=2, labelfontfamily=ink.FONT, grid_color=ink.GRID)
    axes.grid(True, color=ink.GRID, linewidth=0.6, linestyle="-")
    axes.set_axisbelow(True)
    axes.set_xlabel("epoch", fontsize=ink.SMALL, color=ink.QUIET, labelpad=1, family=ink.FONT)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(ink.FAINT)


def _draw_lines(axes: Axes, info: CurvesInfo) -> None:
    from matplotlib.collections import LineCollection

    faint = [curve for curve in info.curves if not curve.highlighted]
    segments = [list(zip(curve.epochs, curve.values, strict=True)) for curve in faint]
    axes.add_collection(LineCollection(segments, colors=ink.FAINT, linewidths=0.6, alpha=0.7), autolim=False)
    for curve, color in _coloured(info):
        dash = "-" if curve.rank else (0, (4, 1.5))
        axes.plot(range(1, len(curve.training) + 1), curve.training, color=color, linewidth=0.8, linestyle=":", marker="")
        alone = "o" if len(curve.values) == 1 else ""
        axes.plot(curve.epochs, curve.values, color=color, linewidth=1.8, linestyle=dash, marker=alone, markersize=3)
        if curve.best_epoch:
            at = curve.values[curve.best_epoch - 1]
            axes.plot([curve.best_epoch], [at], marker="o", markersize=5.5, color=color, markeredgecolor=ink.WHITE, zorder=4)


def _coloured(info: CurvesInfo) -> list[tuple[Curve, str]]:
    running = [curve for curve in info.curves if curve.highlighted and not curve.rank]
    best = [curve for curve in info.curves if curve.rank]
    colours = [(curve, ink.RUNNING[i]) for i, curve in enumerate(running)]
    return [*colours, *((curve, ink.BEST[(curve.rank or 1) - 1]) for curve in best)]


def _draw_key(sheet: Axes, info: CurvesInfo, left: float, top: float, width: float) -> None:
    """Two columns under the axes: the best at the left; the running, or else how to read the lines, at the right."""
    room = ink.fitting(width / 2 - 24, ink.SMALL)
    coloured = _coloured(info)
    best = sorted((pair for pair in coloured if pair[0].rank), key=lambda pair: pair[0].rank or 0)
    running = [pair for pair in coloured if not pair[0].rank]
    names = squeeze(info.names, ink.fitting(width, ink.SMALL))
    ink.write(sheet, left, top, names, ink.SMALL, ink.QUIET, style="italic")
    for i, (curve, color) in enumerate(best):
        _key_line(sheet, left, top - 13 * (i + 1), color, "-", f"{score_text(curve.score)}  {squeeze(curve.label, room - 8)}")
    middle = left + width / 2 + 4 if best else left
    for i, (curve, color) in enumerate(running):
        _key_line(sheet, middle, top - 13 * (i + 1), color, (0, (3, 1.2)), f"running  {squeeze(curve.label, room - 9)}")
    if not running:
        others = sum(not curve.highlighted for curve in info.curves)
        _key_line(sheet, middle, top - 13, ink.TEXT, "", "best epoch", marker="o")
        _key_line(sheet, middle, top - 26, ink.TEXT, ":", "on the training data")
        more = f" ({info.left_out:,} more not drawn)" if info.left_out else ""
        _key_line(sheet, middle, top - 39, ink.FAINT, "-", f"{others} other{'s' * (others != 1)}{more}")


def _key_line(sheet: Axes, x: float, y: float, color: str, dash: object, text: str, marker: str = "") -> None:
    from matplotlib.lines import Line2D

    at = [x + 7] if marker else [x, x + 14]
    line = Line2D(at, [y + 2.5] * len(at), color=color, linewidth=1.8, linestyle=dash, marker=marker, markersize=5)  # type: ignore[arg-type]
    sheet.add_line(line)
    ink.write(sheet, x + 18, y, text, ink.SMALL)
