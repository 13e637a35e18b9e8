"""What networks start from: histograms of their weights beside the formulas, and how a batch goes through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbtune.record.initial import Initial, Signals, Weights
from nbtune.views.figures import ink
from nbtune.views.words import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

COLUMNS, MOST = 3, 12
WIDTH = 7.2  # inches
ROW, FOOT = 118.0, 210.0  # points: of a row of histograms, of the two pictures of signals
COLOURS = (ink.TEXT, "#999999", "#cc79a7", "#56b4e9", "#d55e00", ink.BEST[0], ink.BEST[1], "#e69f00")


def height(info: Initial) -> float:
    """How high a figure it takes, in inches."""
    rows = -(-min(len(info.weights), MOST) // COLUMNS)
    return (44 + rows * ROW + (FOOT if info.signals else 0)) / 72


def draw_initial(info: Initial, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure of the given `height`."""
    width, high = ink.size(figure)
    sheet = ink.sheet(figure)
    ink.write(sheet, 12, high - 15, "Initial weights, and their initialiser's formula", ink.TITLE, weight="bold")
    left_out = len(info.weights) - MOST
    more = f"; {left_out} more weights are not drawn" if left_out > 0 else ""
    how = f"bars: the values drawn; line: the formula; z: how far apart, in standard errors (beyond ±3 is rare){more}"
    ink.write(sheet, 12, high - 28, how, ink.SMALL, ink.QUIET)
    across = (width - 20) / COLUMNS
    for i, weights in enumerate(info.weights[:MOST]):
        column, row = i % COLUMNS, i // COLUMNS
        x, y = 20 + column * across, high - 40 - (row + 1) * ROW
        axes = figure.add_axes((x / width, (y + 18) / high, (across - 20) / width, (ROW - 66) / high))
        _histogram(axes, weights)
        _caption(sheet, weights, x, y + ROW - 12, across - 16)
    if info.signals:
        _draw_signals(info.signals, figure, sheet, width, high)


def _histogram(axes: Axes, info: Weights) -> None:
    widths = [b - a for a, b in zip(info.edges, info.edges[1:], strict=False)]
    total = sum(info.counts) or 1
    heights = [count / total / w if w else 0.0 for count, w in zip(info.counts, widths, strict=True)]
    axes.bar(info.edges[:-1], heights, widths, align="edge", color=ink.BEST[2], alpha=0.6, linewidth=0)
    if info.density:
        middles = [(a + b) / 2 for a, b in zip(info.edges, info.edges[1:], strict=False)]
        axes.plot(middles, info.density, color=ink.ALARM, linewidth=1.5, linestyle="-", marker="")
    axes.set_facecolor(ink.WHITE)
    axes.set_yticks([])
    axes.tick_params(which="both", colors=ink.QUIET, labelsize=ink.SMALL, length=2, labelfontfamily=ink.FONT)
    axes.locator_params(axis="x", nbins=4)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(ink.FAINT)


def _caption(sheet: Axes, info: Weights, x: float, y: float, width: float) -> None:
    room = ink.fitting(width, ink.SMALL)
    shape = "×".join(map(str, info.shape))
    ink.write(sheet, x, y, shorten(f"{info.layer} · {info.name}", ink.fitting(width, ink.BODY)), ink.BODY)
    ink.write(sheet, x, y - 10, shorten(f"{shape}, fan in {info.fan_in}, fan out {info.fan_out}", room), ink.SMALL, ink.QUIET)
    ink.write(sheet, x, y - 20, shorten(info.initializer, room), ink.SMALL, ink.QUIET)
    ink.write(sheet, x, y - 30, shorten(numbers(info), room), ink.SMALL, ink.QUIET)


def numbers(info: Weights) -> str:
    """`variance 0.0131, formula 0.0130 (z 0.4)`."""
    if info.expected_variance is None:
        return f"variance {info.variance:.3g}, no formula"
    apart = "" if info.variance_errors is None else f" (z {info.variance_errors:.1f})"
    return f"variance {info.variance:.3g}, formula {info.expected_variance:.3g}{apart}"


def _draw_signals(signals: Sequence[Signals], figure: Figure | SubFigure, sheet: Axes, width: float, high: float) -> None:
    half = (width - 110) / 2
    pictures = (("spread of activations, by layer", "activations"), ("size of gradients, by layer", "gradients"))
    for i, (title, field) in enumerate(pictures):
        x = 36 + i * (half + 30)
        ink.write(sheet, x, FOOT - 14, title, ink.BODY, weight="bold")
        axes = figure.add_axes((x / width, 44 / high, (half - 26) / width, (FOOT - 68) / high))
        _lines(axes, [getattr(signal, field) for signal in signals], signals[0].layers)
    for i, signal in enumerate(signals):
        y = FOOT - 34 - 14 * i
        color = COLOURS[i % len(COLOURS)]
        sheet.plot([width - 82, width - 68], [y + 2.5] * 2, color=color, linewidth=1.8, linestyle="-", marker="")
        ink.write(sheet, width - 64, y, shorten(signal.initializer, 14), ink.SMALL)
    words = "log scale; a line that falls towards a layer vanishes there, one that climbs explodes; zeros are not drawn"
    ink.write(sheet, 36, 8, words, ink.SMALL, ink.QUIET)


def _lines(axes: Axes, curves: Sequence[Sequence[float]], layers: Sequence[str]) -> None:
    places = range(1, len(layers) + 1)
    for i, curve in enumerate(curves):
        known = [value if value > 0 and math.isfinite(value) else math.nan for value in curve]
        color = COLOURS[i % len(COLOURS)]
        axes.plot(places, known, color=color, linewidth=1.4, marker="o", markersize=3, linestyle="-")
    axes.set_yscale("log")
    axes.set_facecolor(ink.WHITE)
    axes.set_xticks(list(places), [shorten(name, 8) for name in layers], parse_math=False, rotation=30, ha="right")
    axes.tick_params(which="both", colors=ink.QUIET, labelsize=ink.SMALL - 1, length=2, labelfontfamily=ink.FONT)
    axes.grid(True, color=ink.GRID, linewidth=0.6, linestyle="-")
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(ink.FAINT)
