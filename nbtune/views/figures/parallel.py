"""Parallel coordinates: a line for each combination through its values to its score, the best ones in colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtune.record.progress import Progress
from nbtune.views.figures import ink
from nbtune.views.figures.gridinfo import Side, ordered, text
from nbtune.views.figures.scale import limits
from nbtune.views.words import score_text, shorten, varying

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

MOST_LINES = 2_000
HALO = {"boxstyle": "square,pad=0.1", "facecolor": ink.WHITE, "edgecolor": "none", "alpha": 0.75}
SPREAD = 0.06  # of an axis: lines through one value lie this far apart at most, so that each can be followed


@dataclass(frozen=True)
class Line:
    """A combination: its place on each side (an index into the values) and its score. `rank` is 1 for the best."""

    trial: str
    places: tuple[int, ...]
    score: float
    rank: int


@dataclass(frozen=True)
class ParallelInfo:
    """The sides from left to right and the lines, the best last; `limits` is the range of the score, at the right.

    `left_out` counts the weaker combinations that are not drawn.
    """

    objective: str
    direction: str
    sides: tuple[Side, ...]
    lines: tuple[Line, ...]
    limits: tuple[float, float]
    left_out: int


def parallel_info(progress: Progress) -> ParallelInfo:
    names = varying(progress.trials)
    values = {name: ordered(progress.trials, name) for name in names}
    index = {name: {value: i for i, value in enumerate(values[name])} for name in names}
    ranking = progress.ranking
    lines = [
        Line(trial.id, tuple(index[name][trial.values.get(name)] for name in names), trial.score or 0.0, rank)
        for rank, trial in enumerate(ranking[:MOST_LINES], 1)
    ]
    sides = tuple(Side(name, tuple(map(text, values[name]))) for name in names)
    objective = progress.objective
    spread = limits((line.score for line in lines), objective)
    return ParallelInfo(objective.name, objective.direction, sides, tuple(lines[::-1]), spread, len(ranking) - len(lines))


def draw_parallel(info: ParallelInfo, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure."""
    from matplotlib.collections import LineCollection

    width, height = ink.size(figure)
    sheet = ink.sheet(figure)
    ink.write(sheet, 12, height - 15, f"Each combination, from its values to its {info.objective}", ink.TITLE, weight="bold")
    ink.write(sheet, 12, 10, "the best three in colour, the better a line the darker", ink.SMALL, ink.QUIET)
    left, right, foot, head = 40.0, 62.0, 42.0, 52.0
    step = (width - left - right) / max(len(info.sides), 1)
    rise = height - foot - head
    paths = [_path(info, line, left, step, foot, rise) for line in info.lines]
    sheet.add_collection(LineCollection(paths, colors=[_color(info, line) for line in info.lines], linewidths=_widths(info)))
    for i, side in enumerate(info.sides):
        x = left + i * step
        sheet.plot([x, x], [foot, foot + rise], color=ink.QUIET, linewidth=0.8, marker="", linestyle="-")
        ink.write(sheet, x, foot + rise + 10, shorten(side.name, ink.fitting(step, ink.BODY)), ha="center")
        for place, value in enumerate(side.values):
            label = shorten(value, max(ink.fitting(step * 0.7, ink.SMALL), 3))
            y = foot + rise * _height(place, len(side.values))
            ink.write(sheet, x + 5, y, label, ink.SMALL, ink.TEXT, va="center", bbox=HALO)
    x = width - right
    sheet.plot([x, x], [foot, foot + rise], color=ink.QUIET, linewidth=0.8, marker="", linestyle="-")
    for share in (0.0, 0.5, 1.0):
        score = info.limits[0] + share * (info.limits[1] - info.limits[0])
        ink.write(sheet, x + 5, foot + rise * share, score_text(score), ink.SMALL, ink.TEXT, va="center")
    ink.write(sheet, x, foot + rise + 10, shorten(info.objective, ink.fitting(2 * right, ink.BODY)), ha="center")


def _height(place: int, count: int) -> float:
    """Where a value stands on its side, from 0 to 1."""
    return (place + 0.5) / count


def _share(info: ParallelInfo, score: float) -> float:
    low, high = info.limits
    return min(max((score - low) / (high - low), 0.0), 1.0) if high > low else 0.5


def _path(info: ParallelInfo, line: Line, left: float, step: float, foot: float, rise: float) -> list[tuple[float, float]]:
    """The line's points; within a value it stands the higher the higher its score."""
    share = _share(info, line.score)
    sway = SPREAD * (share - 0.5)
    points = [
        (left + i * step, foot + rise * (_height(place, len(side.values)) + sway / max(len(side.values) / 4, 1)))
        for i, (place, side) in enumerate(zip(line.places, info.sides, strict=True))
    ]
    return [*points, (left + step * max(len(info.sides), 1), foot + rise * share)]


def _color(info: ParallelInfo, line: Line) -> str | tuple[float, float, float, float]:
    if line.rank <= len(ink.BEST):
        return ink.BEST[line.rank - 1]
    share = _share(info, line.score)
    return (0.35, 0.35, 0.35, 0.08 + 0.35 * (share if info.direction == "max" else 1 - share))


def _widths(info: ParallelInfo) -> list[float]:
    return [2.0 if line.rank <= len(ink.BEST) else 0.8 for line in info.lines]
