"""The score by one hyperparameter at a time, the others as a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nbtune.ask.objective import Objective
from nbtune.record.progress import Progress, Trial
from nbtune.views.figures import ink
from nbtune.views.figures.gridinfo import ordered, text
from nbtune.views.figures.scale import limits
from nbtune.views.words import shorten, varying

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

MOST_PANELS = 9
NAME_BELOW = 22  # points below its axis


@dataclass(frozen=True)
class Slice:
    """The scores of all combinations, by the value of one hyperparameter.

    `values` are texts in drawing order; for each of them `counts` is how many combinations have a score, and `best`, `middle`,
    `low`, `high` are their best score, median and quartiles (NaN where there is none).
    """

    name: str
    values: tuple[str, ...]
    counts: tuple[int, ...]
    best: tuple[float, ...]
    middle: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class SlicesInfo:
    """A `Slice` for each hyperparameter that varies; `limits` is the range of the score axis that they share."""

    objective: str
    slices: tuple[Slice, ...]
    limits: tuple[float, float]


def slices_info(progress: Progress) -> SlicesInfo:
    trials = progress.trials
    found = tuple(_slice(trials, name, progress.objective) for name in varying(trials)[:MOST_PANELS])
    shown = (v for each in found for v in (*each.best, *each.low, *each.high))
    return SlicesInfo(progress.objective.name, found, limits(shown, progress.objective))


def _slice(trials: Sequence[Trial], name: str, objective: Objective) -> Slice:
    values = ordered(trials, name)
    scores = [[t.score for t in trials if t.values.get(name) == value and t.score is not None] for value in values]
    best = [(max if objective.direction == "max" else min)(s, default=np.nan) for s in scores]
    low, middle, high = np.transpose([np.quantile(s, [0.25, 0.5, 0.75]) if s else [np.nan] * 3 for s in scores]).tolist()
    return Slice(
        name, tuple(map(text, values)), tuple(map(len, scores)), tuple(map(float, best)), tuple(middle), tuple(low), tuple(high)
    )


def draw_slices(info: SlicesInfo, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure."""
    width, height = ink.size(figure)
    sheet = ink.sheet(figure)
    ink.write(sheet, 12, height - 15, f"{info.objective} by one hyperparameter at a time", ink.TITLE, weight="bold")
    ink.write(sheet, 12, 10, "line: the best; dots: the median; band: the middle half of all", ink.SMALL, ink.QUIET)
    columns = min(len(info.slices), 3)
    rows = -(-len(info.slices) // max(columns, 1))
    for i, each in enumerate(info.slices):
        column, row = i % columns, i // columns
        across, up = (width - 50) / columns, (height - 54) / rows
        box = (46 + column * across, height - 30 - (row + 1) * up + 32, across - 14, up - 44)
        axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
        _draw_slice(axes, each, info.limits, column == 0, -NAME_BELOW / box[3])


def _draw_slice(axes: Axes, info: Slice, limits: tuple[float, float], first: bool, name_at: float) -> None:
    places = range(len(info.values))
    room = 0.05 * (limits[1] - limits[0]) or 0.5
    axes.set(xlim=(-0.4, len(places) - 0.6), ylim=(limits[0] - room, limits[1] + room), facecolor=ink.WHITE)
    axes.fill_between(places, info.low, info.high, color=ink.BEST[2], alpha=0.3, linewidth=0)
    axes.plot(places, info.middle, linestyle="", marker="o", markersize=3, color=ink.QUIET)
    axes.plot(places, info.best, color=ink.BEST[0], linewidth=1.8, marker="o", markersize=4, linestyle="-")
    axes.set_xticks(list(places), [shorten(value, 9) for value in info.values], parse_math=False)
    axes.tick_params(which="both", colors=ink.QUIET, labelsize=ink.SMALL, length=2, labelfontfamily=ink.FONT, labelleft=first)
    axes.grid(True, axis="y", color=ink.GRID, linewidth=0.6, linestyle="-")
    axes.set_axisbelow(True)
    ink.write(axes, 0.5, name_at, info.name, ink.SMALL, ink.TEXT, ha="center", va="top", transform=axes.transAxes)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(ink.FAINT)
