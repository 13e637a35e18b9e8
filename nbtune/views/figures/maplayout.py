"""Where everything on the grid map goes, in points from the lower left corner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtune.views.figures import ink
from nbtune.views.words import shorten

if TYPE_CHECKING:
    from nbtune.views.figures.gridinfo import Cell, GridInfo, Place, Side

GAP, HEAD, RIGHT, TOP, BOTTOM = 7.0, 13.0, 58.0, 34.0, 52.0  # points
WIDEST, TALLEST = 120.0, 80.0  # a cell
_CHARACTER = ink.CHARACTER * ink.SMALL

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Places of the map's parts.

    Attributes:
        left: where the small multiples begin.
        cell: width and height of a cell.
        blocks: lower left corner of each small multiple, in the order of `GridInfo.facets`.
        numbers: whether a score fits into a cell.
        x_labels, y_labels: (x, y, text).
        heads: titles of small multiples, (x, y, text, angle).
        x_name, y_name, legend: where they begin.
        scale: x, bottom and top of the colour bar.
    """

    left: float
    cell: Point
    blocks: tuple[Point, ...]
    numbers: bool
    x_labels: tuple[tuple[float, float, str], ...]
    y_labels: tuple[tuple[float, float, str], ...]
    heads: tuple[tuple[float, float, str, int], ...]
    x_name: Point
    y_name: Point
    scale: tuple[float, float, float]
    legend: Point

    def corner(self, cell: Cell | Place) -> Point:
        x, y = self.blocks[cell.facet]
        return x + cell.column * self.cell[0], y + cell.row * self.cell[1]

    def middle(self, cell: Cell | Place) -> Point:
        x, y = self.corner(cell)
        return x + self.cell[0] / 2, y + self.cell[1] / 2

    def mark(self, cell: Cell) -> Point:
        """The place of the status' mark: the middle, or a corner where the score is written."""
        x, y = self.corner(cell)
        if self.numbers and cell.score is not None:
            return x + self.cell[0] - 6, y + self.cell[1] - 6
        return self.middle(cell)


@dataclass(frozen=True)
class _Sheet:
    """Small multiples in rows and columns: (column, row from the top) of each, and the titles that they need.

    `tops` is True where each has a title of its own; else `columns` and `rows` have titles.
    """

    at: tuple[tuple[int, int], ...]
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    tops: tuple[str, ...] = ()

    def cell(self, width: float, height: float, nx: int, ny: int) -> Point:
        """The size of a cell when everything fits into `width` × `height`."""
        heads = len(self.rows) if self.tops else any(self.columns)
        sides = 0 if self.tops or not any(self.rows) else HEAD
        w = (width - sides - GAP * (len(self.columns) - 1)) / len(self.columns) / nx
        h = (height - heads * HEAD - GAP * (len(self.rows) - 1)) / len(self.rows) / ny
        return min(w, WIDEST), min(h, TALLEST)


def layout(info: GridInfo, width: float, height: float) -> Layout:
    """`width` and `height` of the whole figure, in points."""
    nx, ny = len(info.x.values), len(info.y.values)
    longest = max((len(text) for text in info.y.values), default=0)
    left = 10 + (ink.BODY + 6 if info.y.name else 0) + min(longest, 14) * _CHARACTER
    room = width - left - RIGHT, height - TOP - BOTTOM
    sheet = max(_sheets(info), key=lambda s: min(s.cell(*room, nx, ny)))
    w, h = sheet.cell(*room, nx, ny)
    block = nx * w, ny * h
    head = HEAD if sheet.tops or any(sheet.columns) else 0.0
    step = block[1] + GAP + (head if sheet.tops else 0)
    top = height - TOP - head - block[1]
    blocks = tuple((left + c * (block[0] + GAP), top - r * step) for c, r in sheet.at)
    right, bottom = max(x for x, _ in blocks) + block[0], min(y for _, y in blocks)
    return Layout(
        left,
        (w, h),
        blocks,
        w > 24 and h > 10 and len(info.cells) <= 120,
        _x_labels(info.x, blocks, sheet, w),
        _y_labels(info.y, blocks, h, left),
        _heads(sheet, blocks, block, right),
        ((left + right) / 2, bottom - 15),
        (4, (bottom + max(y for _, y in blocks) + block[1]) / 2),
        (right + 10 + (HEAD if any(sheet.rows) else 0), bottom + 12, top + block[1] - 10),
        (left - 8 - min(longest, 14) * _CHARACTER, 7),
    )


def _sheets(info: GridInfo) -> list[_Sheet]:
    """The arrangements to choose from."""
    facets = info.facets
    if not info.facet_names:
        return [_Sheet(((0, 0),), ("",), ("",))]
    if len(info.facet_names) == 2:
        return [_crossed(info, 0, 1), _crossed(info, 1, 0)]
    long = len(info.facet_names) == 1
    titles = tuple(f"{info.facet_names[0]} {f[0]}" if long else " · ".join(f) for f in facets)
    return [_wrapped(titles, columns) for columns in range(1, len(facets) + 1)]


def _crossed(info: GridInfo, across: int, down: int) -> _Sheet:
    columns = tuple(dict.fromkeys(facet[across] for facet in info.facets))
    rows = tuple(dict.fromkeys(facet[down] for facet in info.facets))
    at = tuple((columns.index(facet[across]), rows.index(facet[down])) for facet in info.facets)
    named = [tuple(f"{info.facet_names[i]} {text}" for text in texts) for i, texts in ((across, columns), (down, rows))]
    return _Sheet(at, *named)


def _wrapped(titles: tuple[str, ...], columns: int) -> _Sheet:
    rows = math.ceil(len(titles) / columns)
    at = tuple((i % columns, i // columns) for i in range(len(titles)))
    return _Sheet(at, ("",) * columns, ("",) * rows, titles)


def _x_labels(side: Side, blocks: Sequence[Point], sheet: _Sheet, w: float) -> tuple[tuple[float, float, str], ...]:
    """Under the lowest block of each column; where they would touch, only every second, third, ..."""
    lowest: dict[float, float] = {}
    for x, y in blocks:
        lowest[x] = min(y, lowest.get(x, y))
    room = max(ink.fitting(w, ink.SMALL) - 1, 5)
    texts = [text if len(text) <= room + 3 else f"{text[:room]}…" for text in side.values]
    step = max(math.ceil((max(map(len, texts)) + 0.5) * _CHARACTER / w), 1)
    middles = [((i + 0.5) * w, text) for i, text in enumerate(texts) if i % step == 0]
    return tuple((x + dx, y - 3, text) for x, y in lowest.items() for dx, text in middles)


def _y_labels(side: Side, blocks: Sequence[Point], h: float, left: float) -> tuple[tuple[float, float, str], ...]:
    rows = dict.fromkeys(y for _, y in blocks)
    step = max(math.ceil((ink.SMALL + 1) / h), 1)
    middles = [((i + 0.5) * h, shorten(text, 14)) for i, text in enumerate(side.values) if i % step == 0]
    return tuple((left - 4, y + dy, text) for y in rows for dy, text in middles)


def _heads(sheet: _Sheet, blocks: Sequence[Point], block: Point, right: float) -> tuple[tuple[float, float, str, int], ...]:
    across, down = max(int(block[0] / _CHARACTER), 3), max(int(block[1] / _CHARACTER), 3)
    if sheet.tops:
        titles = zip(blocks, sheet.tops, strict=True)
        return tuple((x + block[0] / 2, y + block[1] + 6, fitted(text, across), 0) for (x, y), text in titles)
    xs, ys = list(dict.fromkeys(x for x, _ in sorted(blocks))), sorted({y for _, y in blocks}, reverse=True)
    top = max(ys) + block[1] + 6
    columns = [(x + block[0] / 2, top, fitted(text, across), 0) for x, text in zip(xs, sheet.columns, strict=True) if text]
    rows = [(right + 7, y + block[1] / 2, fitted(text, down), 270) for y, text in zip(ys, sheet.rows, strict=True) if text]
    return (*columns, *rows)


def fitted(text: str, most: int) -> str:
    """`learn… 0.001`, or `0.0001` where there is no room for more: a name may be cut short, its value only where it must be."""
    name, blank, value = text.partition(" ")
    room = most - len(value) - 2
    if len(text) <= most or not blank or len(value) > most:
        return shorten(text, most)
    return f"{name[:room]}… {value}" if room > 0 else value
