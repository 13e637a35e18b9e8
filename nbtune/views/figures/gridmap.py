"""The grid as a map, drawn. Colour tells the score and shape tells the status, so that it also reads without colour."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbtune.record.events import DIVERGED, DONE, FAILED, PENDING, RUNNING, STOPPED
from nbtune.record.ties import SIGN
from nbtune.views.figures import ink
from nbtune.views.figures.gridinfo import Cell, GridInfo, grid_info
from nbtune.views.figures.maplayout import Layout, layout
from nbtune.views.words import score_text, short_score, short_spread, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["GridInfo", "draw_grid", "grid_info"]

_TWO_LINES = 24.0  # points that a score and its spread need, one above the other
_MARKS = {  # status to marker, colour, width of the line; a cell's fill says done
    RUNNING: ("o", ink.ALARM, 1.6),
    FAILED: ("x", ink.TEXT, 1.4),
    DIVERGED: ("$!$", ink.TEXT, 0.6),
    STOPPED: ("_", ink.QUIET, 1.8),
    PENDING: (".", ink.DOT, 0.0),
}


def draw_grid(info: GridInfo, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure."""
    sheet = ink.sheet(figure)
    width, height = ink.size(figure)
    places = layout(info, width, height)
    names = " and ".join(side.name for side in (info.x, info.y) if side.name)
    ink.write(sheet, places.left, height - 15, f"{info.objective} by {names}", ink.TITLE, weight="bold")
    note = f"each cell: the best over {', '.join(info.over)}" if info.over else ""
    if len(info.facet_names) > 2:
        note = f"each map: {' · '.join(info.facet_names)}"
    note = shorten(note, ink.fitting(width - places.left - 8, ink.SMALL))
    ink.write(sheet, places.left, height - 27, note, ink.SMALL, ink.QUIET)
    _draw_cells(sheet, info, places)
    _draw_labels(sheet, info, places)
    _draw_scale(sheet, info, places, width)
    _draw_legend(sheet, info, places)


def _draw_cells(sheet: Axes, info: GridInfo, places: Layout) -> None:
    from matplotlib.collections import PolyCollection

    inset = min(0.06 * min(places.cell), 1.5)
    w, h = places.cell
    scored = [cell for cell in info.cells if cell.score is not None]
    corners = [(x + inset, y + inset, x + w - inset, y + h - inset) for x, y in map(places.corner, scored)]
    squares = [((a, b), (c, b), (c, d), (a, d)) for a, b, c, d in corners]
    fills = PolyCollection(squares, cmap=_colours(info), linewidths=0)
    fills.set_array([cell.score or 0.0 for cell in scored])
    fills.set_clim(*info.limits)
    sheet.add_collection(fills, autolim=False)
    for status, (marker, color, line) in _MARKS.items():
        here = [places.mark(cell) for cell in info.cells if cell.status == status]
        _mark(sheet, here, marker, color, line, min(9.0, 0.62 * min(w, h)))
    if places.numbers:
        _write_scores(sheet, info, places, scored)
    for square, cell in zip(squares, scored, strict=True):
        if cell.best:
            _frame(sheet, square, max(min(0.1 * min(w, h), 2.2), 1.2))


def _mark(sheet: Axes, at: Sequence[tuple[float, float]], marker: str, color: str, line: float, size: float) -> None:
    hollow = {"facecolors": "none", "edgecolors": color} if marker == "o" else {"color": color}
    size = {".": 0.5, "o": 0.9}.get(marker, 1.0) * size
    xs, ys = [x for x, _ in at], [y for _, y in at]
    sheet.scatter(xs, ys, s=size**2, marker=marker, linewidths=min(line, size / 4), clip_on=False, **hollow)  # type: ignore[arg-type]


def _frame(sheet: Axes, square: Sequence[tuple[float, float]], line: float) -> None:
    for color, width in ((ink.WHITE, 1.8 * line), (ink.ALARM, line)):
        xs, ys = zip(*square, square[0], strict=True)
        sheet.plot(xs, ys, color=color, linewidth=width, linestyle="-", marker="", solid_joinstyle="miter", zorder=5)


def _write_scores(sheet: Axes, info: GridInfo, places: Layout, scored: Sequence[Cell]) -> None:
    low, high = info.limits
    for cell in scored:
        if cell.score is not None:
            x, y = places.middle(cell)
            good = (cell.score - low) / (high - low or 1) if info.direction == "max" else (high - cell.score) / (high - low or 1)
            color = ink.TEXT if good > 0.55 else ink.WHITE
            text = f"{SIGN}{short_score(cell.score)}" if cell.tie else short_score(cell.score)
            if cell.std is None or places.cell[1] < _TWO_LINES:
                ink.write(sheet, x, y, text, ink.SMALL, color, ha="center", va="center_baseline")
            else:
                both = f"{text}\n{short_spread(cell.score, cell.std)}"
                ink.write(sheet, x, y, both, 0.85 * ink.SMALL, color, ha="center", va="center")


def _draw_labels(sheet: Axes, info: GridInfo, places: Layout) -> None:
    for x, y, text in places.x_labels:
        ink.write(sheet, x, y, text, ink.SMALL, ha="center", va="top")
    for x, y, text in places.y_labels:
        ink.write(sheet, x, y, text, ink.SMALL, ha="right", va="center_baseline")
    for x, y, text, angle in places.heads:
        ink.write(sheet, x, y, text, ink.SMALL, ink.QUIET, ha="center", va="center", rotation=angle)
    x, y = places.x_name
    ink.write(sheet, x, y, info.x.name, ink.BODY, ha="center", va="top")
    x, y = places.y_name
    ink.write(sheet, x, y, info.y.name, ink.BODY, ha="left", va="center", rotation=90)


def _draw_scale(sheet: Axes, info: GridInfo, places: Layout, width: float) -> None:
    """The colour bar, the better end up; a triangle says that worse scores share the lowest colour."""
    from matplotlib.collections import PolyCollection

    if not any(cell.score is not None for cell in info.cells):
        return
    x, bottom, top = places.scale
    low, high = info.limits
    worse, better = (low, high) if info.direction == "max" else (high, low)
    steps = [bottom + (top - bottom) * i / 48 for i in range(49)]
    bands = [((x, a), (x + 9, a), (x + 9, b + 0.4), (x, b + 0.4)) for a, b in itertools.pairwise(steps)]
    bar = PolyCollection(bands, cmap=_colours(info), linewidths=0, antialiaseds=False)
    bar.set_array([worse + (better - worse) * i / 47 for i in range(48)])
    bar.set_clim(low, high)
    sheet.add_collection(bar, autolim=False)
    ink.write(sheet, x - 2, top + 4, score_text(better), ink.SMALL)
    if low != high:
        more = {"max": "≤ ", "min": "≥ "}[info.direction] if info.clipped else ""
        ink.write(sheet, x - 2, bottom - 10, more + score_text(worse), ink.SMALL)


def _draw_legend(sheet: Axes, info: GridInfo, places: Layout) -> None:
    """Each status that occurs, with its mark and how many."""
    x, y = places.legend
    gap = 11.0
    for status in (DONE, RUNNING, PENDING, STOPPED, FAILED, DIVERGED):
        if not info.counts.get(status):
            continue
        if status == DONE:
            _mark(sheet, [(x + 4, y + 2.5)], "s", "#35b779", 0.0, 7.5)
        else:
            _mark(sheet, [(x + 4, y + 2.5)], *_MARKS[status], 7.5)
        text = f"{info.counts[status]:,} {status}"
        ink.write(sheet, x + gap, y, text, ink.SMALL)
        x += gap + ink.text_width(text, ink.SMALL) + gap
    if any(cell.best for cell in info.cells):
        _frame(sheet, [(x, y - 1), (x + 7, y - 1), (x + 7, y + 6), (x, y + 6)], 1.6)
        ink.write(sheet, x + gap, y, "best", ink.SMALL)
        x += gap + ink.text_width("best", ink.SMALL) + gap
    if any(cell.tie for cell in info.cells):
        ink.write(sheet, x, y, f"{SIGN} not told from it", ink.SMALL)


def _colours(info: GridInfo) -> str:
    """The better end is bright yellow in both directions."""
    return "viridis" if info.direction == "max" else "viridis_r"
