"""`Search.plot`: one figure of its own for each kind of plot."""

from __future__ import annotations

import io
from collections.abc import Callable

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nbtune.errors import UsageError, did_you_mean
from nbtune.record.progress import Progress
from nbtune.views.figures.curves import curves_info, draw_curves
from nbtune.views.figures.gridmap import draw_grid, grid_info
from nbtune.views.figures.importance import draw_importance, importance_info
from nbtune.views.figures.lr import draw_lr, lr_info
from nbtune.views.figures.parallel import draw_parallel, parallel_info
from nbtune.views.figures.size import draw_size, size_info
from nbtune.views.figures.slices import draw_slices, slices_info

_KINDS: dict[str, Callable[[Progress, Figure], None]] = {
    "curves": lambda progress, figure: draw_curves(curves_info(progress), figure),
    "grid": lambda progress, figure: draw_grid(grid_info(progress), figure),
    "slice": lambda progress, figure: draw_slices(slices_info(progress), figure),
    "parallel": lambda progress, figure: draw_parallel(parallel_info(progress), figure),
    "importance": lambda progress, figure: draw_importance(importance_info(progress), figure),
    "size": lambda progress, figure: draw_size(size_info(progress), figure),
    "lr": lambda progress, figure: draw_lr(lr_info(progress), figure),
}


class Plot(Figure):
    """A matplotlib figure that a notebook shows, whichever backend is set there."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def plot(progress: Progress, kind: str) -> Figure:
    """Raises UsageError for a kind that there is not."""
    if kind not in _KINDS:
        known = [*_KINDS, "init", "confusion", "mistakes", "residuals"]  # the last are drawn of what a worker found
        raise UsageError(f"no plot {kind!r}{did_you_mean(kind, known)}; there are {', '.join(known)}")
    figure = new_figure()
    _KINDS[kind](progress, figure)
    return figure


def new_figure(height: float = 4.8, width: float = 6.4) -> Figure:
    """An empty figure of so many inches."""
    figure = Plot(figsize=(width, height), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    return figure
