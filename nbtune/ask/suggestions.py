"""Values to begin with, from the width of the input, the number of rows and the labels, each with its reason in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from nbtune.ask.labels import CLASSES, MULTI_LABEL, NUMBERS, ONE_HOT, Labels
from nbtune.ask.options import table
from nbtune.errors import UsageError

FEW_ROWS, MANY_ROWS_A_VALUE = 500, 50
WIDEST = 2048  # units; a wider layer takes long


@dataclass(frozen=True)
class Suggestion:
    """Values for one option, as on a line, and why."""

    option: str
    values: str
    reason: str

    @property
    def text(self) -> str:
        return f"{self.option}={self.values}" if self.option.startswith("--axis") else f"{self.option} {self.values}"


@dataclass(frozen=True, repr=False)
class Suggestions:
    """What a search could begin with.

    Attributes:
        axes: values of hyperparameters.
        losses: those that fit the labels, the usual one first.
    """

    axes: tuple[Suggestion, ...]
    losses: tuple[Suggestion, ...]

    @property
    def line(self) -> str:
        """The axes, to paste."""
        return " ".join(each.text for each in self.axes)

    def __str__(self) -> str:
        width = max((len(each.text) for each in (*self.axes, *self.losses)), default=0)
        rows = [f"{each.text.ljust(width)}  {each.reason}" for each in self.axes]
        losses = [f"{each.text.ljust(width)}  {each.reason}" for each in self.losses]
        return "\n".join(rows + (["", "losses that fit:", *losses] if losses else []))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="text-align:left"><code>{escape(each.text)}</code></td>'
            f'<td style="text-align:left">{escape(each.reason)}</td></tr>'
            for each in (*self.axes, *self.losses)
        )
        return f"<table>{rows}</table>"


def suggested(parameters: Iterable[str], inputs: int, rows: int, y: Any, unsupervised: bool) -> Suggestions:
    """Axes for a function with these parameters.

    Args:
        parameters: of the function; those that are called like the options `layers` and `units`, or usually so, get values.
        inputs: how many values a row of features has.
        rows: how many there are.
        y: the labels; None, or a nest of arrays, for which no loss is suggested.
        unsupervised: the labels are the features.
    """
    axes = []
    for name in parameters:
        known = next((each for each in ("layers", "units") if name in (each, *table()[each].aliases)), None)
        values, reason = {"layers": _layers, "units": _units}[known](inputs, rows, unsupervised) if known else ("", "")
        if known:
            axes.append(Suggestion(f"--{name}" if name == known else f"--axis {name}", values, reason))
    rate = "0.001 is Adam's default; ten times that learns faster, and may be too fast"
    return Suggestions((*axes, Suggestion("--learning-rate", "1e-2,1e-3", rate)), tuple(_losses(y, unsupervised)))


def _layers(inputs: int, rows: int, unsupervised: bool) -> tuple[str, str]:
    if unsupervised:
        return "1:4", "the labels are the features: networks that learn without labels are often deeper"
    if rows < FEW_ROWS:
        return "1:2", f"a deep network soon learns {rows:,} rows by heart"
    return "1:3", "there is no formula: one hidden layer is enough for many tasks; two and three show whether more helps"


def _units(inputs: int, rows: int, unsupervised: bool) -> tuple[str, str]:
    wide = min(1 << max(inputs, 1).bit_length(), WIDEST)
    narrow = max(wide // 4, 2)
    values = [narrow, wide] if wide > narrow else [wide]
    more = f"{wide:,} units are more than the {inputs:,} inputs" if wide > inputs else f"{wide:,} units take long to train"
    if rows < MANY_ROWS_A_VALUE * inputs or wide * 2 > WIDEST:
        return _listed(values), f"{more}, {narrow:,} are fewer"
    return _listed([*values, wide * 2]), f"{more}, {narrow:,} are fewer; {rows:,} rows are enough to try {wide * 2:,} too"


def _listed(values: list[int]) -> str:
    return ",".join(map(str, values))


def _losses(y: Any, unsupervised: bool) -> list[Suggestion]:
    if not isinstance(y, np.ndarray):
        return []
    try:
        form = Labels.read(y).form
    except UsageError:
        return []
    return [Suggestion("--loss", loss, reason) for loss, reason in _by_task(form, y, unsupervised)]


def _by_task(form: str, y: np.ndarray, unsupervised: bool) -> list[tuple[str, str]]:
    if unsupervised and y.min() >= 0 and y.max() <= 1:
        squared = ("mean_squared_error", "for any numbers, with a last layer without activation")
        return [("binary_crossentropy", "the values are from 0 to 1; the last layer needs a sigmoid"), squared]
    if form == CLASSES:
        classes = len(np.unique(y))
        two = ("binary_crossentropy", "two classes, with one sigmoid unit at the end")
        return ([two] if classes == 2 else []) + [
            ("sparse_categorical_crossentropy", f"classes as numbers, with {classes} softmax units at the end")
        ]
    if form == ONE_HOT:
        return [("categorical_crossentropy", f"a column for each class, with {y.shape[-1]} softmax units at the end")]
    if form == MULTI_LABEL:
        return [("binary_crossentropy", f"several of {y.shape[-1]} classes may hold, with a sigmoid unit for each")]
    return _for_numbers(y) if form == NUMBERS else []


def _for_numbers(y: np.ndarray) -> list[tuple[str, str]]:
    found = [
        ("mean_squared_error", "the usual one for numbers; large errors count most, and it estimates the mean"),
        ("mean_absolute_error", "each unit of error counts alike, so outliers pull less; it estimates the median"),
        ("huber", "squared for small errors, absolute for large ones: a compromise"),
    ]
    if y.min() > 0:
        found.append(("mean_absolute_percentage_error", "all are above 0, so errors can be counted in per cent"))
    if y.min() >= 0 and np.all(y == np.floor(y)):
        found.append(("poisson", "whole numbers from 0 on may be counts; the last layer needs to be positive, like softplus"))
    return found
