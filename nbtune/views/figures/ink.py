"""How the pictures look: colours that colour-blind people tell apart, small type, white ground.

Everything is set by hand, because a notebook may have changed matplotlib's defaults (a dark style, say) and changing
them back for the length of a drawing would show in plots that the user makes at the same time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

TEXT, QUIET, GRID, FAINT, DOT, WHITE = "#222222", "#666666", "#e6e6e6", "#c9c9c9", "#a8a8a8", "#ffffff"
BEST = ("#0072b2", "#009e73", "#56b4e9")  # Okabe and Ito's palette: blues and greens for the best, warm for the running
RUNNING = ("#d55e00", "#e69f00", "#cc79a7")
ROLES = {f"{name}-{i}": color for name, colors in (("best", BEST), ("running", RUNNING)) for i, color in enumerate(colors, 1)}
ALARM = "#d55e00"
TITLE, BODY, SMALL = 9.5, 8.0, 7.0  # points
FONT = "DejaVu Sans"  # comes with matplotlib
CHARACTER = 0.53  # its usual width, in units of the type size


def size(figure: Figure | SubFigure) -> tuple[float, float]:
    """Width and height in points."""
    return figure.bbox.width * 72 / figure.dpi, figure.bbox.height * 72 / figure.dpi


def text_width(text: str, points: float) -> float:
    """About how wide a line is, in points: measuring it for real costs a rendering."""
    return CHARACTER * points * len(text)


def fitting(width: float, points: float) -> int:
    """About how many characters fit into so many points."""
    return max(int(width / (CHARACTER * points)), 1)


def sheet(figure: Figure | SubFigure) -> Axes:
    """An invisible pair of axes over the whole figure, in points from its lower left corner."""
    width, height = size(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(0, height), autoscale_on=False)
    return axes


def write(axes: Axes, x: float, y: float, text: str, points: float = BODY, color: str = TEXT, **how: object) -> None:
    # parse_math: a value may hold a dollar sign.
    axes.text(x, y, text, fontsize=points, color=color, family=FONT, parse_math=False, usetex=False, **how)  # type: ignore[arg-type]


def by_epoch(axes: Axes) -> None:
    """The look of axes whose x is the epoch."""
    axes.set_facecolor(WHITE)
    axes.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    axes.tick_params(which="both", colors=QUIET, labelsize=SMALL, length=2, labelfontfamily=FONT, grid_color=GRID)
    axes.grid(True, color=GRID, linewidth=0.6, linestyle="-")
    axes.set_axisbelow(True)
    axes.set_xlabel("epoch", fontsize=SMALL, color=QUIET, labelpad=1, family=FONT)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(FAINT)
