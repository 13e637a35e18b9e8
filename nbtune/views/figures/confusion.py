"""The winner's confusion matrix: which class it takes for which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtune.errors import UsageError
from nbtune.record.predicted import Predicted
from nbtune.views.figures import ink
from nbtune.views.words import plural, shorten

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

MOST_NUMBERS = 25  # classes whose counts are written out


@dataclass(frozen=True)
class ConfusionInfo:
    """`counts[i, j]`: validation rows of class i that the model takes for class j; `names` of the classes."""

    label: str
    counts: np.ndarray
    names: tuple[str, ...]

    @property
    def rows(self) -> int:
        return int(self.counts.sum())

    @property
    def wrong(self) -> int:
        return self.rows - int(self.counts.trace())

    @property
    def title(self) -> str:
        return f"{self.wrong:,} of {plural(self.rows, 'validation row')} wrong"


def confusion_info(predicted: Predicted) -> ConfusionInfo:
    """Raises UsageError where rows have no single class."""
    from sklearn.metrics import confusion_matrix

    check_classes(predicted, "confusion")
    numbers = range(predicted.classes)
    counts = confusion_matrix(predicted.y, predicted.answers, labels=list(numbers))
    return ConfusionInfo(predicted.label, counts, tuple(map(predicted.name, numbers)))


def check_classes(predicted: Predicted, kind: str) -> None:
    if not predicted.classes:
        raise UsageError(f'plot("{kind}") is for labels with one class a row; for numbers there is plot("residuals")')


def draw_confusion(info: ConfusionInfo, figure: Figure) -> None:
    """Colour by the share of a class's rows, right ones blue and wrong ones orange; the counts as numbers."""
    import numpy as np

    side = min(max(0.45 * len(info.names) + 2, 4.5), 11)
    figure.set_size_inches(side, side)
    axes = figure.add_axes((0.18, 0.15, 0.76, 0.72))
    shares = info.counts / np.maximum(info.counts.sum(axis=1, keepdims=True), 1)
    right = np.eye(len(info.names), dtype=bool)
    for part, colors in ((np.where(right, shares, np.nan), "Blues"), (np.where(right, np.nan, shares), "Oranges")):
        axes.imshow(part, cmap=colors, vmin=0, vmax=1 if colors == "Blues" else max(0.3, float(np.nanmax(part, initial=0.0))))
    if len(info.names) <= MOST_NUMBERS:
        for (i, j), count in np.ndenumerate(info.counts):
            if count:
                color = ink.WHITE if shares[i, j] > (0.6 if i == j else 0.3) else ink.TEXT
                ink.write(axes, j, i, f"{count:,}", ink.BODY, color, ha="center", va="center_baseline")
    names = [shorten(name, 14) for name in info.names]
    axes.set_xticks(range(len(names)), names, rotation=0 if max(map(len, names)) < 4 else 45, ha="center")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(labelsize=ink.BODY, length=0, labelfontfamily=ink.FONT, colors=ink.TEXT)
    axes.set_xlabel("what the model says", fontsize=ink.BODY, family=ink.FONT, color=ink.QUIET)
    axes.set_ylabel("what it is", fontsize=ink.BODY, family=ink.FONT, color=ink.QUIET)
    for spine in axes.spines.values():
        spine.set_color(ink.GRID)
    headed(figure, info.title, info.label)


def headed(figure: Figure, title: str, label: str) -> None:
    """A title, and below it which combination it is about."""
    sheet = ink.sheet(figure)
    width, height = ink.size(figure)
    ink.write(sheet, 12, height - 18, title, ink.TITLE, weight="bold")
    ink.write(sheet, 12, height - 30, shorten(label, ink.fitting(width - 24, ink.SMALL)), ink.SMALL, ink.QUIET)
