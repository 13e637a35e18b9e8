"""The user's rows in the kernel, and how they are split."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nbtune.ask.folds import Folds
from nbtune.data.streams import Stream
from nbtune.data.tree import leaves, map_leaves

BLOCK = 2**24  # bytes
Inputs = Any  # an array, or a list, tuple or dict of such, however deep; first dimension = rows


class Rows(NamedTuple):
    """Features `x`, labels `y` (None where the model needs none), and `sample_weight`.

    Weights are `(rows,)`, float32, none below 0, or such for each of several outputs.
    """

    x: Inputs
    y: Inputs
    sample_weight: Inputs = None


@dataclass(frozen=True)
class Data:
    """The rows in the kernel, as `Rows` has them; `read.read_data` makes it.

    Attributes:
        batch_size: where a dataset came with one.
        class_names: the names of the classes that labels given as text were numbered by.
        stream: datasets that are read anew in each epoch; then `x` and `y` are their first rows, to see what they are like.
        shuffle: `fit` draws a new order of the rows, and so does the split; not of a dataset's, which come in its own.
        note: what the user should hear of it.
        folds: it is cross-validated, instead of split once.
        groups: the number of each row's group, `(rows,)`, none of which is on both sides of a fold.
    """

    x: Inputs
    y: Inputs
    sample_weight: Inputs = None
    validation: Rows | None = None
    split: float = 0.2
    batch_size: int | None = None
    class_names: tuple[str, ...] | None = None
    stream: Stream | None = None
    shuffle: bool = True
    note: str = ""
    folds: Folds | None = None
    groups: np.ndarray | None = None

    @property
    def parts(self) -> list[Rows]:
        """The rows, and where there are some of their own to validate on, those."""
        return [Rows(self.x, self.y, self.sample_weight), *([self.validation] if self.validation else [])]

    @property
    def rows(self) -> int:
        return len(leaves(self.x)[0])

    @property
    def training_rows(self) -> int:
        """How many rows train; of folds at least so many in the largest."""
        if self.folds is not None:
            return self.rows - self.rows // (self.folds.count + self.folds.by_time)
        return self.rows if self.validation is not None else self.rows - math.ceil(self.split * self.rows)

    @property
    def validated(self) -> bool:
        if self.stream:
            return self.validation is not None or self.stream.validation is not None
        return self.validation is not None or self.split > 0 or self.folds is not None

    @property
    def split_here(self) -> bool:
        """Whether nbtune chooses the rows that validate."""
        return self.validation is None and self.split > 0 and not self.stream

    def sample(self) -> Data:
        """Two rows, to see what a model makes of them."""
        first = lambda part: part[:2]  # noqa: E731
        return Data(map_leaves(first, self.x), map_leaves(first, self.y), split=0)


def blocks(array: np.ndarray, rows: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """The array, or these rows of it, a few megabytes at a time: a copy of a large one may not fit into memory."""
    count = len(array) if rows is None else len(rows)
    step = max(1, BLOCK // max(array[:1].nbytes, 1))
    for start in range(0, count, step):
        yield array[start : start + step] if rows is None else array[rows[start : start + step]]
