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
from nbtune.views.figures.marks import LEFT_OUT, MARKS
from nbtune.views.figures.palette import PALETTE
from nbtune.views.words import short_score, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["GridInfo", "draw_grid", "grid_info"]

_TWO_LINES = 24.0  # points that a score and its spread need, one above the other
_INKS = {  # a cell's fill says done
    RUNNING: ink.ALARM,
    FAILED: ink.TEXT,
    DIVERGED: ink.TEXT,
    STOPPED: ink.QUIET,
    PENDING: ink.DOT,
    LEFT_OUT: ink.DOT,
}


def draw_grid(info: GridInfo, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure."""
    sheet = ink.sheet(figure)
    width, height = ink.size(figure)
    places = layout(info, width, height)
    ink.write(sheet, places.left, height - 15, info.title, ink.TITLE, weight="bold")
    note = shorten(info.note, ink.fitting(width - places.left - 8, ink.SMALL))
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
    shades = [PALETTE[info.shade(cell) or 0].fill for cell in scored]
    sheet.add_collection(PolyCollection(squares, facecolors=shades, linewidths=0), autolim=False)
    open_ones = [square for square, cell in zip(squares, scored, strict=True) if cell.provisional]
    hatched = PolyCollection(open_ones, facecolors="none", edgecolors="#ffffff70", linewidths=0, hatch="////")
    sheet.add_collection(hatched, autolim=False)
    for status, color in _INKS.items():
        here = [places.mark(cell) for cell in info.cells if cell.status == status]
        _mark(sheet, here, status, color, min(9.0, 0.62 * min(w, h)))
    _mark(sheet, list(map(places.middle, info.left_out)), LEFT_OUT, ink.DOT, min(9.0, 0.62 * min(w, h)))
    if places.numbers:
        _write_scores(sheet, info, places, scored)
    for square, cell in zip(squares, scored, strict=True):
        if cell.best:
            _frame(sheet, square, max(min(0.1 * min(w, h), 2.2), 1.2))


def _mark(sheet: Axes, at: Sequence[tuple[float, float]], status: str, color: str, size: float) -> None:
    from matplotlib.path import Path

    mark = MARKS[status]
    points = [point for line in mark.lines for point in line]
    codes = [Path.LINETO if i else Path.MOVETO for line in mark.lines for i in range(len(line))]
    reach = 2 * max(abs(part) for point in points for part in point)  # matplotlib stretches a marker to its size
    look = {"facecolors": color, "linewidths": 0} if mark.filled else {"edgecolors": color, "linewidths": mark.stroke * size}
    look = {"facecolors": "none", **look}
    xs, ys = [x for x, _ in at], [y for _, y in at]
    sheet.scatter(xs, ys, s=(reach * size) ** 2, marker=Path(points, codes), clip_on=False, **look)  # type: ignore[arg-type]


def _frame(sheet: Axes, square: Sequence[tuple[float, float]], line: float) -> None:
    for color, width in ((ink.WHITE, 1.8 * line), (ink.ALARM, line)):
        xs, ys = zip(*square, square[0], strict=True)
        sheet.plot(xs, ys, color=color, linewidth=width, linestyle="-", marker="", solid_joinstyle="miter", zorder=5)


def _write_scores(sheet: Axes, info: GridInfo, places: Layout, scored: Sequence[Cell]) -> None:
    for cell in scored:
        x, y = places.middle(cell)
        color = PALETTE[info.shade(cell) or 0].ink
        if not cell.spread or places.cell[1] < _TWO_LINES:
            ink.write(sheet, x, y, cell.text, ink.SMALL, color, ha="center", va="center_baseline")
        else:
            both = f"{cell.text}\n{cell.spread}"
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
    """The colour bar, the better end up."""
    from matplotlib.collections import PolyCollection

    better, worse = info.ends
    if not better:
        return
    x, bottom, top = places.scale
    steps = [bottom + (top - bottom) * i / len(PALETTE) for i in range(len(PALETTE) + 1)]
    bands = [((x, a), (x + 9, a), (x + 9, b + 0.4), (x, b + 0.4)) for a, b in itertools.pairwise(steps)]
    fills = [shade.fill for shade in PALETTE]
    sheet.add_collection(PolyCollection(bands, facecolors=fills, linewidths=0, antialiaseds=False), autolim=False)
    if info.baseline_share is not None:
        y = bottom + (top - bottom) * info.baseline_share
        sheet.plot([x - 3, x + 12], [y, y], color=ink.TEXT, linewidth=1.2, linestyle="-", marker="")
        ink.write(sheet, x + 14, y, short_score(info.baseline or 0.0), ink.SMALL, va="center_baseline")
    ink.write(sheet, x - 2, top + 4, better, ink.SMALL)
    ink.write(sheet, x - 2, bottom - 10, worse, ink.SMALL)


def _draw_legend(sheet: Axes, info: GridInfo, places: Layout) -> None:
    """Each status that occurs, with its mark and how many."""
    x, y = places.legend
    gap = 11.0
    for status, text in info.legend:
        _mark(sheet, [(x + 4, y + 2.5)], status, "#35b779" if status == DONE else _INKS[status], 7.5)
        ink.write(sheet, x + gap, y, text, ink.SMALL)
        x += gap + ink.text_width(text, ink.SMALL) + gap
    if any(cell.best for cell in info.cells):
        _frame(sheet, [(x, y - 1), (x + 7, y - 1), (x + 7, y + 6), (x, y + 6)], 1.6)
        ink.write(sheet, x + gap, y, "best", ink.SMALL)
        x += gap + ink.text_width("best", ink.SMALL) + gap
    if any(cell.tie for cell in info.cells):
        ink.write(sheet, x, y, f"{SIGN} not significantly different", ink.SMALL)
