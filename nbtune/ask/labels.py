"""What the labels of one output are, which losses fit them, and the encoding that a loss needs.

Only what nbtune chooses itself is encoded: its default loss and metric, and the `--loss` axis. What the function compiled
receives the labels as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbtune.ask import names
from nbtune.errors import UsageError

CLASSES, ONE_HOT, MULTI_LABEL, NUMBERS, OTHER = "classes", "one-hot", "multi-label", "numbers", "other"
AS_GIVEN, TO_ONE_HOT, TO_CLASSES = "", "one-hot", "classes"
DEFAULT = "the default loss"
Shape = Sequence[int | None]


@dataclass(frozen=True)
class Labels:
    """The labels of one output as the user gave them.

    Attributes:
        form: "classes" (whole numbers), "one-hot" or "multi-label" (zeros and ones, a column a class), "numbers"
            (regression), or "other": only a loss that the function compiled itself can tell.
        size: how many classes or targets.
        spread: there is a label for each step or pixel of a row, not one for the row.
    """

    form: str
    size: int
    spread: bool = False

    @classmethod
    def of(cls, y: np.ndarray, losses: Sequence[str], output: Shape | None = None) -> Labels:
        """Reads `y`, and holds the losses and the model's output against it.

        Args:
            y: labels, first dimension = rows.
            losses: names of all losses that will be used; empty where the default is.
            output: the shape that the model's output has for a row, None while it is not known.

        Raises:
            UsageError: a loss that does not fit the labels, or an output that does not fit both.
        """
        losses = [names.canonical(loss) for loss in losses]
        labels = cls.read(y, losses, output)
        if _column(y) is not None and y.dtype.kind in "biu" and y.min() == y.max() and labels.form == CLASSES:
            raise UsageError(f"all labels are {y.flat[0]}; with one class there is nothing to tell apart")
        for loss in losses or [DEFAULT]:
            labels._check(y, loss, output)
        return labels

    @classmethod
    def read(cls, y: np.ndarray, losses: Sequence[str] = (), output: Shape | None = None) -> Labels:
        """As `of`, and judges nothing but whether the labels are numbers."""
        if y.dtype.kind not in "biuf":
            raise UsageError(f"the labels are {_kind(y)}, not numbers; for classes try y = np.unique(y, return_inverse=True)[1]")
        flat = _column(y)
        if flat is None or (output is not None and len(output) > 1):
            return cls._of_several(y, output if output is not None else y.shape[1:])
        wants_classes = any(loss in names.CLASS_LOSSES for loss in losses)
        wants_numbers = bool(losses) and all(loss in names.NUMBER_LOSSES for loss in losses)
        whole = y.dtype.kind in "biu" or bool(np.all(flat == np.floor(flat)))
        is_binary = whole and _zeros_and_ones(flat)
        if not whole or flat.min() < 0:
            return cls(NUMBERS, 1)
        units = None if output is None else output[-1] if output else 1
        numbers_only = wants_numbers and (units == 1 or y.dtype.kind == "f") and not is_binary
        if numbers_only or (y.dtype.kind == "f" and not is_binary and not wants_classes):
            return cls(NUMBERS, 1)
        return cls(CLASSES, max(int(flat.max()) + 1, 2))

    @classmethod
    def _of_several(cls, y: np.ndarray, output: Shape) -> Labels:
        """Labels of several numbers a row, read by the output's whole shape, `(..., units)`."""
        row, units = y.shape[1:], output[-1] if output else 1
        spread = len(output) > 1
        whole = y.dtype.kind in "biu" or bool(np.all(y == np.floor(y)))
        if _same(row, output) or (units == 1 and _same(row, output[:-1])):
            if not (whole and _zeros_and_ones(y)):
                return cls(NUMBERS, int(row[-1]) if _same(row, output) else 1, spread)
            if units == 1:
                return cls(CLASSES, 2, spread)
            return cls(ONE_HOT if np.all(y.sum(axis=-1) == 1) else MULTI_LABEL, int(row[-1]), spread)
        if spread and (_same(row, output[:-1]) or _same(row, (*output[:-1], 1))) and whole and y.min() >= 0:
            return cls(CLASSES, max(int(y.max()) + 1, 2), spread)
        if len(output) == 1 and len(row) == 1:  # of another width
            form = OTHER if not (whole and _zeros_and_ones(y)) else ONE_HOT if np.all(y.sum(axis=-1) == 1) else MULTI_LABEL
            return cls(NUMBERS if form == OTHER else form, int(row[0]), False)
        return cls(OTHER, int(row[-1]) if row else 1, spread)

    def _check(self, y: np.ndarray, loss: str, output: Shape | None) -> None:
        self._check_form(y, loss, output is not None)
        if output is None:
            return
        if self.form == OTHER:
            raise UsageError(
                f"the model gives {_shown(output)} for each row, and the labels of a row are {_shown(y.shape[1:])}; "
                "make them fit, or compile the model with a loss of your own"
            )
        self._check_units(y, loss, int(output[-1] or self.size) if output else 1)

    def _check_form(self, y: np.ndarray, loss: str, is_known: bool) -> None:
        is_default = loss == DEFAULT and is_known
        is_number = self.form == NUMBERS
        has_signs = is_number and set(np.unique(y)) == {-1, 1}
        if has_signs and loss in names.MARGIN_LOSSES:  # which are made for them
            return
        if has_signs and (loss in names.CLASS_LOSSES or is_default):
            raise UsageError(
                "the labels are -1 and 1; for two classes take y = (y > 0).astype(int), for numbers add --loss mean_squared_error"
            )
        is_share = "binary" in loss or loss in ("kl_divergence", "categorical_crossentropy", "dice")
        if loss in names.CLASS_LOSSES and is_number and not (is_share and y.min() >= 0 and y.max() <= 1):
            raise UsageError(
                f"loss {loss} is for classes, and the labels are numbers like {y.reshape(-1)[0]:.4g}; "
                "use mean_squared_error, mean_absolute_error or huber"
            )
        if loss in names.CATEGORICAL_LOSSES and self.form == MULTI_LABEL:
            raise UsageError(f"loss {loss} takes one class a row, and some rows have several or none; use binary_crossentropy")

    def _check_units(self, y: np.ndarray, loss: str, units: int) -> None:
        ends = f"the model ends in {units} unit{'s' * (units > 1)}"
        if loss in names.CATEGORICAL_LOSSES and units == 1:
            raise UsageError(f"{ends} and {loss} needs one for each of {self.size} classes; end it in {self.size}")
        if self.form == CLASSES and (from_0 := _from_0(y, units)):
            raise UsageError(f"{ends} and the labels {from_0}")
        if self.form == CLASSES and units == 1 and self.size > 2:
            raise UsageError(
                f"{ends} and the labels have {self.size} classes; end it in {self.size}, "
                "or give --loss mean_squared_error if they are numbers"
            )
        if self.form == CLASSES and 1 < units < self.size:
            raise UsageError(f"{ends} and the labels go up to {self.size - 1}; end it in {self.size}")
        if self.form == ONE_HOT and units != self.size and not (units == 1 and self.size == 2):
            raise UsageError(f"{ends}, the labels have {self.size} columns; end it in {self.size}")
        if self.form in (NUMBERS, MULTI_LABEL) and units != self.size:
            if cast := _as_classes(y, units):
                raise UsageError(f"{ends} and y holds whole numbers as floats: for classes give {cast}, for numbers end it in 1")
            raise UsageError(f"{ends} and y has {self.size} target{'s' * (self.size > 1)}; end it in {self.size}")

    @property
    def are_classes(self) -> bool:
        return self.form in (CLASSES, ONE_HOT, MULTI_LABEL)

    @property
    def metric(self) -> str:
        """The metric that ranks trials unless told otherwise."""
        return {NUMBERS: "mean_absolute_error", MULTI_LABEL: "binary_accuracy"}.get(self.form, "accuracy")

    def default_loss(self, units: int) -> str:
        """The usual loss for these labels and a model that ends in so many units."""
        if self.form == NUMBERS:
            return "mean_squared_error"
        if self.form == MULTI_LABEL or units == 1:
            return "binary_crossentropy"
        return "sparse_categorical_crossentropy" if self.form == CLASSES else "categorical_crossentropy"

    def strata(self, y: np.ndarray) -> np.ndarray | None:
        """One class a row to stratify a split by, `(n,)`; None where rows have none.

        A row of several labels counts as its rarest one, so that both parts have some of each.
        """
        if self.spread:
            return None
        if self.form == CLASSES:
            return y.reshape(-1)
        if self.form == ONE_HOT:
            return np.asarray(y.argmax(axis=1))
        if self.form == MULTI_LABEL:
            rarity = 1 / np.maximum(y.sum(axis=0), 1)
            return np.where(y.any(axis=1), (y * rarity).argmax(axis=1), -1)
        return None

    def encoding(self, name: str, units: int) -> str:
        """What a loss or metric of this name, for a model that ends in so many units, needs to have done to the labels.

        Returns:
            `AS_GIVEN`, `TO_ONE_HOT` or `TO_CLASSES`.
        """
        is_sparse = "sparse" in names.canonical(name)
        if self.form == CLASSES and units > 1 and not is_sparse and names.canonical(name) != "accuracy":
            return TO_ONE_HOT
        if self.form == ONE_HOT and (is_sparse or units == 1):
            return TO_CLASSES
        return AS_GIVEN


def _column(y: np.ndarray) -> np.ndarray | None:
    """`(n,)` where a row has one number."""
    return y.reshape(-1) if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1) else None


def _same(row: Shape, output: Shape) -> bool:
    return len(row) == len(output) and all(b is None or a == b for a, b in zip(row, output, strict=True))


def _shown(shape: Shape) -> str:
    return f"numbers of shape {tuple(shape)}" if len(shape) else "one number"


def _from_0(y: np.ndarray, units: int) -> str:
    """How to number as many classes as there are units from 0, where they are numbered otherwise; else nothing."""
    most = max(units, 2)
    if y.min() == 1 and y.max() == most:
        return f"go from 1 to {most}; classes count from 0: give y - 1"
    if y.max() >= most and y.size < 10**7 and len(found := np.unique(y)) == most:
        return (
            f"are {', '.join(f'{label:g}' for label in found[:3])}{' …' * (most > 3)}; number the {most} classes from 0: "
            "y = np.unique(y, return_inverse=True)[1]"
        )
    return ""


def _as_classes(y: np.ndarray, units: int) -> str:
    """The labels as classes, in Python, where they are whole numbers that are floats; else nothing."""
    if _column(y) is None or units < 2 or not np.all(y == np.floor(y)) or y.min() < 0:
        return ""
    if y.max() < units:
        return "y.astype(int)"
    return "(y - 1).astype(int), which count from 0" if y.min() == 1 and y.max() == units else ""


def _zeros_and_ones(y: np.ndarray) -> bool:
    return bool(np.all((y == 0) | (y == 1)))


def _kind(y: np.ndarray) -> str:
    first = y.reshape(-1)[0] if y.size else None
    return f"text like {str(first)!r}" if isinstance(first, str) else f"of type {y.dtype}"
