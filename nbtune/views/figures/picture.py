"""The picture that lasts: learning curves at the left, the grid as a map at the right."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from nbtune.record.progress import Progress
from nbtune.views.figures import ink
from nbtune.views.figures.curves import curves_info, draw_curves
from nbtune.views.figures.gridmap import draw_grid, grid_info
from nbtune.views.words import measured, plural, score_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES, DPI = (10.0, 4.6), 130
WIDTH = 960  # CSS pixels at which a page shows it, fewer than it has: sharp on a projector


class Picture:
    """One search's picture. The figure is used again for every drawing, which takes half as long as a new one.

    For one thread at a time.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._figure: Figure | None = None
        self._version = -1
        self._png = b""

    def png(self) -> bytes:
        """As the search is now; drawn only if something happened since the last time."""
        from matplotlib.figure import Figure

        version = self._progress.version
        if version != self._version:
            if self._figure is None:
                self._figure = Figure(INCHES, DPI, facecolor=ink.WHITE)
            _draw(self._progress, self._figure)
            self._png, self._version = _encode(self._figure), version
        return self._png


def _draw(progress: Progress, figure: Figure) -> None:
    figure.clear()
    left, right = figure.subfigures(1, 2, squeeze=False, wspace=0)[0]
    draw_curves(curves_info(progress), left)
    draw_grid(grid_info(progress), right)


def _encode(figure: Figure) -> bytes:
    """As PNG with a palette: a quarter of the bytes, and sooner done, than with full colours."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    buffer = io.BytesIO()
    pixels.quantize(256, Image.Quantize.FASTOCTREE).save(buffer, "png")
    return buffer.getvalue()


def picture_png(progress: Progress) -> bytes:
    return Picture(progress).png()


def alt_text(progress: Progress) -> str:
    """What the picture shows, for who cannot see it."""
    objective, standing = progress.objective.name, progress.standing
    seen = f"Learning curves and a map of the grid: {objective} of {plural(len(standing), 'trial')}; {progress.coverage}."
    if not standing:
        return seen
    best, worst = standing[0], standing[-1].score
    values = f" with {best.label}" if best.label else ""
    return f"{seen} Best {measured(best)}{values}; worst {score_text(worst)}."
