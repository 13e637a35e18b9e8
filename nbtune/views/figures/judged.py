"""Plots of what the winner answers for the validation rows."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from nbtune.record.predicted import Predicted
from nbtune.views.figures.confusion import confusion_info, draw_confusion
from nbtune.views.figures.mistakes import draw_mistakes, mistakes_info
from nbtune.views.figures.plots import new_figure
from nbtune.views.figures.residuals import draw_residuals, residuals_info

DRAWN: dict[str, Callable[[Predicted, Figure], None]] = {
    "confusion": lambda predicted, figure: draw_confusion(confusion_info(predicted), figure),
    "mistakes": lambda predicted, figure: draw_mistakes(mistakes_info(predicted), figure),
    "residuals": lambda predicted, figure: draw_residuals(residuals_info(predicted), figure),
}


def judged(predicted: Predicted, kind: str) -> Figure:
    """Raises UsageError where the labels are not of the kind for this plot."""
    figure = new_figure()
    DRAWN[kind](predicted, figure)
    return figure
