"""The rows in files, which the kernel writes once and the workers map into memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nbtune.ask.targets import Targets
from nbtune.data.rows import Data, Inputs, Rows, blocks
from nbtune.data.split import split_rows
from nbtune.data.tree import laid_out, layout, leaves, map_leaves


@dataclass(frozen=True)
class Arrays:
    """Data as a worker has it: mapped read-only from files; what ends in `_val` is None without validation."""

    x: Inputs
    y: Inputs
    sample_weight: np.ndarray | None = None
    x_val: Inputs = None
    y_val: Inputs = None
    sample_weight_val: np.ndarray | None = None

    @property
    def rows(self) -> int:
        return len(leaves(self.x)[0])

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
        known = lambda weight, x: np.ones(len(leaves(x)[0]), "float32") if weight is None else weight  # noqa: E731
        weights = join(known(self.sample_weight, self.x), known(self.sample_weight_val, self.x_val))
        return replace(both, sample_weight=weights)


def write(data: Data, folder: Path, targets: Targets | None, seed: int) -> None:
    """Writes `train` and `val` parts to `folder`, for `read`.

    Without validation data of its own the split is random by `seed`, and stratified where rows have a class.
    """
    if data.validation is not None:
        _write(folder / "train", data.parts[0])
        _write(folder / "val", data.validation)
    elif data.split > 0 and not data.stream:
        strata = targets.strata(data.y) if targets else None
        train, val = split_rows(data.rows, data.split, strata, seed)
        _write(folder / "train", data.parts[0], train)
        _write(folder / "val", data.parts[0], val)
    else:
        _write(folder / "train", data.parts[0])


def read(folder: Path) -> Arrays:
    """Maps what `write` left in `folder`."""
    train = _read(folder / "train")
    return Arrays(*train, *_read(folder / "val")) if (folder / "val").exists() else Arrays(*train)


def _write(folder: Path, part: Rows, rows: np.ndarray | None = None) -> None:
    folder.mkdir(parents=True)
    numbers: dict[int, int] = {}  # an array that stands at several places, like y = x, is written once

    def number(leaf: np.ndarray) -> int:
        if id(leaf) not in numbers:
            numbers[id(leaf)] = len(numbers)
            _save(folder / f"{numbers[id(leaf)]}.npy", leaf, rows)
        return numbers[id(leaf)]

    (folder / "layout.json").write_text(json.dumps([layout(each, number) for each in part]))


def _save(path: Path, array: np.ndarray, rows: np.ndarray | None) -> None:
    """As `numpy.save`, block by block, and in single precision, to which Keras would cast at every fit."""
    dtype = np.dtype("float32") if array.dtype == "float64" else array.dtype
    shape = (len(array) if rows is None else len(rows), *array.shape[1:])
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks(array, rows):
            file.write(np.ascontiguousarray(block, dtype).data)


def _read(folder: Path) -> Rows:
    load = lambda number: np.load(folder / f"{number}.npy", mmap_mode="r")  # noqa: E731
    return Rows(*(laid_out(each, load) for each in json.loads((folder / "layout.json").read_text())))
