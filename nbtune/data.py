"""The user's data: read once, split once, written to files that the workers map into memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nbtune.errors import UsageError
from nbtune.labels import Labels

BLOCK = 2**24  # bytes
Inputs = Any  # an array, or a list or dict of arrays, first dimension = rows


@dataclass(frozen=True)
class Data:
    """Features and labels in the kernel, `x[i]` with `y[i]`; `batch_size` where a dataset came with one."""

    x: Inputs
    y: np.ndarray
    validation: tuple[Inputs, np.ndarray] | None = None
    split: float = 0.2
    batch_size: int | None = None

    @classmethod
    def of(cls, data: Any, validation_data: Any = None, validation_split: float = 0.2) -> Data:
        """Reads arrays, DataFrames, tensors, `tf.data.Dataset` or `keras.utils.PyDataset`.

        Raises:
            UsageError: lengths that differ, no rows, values that are no numbers, or a dataset without end.
        """
        x, y, batch_size = _pair(data, "data")
        validation = None if validation_data is None else _pair(validation_data, "validation_data")[:2]
        if validation is not None and _shapes(validation[0]) != _shapes(x):
            raise UsageError(f"validation_data has rows of shape {_shapes(validation[0])}, data of {_shapes(x)}")
        if validation is not None and isinstance(x, dict):
            validation = {key: validation[0][key] for key in x}, validation[1]
        return cls(x, y, validation, validation_split, batch_size)

    @property
    def rows(self) -> int:
        return len(self.y)

    @property
    def validated(self) -> bool:
        return self.validation is not None or self.split > 0

    def sample(self) -> Data:
        """Two rows, to see what a model makes of them."""
        return Data(_map(lambda part: part[:2], self.x), self.y[:2], split=0)

    def write(self, folder: Path, labels: Labels, seed: int) -> None:
        """Writes `train` and `val` parts to `folder`, for `read`.

        Without validation data of its own the split is random by `seed`, and stratified where rows have a class:
        scikit-learn's `train_test_split`.
        """
        if self.validation is not None:
            _write(folder / "train", self.x, self.y)
            _write(folder / "val", *self.validation)
        elif self.split > 0:
            train, val = self._split_rows(labels, seed)
            _write(folder / "train", self.x, self.y, train)
            _write(folder / "val", self.x, self.y, val)
        else:
            _write(folder / "train", self.x, self.y)

    def _split_rows(self, labels: Labels, seed: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.model_selection import train_test_split  # a second to import: only where it is used

        try:
            train, val = train_test_split(
                np.arange(self.rows), test_size=self.split, random_state=seed, stratify=labels.strata(self.y)
            )
        except ValueError as error:
            raise UsageError(f"the data cannot be split by {self.split}: {error}; give --validation-data") from None
        return train, val


@dataclass(frozen=True)
class Arrays:
    """Data as a worker has it: mapped read-only from files; `x_val` and `y_val` None without validation."""

    x: Inputs
    y: np.ndarray
    x_val: Inputs = None
    y_val: np.ndarray | None = None

    def joined(self) -> tuple[Inputs, np.ndarray]:
        """Training and validation rows together, in that order."""
        if self.y_val is None:
            return self.x, self.y
        return _map(lambda a, b: np.concatenate([a, b]), self.x, self.x_val), np.concatenate([self.y, self.y_val])


def read(folder: Path) -> Arrays:
    """Maps what `Data.write` left in `folder`."""
    x, y = _read(folder / "train")
    if not (folder / "val").exists():
        return Arrays(x, y)
    return Arrays(x, y, *_read(folder / "val"))


def _pair(data: Any, what: str) -> tuple[Inputs, np.ndarray, int | None]:
    batch_size = None
    if hasattr(data, "element_spec") or any(c.__name__ == "PyDataset" for c in type(data).__mro__):
        x, y, batch_size = _drain(data, what)
    elif isinstance(data, (tuple, list)) and len(data) == 2:
        x, y = data
    else:
        raise UsageError(f"{what} must be two things, features and labels, like x_train,y_train, or one tf.data.Dataset")
    x, y = _inputs(x, what), _array(y, f"{what}: labels")
    lengths = [len(part) for part in _leaves(x)]
    if not lengths:
        raise UsageError(f"{what}: x has no inputs")
    odd = [length for length in lengths if length != len(y)]
    if odd:
        raise UsageError(f"{what}: x has {odd[0]:,} rows and y has {len(y):,}; they must be the same rows")
    if not len(y):
        raise UsageError(f"{what} has no rows")
    return x, y, batch_size


def _inputs(x: Any, what: str) -> Inputs:
    if isinstance(x, Mapping):
        return {key: _array(part, f"{what}: feature {key!r}") for key, part in x.items()}
    if isinstance(x, (list, tuple)) and len(x) and all(hasattr(part, "shape") and len(part.shape) for part in x):
        return [_array(part, f"{what}: input {i + 1}") for i, part in enumerate(x)]
    return _array(x, f"{what}: features")


def _array(part: Any, what: str) -> np.ndarray:
    if hasattr(part, "dtypes") and hasattr(part, "columns"):  # a pandas DataFrame
        odd = [str(name) for name, dtype in part.dtypes.items() if getattr(dtype, "kind", "O") not in "biuf"]
        if odd:
            raise UsageError(f"{what}: column {odd[0]!r} does not hold numbers; drop or encode it first")
        if part.to_numpy().dtype == object:  # columns of several kinds, or nullable ones
            part = part.to_numpy("float32", na_value=np.nan)
    if hasattr(part, "toarray"):
        raise UsageError(f"{what} are a sparse matrix; give x.toarray()")
    try:
        array = np.asarray(part)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{what} cannot be made an array: {error}") from None
    if array.ndim == 0:
        raise UsageError(f"{what}: {part!r} is no array")
    if "labels" not in what and array.dtype.kind not in "biuf":
        raise UsageError(f"{what} hold {array.dtype} values, not numbers; encode them first")
    _check_for_nan(array, what)
    return array


def _check_for_nan(array: np.ndarray, what: str) -> None:
    if array.dtype.kind == "f":
        bad = sum(int(np.isnan(block.reshape(len(block), -1)).any(axis=1).sum()) for block in blocks(array))
        if bad:
            rows = f"{bad:,} row{'s' * (bad > 1)}"
            raise UsageError(f"{what} hold NaN in {rows}, which would make every loss NaN; fill them in or leave these rows out")


def _drain(dataset: Any, what: str) -> tuple[Inputs, np.ndarray, int]:
    """A dataset of (x, y) batches as arrays, read once."""
    endless = int(dataset.cardinality()) == -1 if hasattr(dataset, "cardinality") else getattr(dataset, "num_batches", 0) is None
    if endless:  # tf.data.INFINITE_CARDINALITY is -1
        raise UsageError(f"{what}: the dataset has no end; leave .repeat() out, or add .take(batches)")
    batches = dataset if hasattr(dataset, "element_spec") else (dataset[i] for i in range(len(dataset)))
    xs, ys = [], []
    for batch in batches:
        if not isinstance(batch, tuple) or len(batch) != 2:
            raise UsageError(f"{what}: the dataset must give (x, y) batches")
        xs.append(_map(np.asarray, batch[0]))
        ys.append(np.asarray(batch[1]))
        if ys[0].ndim == 0 or any(part.ndim == 0 or len(part) != len(ys[-1]) for part in _leaves(xs[-1])):
            raise UsageError(f"{what}: the dataset gives single rows; add .batch(32)")
    if not xs:
        raise UsageError(f"{what} has no rows")
    try:
        return _map(lambda *parts: np.concatenate(parts), *xs), np.concatenate(ys), len(ys[0])
    except ValueError as error:
        raise UsageError(f"{what}: the batches cannot be joined: {error}") from None


def blocks(array: np.ndarray, rows: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """The array, or these rows of it, a few megabytes at a time: a copy of a large one may not fit into memory."""
    count = len(array) if rows is None else len(rows)
    step = max(1, BLOCK // max(array[:1].nbytes, 1))
    for start in range(0, count, step):
        yield array[start : start + step] if rows is None else array[rows[start : start + step]]


def _write(folder: Path, x: Inputs, y: np.ndarray, rows: np.ndarray | None = None) -> None:
    folder.mkdir(parents=True)
    keys = list(x) if isinstance(x, dict) else list(range(len(x))) if isinstance(x, list) else None
    (folder / "layout.json").write_text(json.dumps(keys if keys is None else {"keys": keys, "dict": isinstance(x, dict)}))
    _save(folder / "y.npy", y, rows)
    for i, part in enumerate(_leaves(x)):
        _save(folder / f"x{i}.npy", part, rows)


def _save(path: Path, array: np.ndarray, rows: np.ndarray | None) -> None:
    """As `numpy.save`, block by block, and in single precision, to which Keras would cast at every fit."""
    dtype = np.dtype("float32") if array.dtype == "float64" else array.dtype
    shape = (len(array) if rows is None else len(rows), *array.shape[1:])
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks(array, rows):
            file.write(np.ascontiguousarray(block, dtype).data)


def _read(folder: Path) -> tuple[Inputs, np.ndarray]:
    layout = json.loads((folder / "layout.json").read_text())
    load = lambda name: np.load(folder / f"{name}.npy", mmap_mode="r")  # noqa: E731
    if layout is None:
        return load("x0"), load("y")
    parts = [load(f"x{i}") for i in range(len(layout["keys"]))]
    return (dict(zip(layout["keys"], parts, strict=True)) if layout["dict"] else parts), load("y")


def _leaves(x: Inputs) -> list[np.ndarray]:
    return list(x.values()) if isinstance(x, dict) else x if isinstance(x, list) else [x]


def _map(function: Any, first: Inputs, *rest: Inputs) -> Inputs:
    if isinstance(first, Mapping):
        return {key: function(first[key], *(other[key] for other in rest)) for key in first}
    if isinstance(first, (list, tuple)):
        return [function(*parts) for parts in zip(first, *rest, strict=True)]
    return function(first, *rest)


def _shapes(x: Inputs) -> Inputs:
    """The shape of a row, in the structure of the inputs."""
    return _map(lambda part: part.shape[1:], x)
