"""The learning rate of the best trials, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtune.errors import UsageError
from nbtune.record.progress import Progress, Trial
from nbtune.views.figures import ink
from nbtune.views.words import hyperparameters, measured, squeeze, value_text, varying

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

MOST = 6
COLORS = (*ink.BEST, *ink.RUNNING)


@dataclass(frozen=True)
class RateCurve:
    """One trial's learning rates.

    Attributes:
        rates: at the first step of each epoch, from epoch 1.
        score: in words.
        values: the hyperparameters that tell it from the other trials.
        best_epoch: counted from 1.
    """

    trial: str
    rates: tuple[float, ...]
    score: str
    values: tuple[str, ...]
    best_epoch: int | None


@dataclass(frozen=True)
class LrInfo:
    """The best trial of each course that the rate takes, the best of them first.

    Attributes:
        log: whether it is better read on a log scale.
        left_out: how many more courses there are.
    """

    objective: str
    curves: tuple[RateCurve, ...]
    log: bool
    left_out: int


def lr_info(progress: Progress) -> LrInfo:
    """Raises UsageError where no trial's rates are known."""
    ranked = [trial for trial in progress.standing if trial.rates]
    if not ranked:
        raise UsageError("no learning rates are known yet: they come with the first combination that has ended")
    best = {_course(trial): trial for trial in reversed(ranked)}
    shown = [trial for trial in ranked if best[_course(trial)] is trial]
    names = varying(shown[:MOST]) if len(shown) > 1 else hyperparameters(shown)
    curves = tuple(
        RateCurve(t.id, t.rates, measured(t), tuple(f"{name} {value_text(t, name)}" for name in names), t.best_epoch)
        for t in shown[:MOST]
    )
    rates = [rate for curve in curves for rate in curve.rates]
    return LrInfo(progress.objective.name, curves, 0 < 8 * min(rates) < max(rates), max(len(shown) - MOST, 0))


def _course(trial: Trial) -> tuple[object, ...]:
    """Equal for trials whose rate takes the same course, however early one of them was stopped."""
    return trial.values.get("schedule"), trial.values.get("learning_rate"), trial.rates[:2]


def draw_lr(info: LrInfo, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure."""
    width, height = ink.size(figure)
    sheet = ink.sheet(figure)
    left, right, head, foot = 52.0, 12.0, 26.0, 52.0 + 12.0 * len(info.curves)
    ink.write(sheet, left, height - 15, "Learning rate, epoch by epoch", ink.TITLE, weight="bold")
    box = (left / width, foot / height, (width - left - right) / width, (height - foot - head) / height)
    axes = figure.add_axes(box)
    _style(axes, info.log)
    for curve, color in reversed(list(zip(info.curves, COLORS, strict=False))):
        epochs = range(1, len(curve.rates) + 1)
        axes.plot(epochs, curve.rates, color=color, linewidth=1.8, linestyle="-", marker="o", markersize=2.5)
        if curve.best_epoch and curve.best_epoch <= len(curve.rates):
            at = [curve.best_epoch], [curve.rates[curve.best_epoch - 1]]
            axes.plot(*at, marker="o", markersize=6.5, color=color, markeredgecolor=ink.WHITE, linestyle="", zorder=4)
    _draw_key(sheet, info.curves, left, foot - 34, width - left - right)
    more = f"; {info.left_out} more not drawn" if info.left_out else ""
    note = f"at the first step of each epoch; large dot: best epoch by {info.objective}{more}"
    ink.write(sheet, left, 8, note, ink.SMALL, ink.QUIET)


def _style(axes: Axes, log: bool) -> None:
    if log:
        axes.set_yscale("log")
    ink.by_epoch(axes)


def _draw_key(sheet: Axes, curves: Sequence[RateCurve], left: float, top: float, width: float) -> None:
    from matplotlib.lines import Line2D

    room = ink.fitting(width - 24, ink.SMALL)
    for i, (curve, color) in enumerate(zip(curves, COLORS, strict=False)):
        y = top - 12 * i
        sheet.add_line(Line2D([left, left + 14], [y + 2.5] * 2, color=color, linewidth=1.8, linestyle="-"))
        ink.write(sheet, left + 18, y, f"{curve.score}  {squeeze(curve.values, room - len(curve.score) - 2)}", ink.SMALL)
