"""The rows in files, which the kernel writes once and the workers map into memory."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nbtune.ask.targets import Targets
from nbtune.data.folds import Fold, fold_rows, in_words
from nbtune.data.rows import Data, Inputs, Rows, blocks
from nbtune.data.split import split_rows
from nbtune.data.tree import laid_out, layout, leaves, map_leaves
from nbtune.errors import FilesGone

FOLDS = "folds.npz"
PARTS = "parts.json"  # what else there is: a part that was removed is missed, and one that never was is not


@dataclass(frozen=True)
class Arrays:
    """Data as a worker has it: mapped read-only from files; what ends in `_val` is None without validation."""

    x: Inputs
    y: Inputs
    sample_weight: Inputs = None
    x_val: Inputs = None
    y_val: Inputs = None
    sample_weight_val: Inputs = None

    @property
    def rows(self) -> int:
        return len(leaves(self.x)[0])

    @property
    def rows_val(self) -> int:
        return len(leaves(self.x_val)[0]) if self.validated else 0

    @property
    def validated(self) -> bool:
        return self.x_val is not None

    def joined(self) -> Arrays:
        """Training and validation rows together, in that order; where only one of the two has weights, the others weigh 1."""
        if not self.validated:
            return self
        join = lambda a, b: np.concatenate([a, b])  # noqa: E731
        both = Arrays(map_leaves(join, self.x, self.x_val), map_leaves(join, self.y, self.y_val))
        if self.sample_weight is None and self.sample_weight_val is None:
            return both
        like = self.sample_weight if self.sample_weight is not None else self.sample_weight_val
        ones = lambda rows: map_leaves(lambda leaf: np.ones((rows, *leaf.shape[1:]), "float32"), like)  # noqa: E731
        first = ones(self.rows) if self.sample_weight is None else self.sample_weight
        last = ones(self.rows_val) if self.sample_weight_val is None else self.sample_weight_val
        return replace(both, sample_weight=map_leaves(join, first, last))


def write(data: Data, folder: Path, targets: Targets | None, seed: int, floatx: str = "float32") -> None:
    """Writes `train` and `val` parts to `folder`, for `read`, in single precision if that is Keras's `floatx`.

    With folds all rows are in `train`, and beside them the numbers of those that train and validate in each fold.
    Without validation data of its own the split is random by `seed`, and stratified where rows have a class; or it takes the
    last rows, where their order is to be kept.
    """
    wide = floatx != "float32"
    if data.folds is not None:
        _write(folder / "train", data.parts[0], wide)
        each = enumerate(folds_of(data, targets, seed))
        np.savez(folder / FOLDS, **{f"{k}_{name}": rows for k, fold in each for name, rows in fold._asdict().items()})
    elif data.validation is not None:
        _write(folder / "train", data.parts[0], wide)
        _write(folder / "val", data.validation, wide)
    elif data.split_here:
        strata = targets.strata(data.y) if targets and data.shuffle else None
        train, val = split_rows(data.rows, data.split, strata, seed, data.shuffle)
        _write(folder / "train", data.parts[0], wide, train)
        _write(folder / "val", data.parts[0], wide, val)
    else:
        _write(folder / "train", data.parts[0], wide)
    (folder / PARTS).write_text(json.dumps(sorted(part.name for part in folder.iterdir())))


def held_out(data: Data, targets: Targets) -> str:
    """Which rows validate, and how `write` chose them."""
    if data.stream and data.stream.validation:
        return "a dataset of its own"
    if data.validation is not None:
        return f"{len(leaves(data.validation.x)[0]):,} rows of their own"
    if not data.validated:
        return "none"
    if data.folds is not None:
        return in_words(data, targets.split_in_words(data.y))
    count = len(split_rows(data.rows, data.split, None, 0, data.shuffle)[1])
    how = targets.split_in_words(data.y) if data.shuffle else "the last ones"
    return f"{count:,} of {data.rows:,} rows, {how}"


def folds_of(data: Data, targets: Targets | None, seed: int) -> list[Fold]:
    """The rows of each fold."""
    return fold_rows(data, targets.strata(data.y) if targets else None, seed)


def folds(folder: Path) -> list[Fold]:
    """The rows of each fold, as `write` left them; none without folds.

    Raises:
        FilesGone: somebody has removed them.
    """
    with _needed():
        if FOLDS not in _parts(folder):
            return []
        with np.load(folder / FOLDS) as found:
            return [Fold(found[f"{k}_train"], found[f"{k}_val"]) for k in range(len(found.files) // 2)]


def read(folder: Path, fold: int | None = None) -> Arrays:
    """Maps what `write` left in `folder`.

    Args:
        fold: takes the rows of this one, in memory; None: all rows, where there are folds.

    Raises:
        FilesGone: somebody has removed them.
    """
    with _needed():
        train = _read(folder / "train")
        if fold is not None:
            rows = folds(folder)[fold]
            taken = (map_leaves(lambda leaf, own=own: leaf[own], part) for own in rows for part in train)
            return Arrays(*taken)
        return Arrays(*train, *_read(folder / "val")) if "val" in _parts(folder) else Arrays(*train)


@contextlib.contextmanager
def _needed() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FilesGone(error.filename) from error


def _parts(folder: Path) -> list[str]:
    found: list[str] = json.loads((folder / PARTS).read_text())
    return found


def _write(folder: Path, part: Rows, wide: bool, rows: np.ndarray | None = None) -> None:
    folder.mkdir(parents=True)
    numbers: dict[int, int] = {}  # an array that stands at several places, like y = x, is written once

    def number(leaf: np.ndarray) -> int:
        if id(leaf) not in numbers:
            numbers[id(leaf)] = len(numbers)
            _save(folder / f"{numbers[id(leaf)]}.npy", leaf, wide, rows)
        return numbers[id(leaf)]

    (folder / "layout.json").write_text(json.dumps([layout(each, number) for each in part]))


def _save(path: Path, array: np.ndarray, wide: bool, rows: np.ndarray | None) -> None:
    """As `numpy.save`, block by block, and in the precision to which Keras would cast at every fit."""
    dtype = np.dtype("float32") if array.dtype == "float64" and not wide else array.dtype
    shape = (len(array) if rows is None else len(rows), *array.shape[1:])
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks(array, rows):
            file.write(np.ascontiguousarray(block, dtype).data)


def _read(folder: Path) -> Rows:
    load = lambda number: np.load(folder / f"{number}.npy", mmap_mode="r")  # noqa: E731
    return Rows(*(laid_out(each, load) for each in json.loads((folder / "layout.json").read_text())))
