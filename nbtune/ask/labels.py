"""What the labels are, which losses fit them, and the encoding that each loss needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbtune.ask import names
from nbtune.errors import UsageError

CLASSES, ONE_HOT, MULTI_LABEL, NUMBERS = "classes", "one-hot", "multi-label", "numbers"
_DEFAULT = "the default loss"


@dataclass(frozen=True)
class Labels:
    """The labels as the user gave them.

    `form` is "classes" (whole numbers, `(n,)`), "one-hot" or "multi-label" (zeros and ones, `(n, size)`), or "numbers"
    (regression, `(n,)` or `(n, size)`). `size` counts the classes or the targets.
    """

    form: str
    size: int

    @classmethod
    def of(cls, y: np.ndarray, losses: Sequence[str], units: int | None = None) -> Labels:
        """Reads `y`, and holds the losses and the model's number of outputs against it.

        Args:
            y: labels, `(n,)` or `(n, k)`.
            losses: names of all losses that will be used; empty where the default is.
            units: size of the model's last dimension, None while it is not known.

        Raises:
            UsageError: a loss that does not fit the labels, or an output that does not fit both.
        """
        losses = [names.canonical(loss) for loss in losses]
        labels = cls._read(y, losses, units)
        for loss in losses or [_DEFAULT]:
            labels._check(y, loss, units)
        return labels

    @classmethod
    def _read(cls, y: np.ndarray, losses: Sequence[str], units: int | None) -> Labels:
        if y.dtype.kind not in "biuf":
            raise UsageError(f"the labels are {_kind(y)}, not numbers; for classes try y = np.unique(y, return_inverse=True)[1]")
        if y.ndim > 2:
            return cls(NUMBERS, y.shape[-1])
        flat = y.reshape(-1) if y.ndim == 1 or y.shape[1] == 1 else None
        wants_classes = any(loss in names.CLASS_LOSSES for loss in losses)
        wants_numbers = bool(losses) and all(loss in names.NUMBER_LOSSES for loss in losses)
        if flat is None:
            if not _zeros_and_ones(y):
                return cls(NUMBERS, y.shape[1])
            return cls(ONE_HOT if np.all(y.sum(axis=1) == 1) else MULTI_LABEL, y.shape[1])
        whole = y.dtype.kind in "biu" or bool(np.all(flat == np.floor(flat)))
        is_binary = whole and _zeros_and_ones(flat)
        if not whole or flat.min() < 0:
            return cls(NUMBERS, 1)
        if flat.min() == flat.max() and (wants_classes or y.dtype.kind in "biu"):
            raise UsageError(f"all labels are {flat[0]}; with one class there is nothing to tell apart")
        classes = max(int(flat.max()) + 1, 2)
        numbers_only = wants_numbers and (units == 1 or y.dtype.kind == "f") and not is_binary
        if numbers_only or (y.dtype.kind == "f" and not is_binary and not wants_classes):
            return cls(NUMBERS, 1)
        return cls(CLASSES, classes)

    def _check(self, y: np.ndarray, loss: str, units: int | None) -> None:
        is_default = loss == _DEFAULT and units is not None
        if (loss in names.CLASS_LOSSES or is_default) and self.form == NUMBERS and set(np.unique(y)) == {-1, 1}:
            raise UsageError(
                "the labels are -1 and 1; for two classes take y = (y > 0).astype(int), for numbers add --loss mean_squared_error"
            )
        if loss in names.CLASS_LOSSES and self.form == NUMBERS:
            raise UsageError(
                f"loss {loss} is for classes, and the labels are numbers like {y.reshape(-1)[0]:.4g}; "
                "use mean_squared_error, mean_absolute_error or huber"
            )
        if loss in names.CATEGORICAL_LOSSES and self.form == MULTI_LABEL:
            raise UsageError(f"loss {loss} takes one class a row, and some rows have several or none; use binary_crossentropy")
        if units is None:
            return
        if loss in names.CATEGORICAL_LOSSES and units == 1:
            raise UsageError(
                f"the model ends in 1 unit and {loss} needs one for each of {self.size} classes; end it in {self.size}"
            )
        if self.form == CLASSES and units == 1 and self.size > 2:
            raise UsageError(
                f"the model ends in 1 unit and the labels have {self.size} classes; end it in {self.size}, "
                "or give --loss mean_squared_error if they are numbers"
            )
        if self.form == CLASSES and 1 < units < self.size:
            raise UsageError(f"the model ends in {units} units and the labels go up to {self.size - 1}; end it in {self.size}")
        if self.form == ONE_HOT and units != self.size and not (units == 1 and self.size == 2):
            raise UsageError(
                f"the model ends in {units} unit{'s' * (units > 1)}, the labels have {self.size} columns; end it in {self.size}"
            )
        if self.form in (NUMBERS, MULTI_LABEL) and units != self.size and y.ndim <= 2:
            raise UsageError(
                f"the model ends in {units} unit{'s' * (units > 1)} and y has {self.size} targets; end it in {self.size}"
            )

    @property
    def are_classes(self) -> bool:
        return self.form != NUMBERS

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
        """One class a row to stratify a split by, `(n,)`; None where rows have no single class."""
        if self.form == CLASSES:
            return y.reshape(-1)
        return y.argmax(axis=1) if self.form == ONE_HOT else None

    def encode(self, y: np.ndarray, loss: str, units: int) -> np.ndarray:
        """The labels as `loss` takes them: `(n,)` whole numbers for sparse losses, else float32 of the output's shape.

        Args:
            y: labels in this form.
            loss: the loss's name.
            units: size of the model's last dimension.
        """
        if self.form in (NUMBERS, MULTI_LABEL):
            return np.asarray(y, "float32")
        index = np.asarray(self.strata(y), "int32")
        if "sparse" in names.canonical(loss):
            return index
        if units == 1:
            return index.astype("float32")
        return np.eye(units, dtype="float32")[index]


def _zeros_and_ones(y: np.ndarray) -> bool:
    return bool(np.all((y == 0) | (y == 1)))


def _kind(y: np.ndarray) -> str:
    first = y.reshape(-1)[0] if y.size else None
    return f"text like {str(first)!r}" if isinstance(first, str) else f"of type {y.dtype}"
