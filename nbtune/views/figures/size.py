"""Is bigger better? Score and seconds by how many weights a network has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtune.errors import UsageError
from nbtune.record.progress import Progress, Trial
from nbtune.record.ties import ties
from nbtune.views.figures import ink
from nbtune.views.figures.scale import limits
from nbtune.views.words import measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

SECONDS = "seconds; networks that train together have equal shares"
VALIDATION, TRAINING = ink.BEST[0], ink.RUNNING[1]


@dataclass(frozen=True)
class Sized:
    """One trial.

    Attributes:
        weights: how many it has.
        score: the objective at its best epoch.
        training: the same metric on the training data in that epoch; None where there is none.
        seconds: in the worker.
    """

    trial: str
    weights: int
    score: float
    training: float | None
    seconds: float


@dataclass(frozen=True)
class SizeInfo:
    """Trials with a score, from the smallest network to the largest.

    Attributes:
        limits: of the axis of scores.
        note: the sizes and scores of the best and, with repeats, of the smallest that cannot be told from it, in words.
    """

    objective: str
    points: tuple[Sized, ...]
    best: Sized
    limits: tuple[float, float]
    note: str


def size_info(progress: Progress) -> SizeInfo:
    """Raises UsageError before two combinations have a score."""
    ranking = {trial.id: trial for trial in progress.ranking if trial.size}
    points = [_sized(trial, progress) for trial in ranking.values()]
    if len(points) < 2:
        raise UsageError("the plot of sizes needs two combinations that have ended with a score")
    best, alike = points[0], ties(progress)
    smallest = min((point for point in points if point.trial in alike), key=lambda point: point.weights, default=best)
    note = f"best: {best.weights:,} weights, {measured(ranking[best.trial])}"
    if smallest.weights < best.weights:
        scores = measured(ranking[smallest.trial])
        note += f"; smallest not significantly different from it: {smallest.weights:,} weights, {scores}"
    shown = [value for point in points for value in (point.score, point.training) if value is not None]
    scale = limits(shown, progress.objective)
    note += "; triangles: off the scale" if any(not scale[0] <= value <= scale[1] for value in shown) else ""
    ordered = tuple(sorted(points, key=lambda point: point.weights))
    return SizeInfo(progress.objective.name, ordered, best, scale, note)


def _sized(trial: Trial, progress: Progress) -> Sized:
    objective, at = progress.objective, (trial.best_epoch or 0) - 1
    training = trial.history.get(objective.metric, ()) if objective.metric != objective.name else ()
    score = trial.score
    assert score is not None and trial.size is not None
    return Sized(trial.id, trial.size, score, training[at] if 0 <= at < len(training) else None, trial.seconds)


def draw_size(info: SizeInfo, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure."""
    width, height = ink.size(figure)
    sheet = ink.sheet(figure)
    ink.write(sheet, 12, height - 15, f"{info.objective} by number of weights", ink.TITLE, weight="bold")
    upper = (height - 96) * 0.62
    box = (52 / width, (height - 30 - upper) / height, (width - 66) / width, upper / height)
    scores = _axes(figure, box, info.points)
    scores.tick_params(labelbottom=False)
    room = 0.05 * (info.limits[1] - info.limits[0]) or 0.5
    scores.set_ylim(info.limits[0] - room, info.limits[1] + room)
    _dots(scores, info.points, lambda point: point.training, TRAINING, filled=False)
    _dots(scores, info.points, lambda point: point.score, VALIDATION, filled=True)
    scores.plot([info.best.weights], [info.best.score], marker="o", markersize=10, markerfacecolor="none", color=VALIDATION)
    seconds = _axes(figure, (box[0], 62 / height, box[2], (height - 110 - upper) / height), info.points)
    seconds.set_ylim(0, 1.05 * max(point.seconds for point in info.points) or 1)
    _dots(seconds, info.points, lambda point: point.seconds, ink.QUIET, filled=True)
    seconds.set_xlabel("weights", fontsize=ink.SMALL, color=ink.QUIET, labelpad=1, family=ink.FONT)
    ink.write(seconds, 0.01, 0.84, SECONDS, ink.SMALL, ink.QUIET, transform=seconds.transAxes)
    _key(sheet, info, width)


def _key(sheet: Axes, info: SizeInfo, width: float) -> None:
    x = 52.0
    shown = [(VALIDATION, True, "score"), *([(TRAINING, False, "on the training data")] if _has_training(info) else [])]
    for color, filled, text in [*shown, (VALIDATION, False, "the best")]:
        size = 9 if text == "the best" else 5
        face = color if filled else "none"
        sheet.plot([x], [28], marker="o", markersize=size, color=color, markerfacecolor=face, linestyle="", alpha=0.8)
        ink.write(sheet, x + 8, 25.5, text, ink.SMALL)
        x += 26 + ink.text_width(text, ink.SMALL)
    ink.write(sheet, 12, 8, info.note, ink.SMALL, ink.QUIET)


def _has_training(info: SizeInfo) -> bool:
    return any(point.training is not None for point in info.points)


def _axes(figure: Figure | SubFigure, box: tuple[float, float, float, float], points: Sequence[Sized]) -> Axes:
    axes = figure.add_axes(box)
    axes.set_xscale("log")
    axes.set_xlim(points[0].weights / 1.3, points[-1].weights * 1.3)
    axes.set_facecolor(ink.WHITE)
    axes.tick_params(which="both", colors=ink.QUIET, labelsize=ink.SMALL, length=2, labelfontfamily=ink.FONT, grid_color=ink.GRID)
    axes.grid(True, color=ink.GRID, linewidth=0.6, linestyle="-")
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(ink.FAINT)
    return axes


def _dots(axes: Axes, points: Sequence[Sized], value: Callable[[Sized], float | None], color: str, filled: bool) -> None:
    """A dot for each; a triangle at the edge for what is off the scale."""
    low, high = axes.get_ylim()
    face = color if filled else "none"
    for marker, shown in (("o", lambda v: low <= v <= high), ("v", lambda v: v < low), ("^", lambda v: v > high)):
        known = [(point.weights, found) for point in points if (found := value(point)) is not None and shown(found)]
        weights, values = [pair[0] for pair in known], [min(max(pair[1], low), high) for pair in known]
        axes.plot(
            weights,
            values,
            marker=marker,
            markersize=5,
            color=color,
            markerfacecolor=face,
            linestyle="",
            alpha=0.8,
            clip_on=False,
        )
