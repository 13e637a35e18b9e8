"""The mistakes of which the winner is surest, as pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtune.errors import UsageError
from nbtune.record.predicted import Predicted
from nbtune.views.figures import ink
from nbtune.views.figures.confusion import check_classes, headed
from nbtune.views.words import plural

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

MOST, COLUMNS, SMALLEST = 20, 5, 5


@dataclass(frozen=True)
class Mistake:
    """A validation row that is taken for another class: its number, its picture `(height, width)` or `(height, width, 3)`."""

    row: int
    picture: np.ndarray
    says: str
    sure: float
    truth: str


@dataclass(frozen=True)
class MistakesInfo:
    """The surest first; `wrong` of `rows` are mistakes in all."""

    label: str
    mistakes: tuple[Mistake, ...]
    wrong: int
    rows: int

    @property
    def title(self) -> str:
        if not self.wrong:
            return f"no mistake in {plural(self.rows, 'validation row')}"
        shown = f"the {len(self.mistakes)} surest of " if len(self.mistakes) < self.wrong else ""
        return f"{shown}{plural(self.wrong, 'mistake')} in {plural(self.rows, 'validation row')}"


def mistakes_info(predicted: Predicted, most: int = MOST) -> MistakesInfo:
    """Raises UsageError where rows are no pictures, or have no single class."""
    import numpy as np

    check_classes(predicted, "mistakes")
    shape = _shape(predicted)
    wrong = np.flatnonzero(predicted.answers != predicted.y)
    sure = predicted.shares.max(axis=1)
    first = wrong[np.argsort(-sure[wrong], kind="stable")][:most]
    assert predicted.x is not None
    found = tuple(
        Mistake(
            int(i),
            np.asarray(predicted.x[i]).reshape(shape),
            predicted.name(int(predicted.answers[i])),
            float(sure[i]),
            predicted.name(int(predicted.y[i])),
        )
        for i in first
    )
    return MistakesInfo(predicted.label, found, len(wrong), len(predicted.y))


def _shape(predicted: Predicted) -> tuple[int, ...]:
    """Of a row as a picture: flat rows are squares, grey or in three colours."""
    row = () if predicted.x is None else predicted.x.shape[1:]
    if len(row) == 2 or (len(row) == 3 and row[2] in (3, 4)):
        return row
    if len(row) == 3 and row[2] == 1:
        return row[:2]
    if len(row) == 1:
        for colours, end in ((1, ()), (3, (3,))):
            side = math.isqrt(row[0] // colours)
            if side >= SMALLEST and side * side * colours == row[0]:
                return (side, side, *end)
    shown = "several arrays" if predicted.x is None else f"of shape {tuple(row)}"
    raise UsageError(f'the rows are no pictures that plot("mistakes") could show: they are {shown}')


def draw_mistakes(info: MistakesInfo, figure: Figure) -> None:
    """Each with what the model says, how sure it is, and what it is."""
    lines = max(math.ceil(len(info.mistakes) / COLUMNS), 1)
    height = 1.55 * lines + 0.75
    figure.set_size_inches(7.2, height)
    headed(figure, info.title, info.label)
    for i, mistake in enumerate(info.mistakes):
        line, column = divmod(i, COLUMNS)
        axes = figure.add_axes((0.02 + column * 0.195, 1 - (0.95 + 1.55 * (line + 1) - 0.45) / height, 0.18, 1.05 / height))
        picture = mistake.picture.astype(float)
        low, high = float(picture.min()), float(picture.max())
        axes.imshow((picture - low) / ((high - low) or 1.0), cmap="gray_r" if picture.ndim == 2 else None)
        axes.set_axis_off()
        says = f"says {mistake.says} ({mistake.sure:.0%}), is {mistake.truth}"
        ink.write(axes, 0.5, -0.08, says, ink.SMALL, ha="center", va="top", transform=axes.transAxes)
