"""A learning-rate range test: the loss by rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbtune.record.rates import RateRange
from nbtune.views.figures import ink

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


def draw_rates(info: RateRange, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure."""
    width, height = ink.size(figure)
    sheet = ink.sheet(figure)
    ink.write(sheet, 12, height - 15, "Training loss by learning rate", ink.TITLE, weight="bold")
    axes = figure.add_axes((48 / width, 62 / height, (width - 66) / width, (height - 96) / height))
    axes.set_xscale("log")
    axes.plot(info.rates, info.losses, color=ink.BEST[0], linewidth=1.8, marker="o", markersize=3.5, linestyle="-")
    known = [loss for loss in info.losses if loss == loss]
    high = max(known[0] * 1.15, min(known) * 1.15)
    if min(known) > 0 and known[0] / min(known) > 30:
        axes.set_yscale("log")
        axes.set_ylim(min(known) / 1.3, high * 1.3)
    else:
        axes.set_ylim(min(known) - 0.05 * (high - min(known)), high)
    for rate, text, color, up in (
        (info.steepest, "falls fastest", ink.BEST[1], 0.9),
        (info.best, "lowest", ink.BEST[0], 0.8),
        (info.diverging, "diverges", ink.ALARM, 0.9),
    ):
        if rate is not None:
            axes.axvline(rate, color=color, linewidth=1, linestyle=(0, (4, 2)))
            ink.write(axes, rate, up, f" {text}", ink.SMALL, color, transform=axes.get_xaxis_transform())
    if info.diverging is not None:
        axes.axvspan(info.diverging, info.rates[-1] * 1.2, color=ink.ALARM, alpha=0.08, linewidth=0)
    axes.set_xlim(info.rates[0] / 1.2, info.rates[-1] * 1.2)
    axes.set_facecolor(ink.WHITE)
    axes.tick_params(which="both", colors=ink.QUIET, labelsize=ink.SMALL, length=2, labelfontfamily=ink.FONT)
    axes.grid(True, color=ink.GRID, linewidth=0.6, linestyle="-")
    axes.set_axisbelow(True)
    axes.set_xlabel("learning rate", fontsize=ink.SMALL, color=ink.QUIET, labelpad=1, family=ink.FONT)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(ink.FAINT)
    ink.write(sheet, 12, 10, f"try {info.suggestion}", ink.SMALL, ink.QUIET)
