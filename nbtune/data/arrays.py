"""The user's data: read once, split once, written to files that the workers map into memory."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nbtune.ask.labels import Labels
from nbtune.errors import UsageError

BLOCK = 2**24  # bytes
Inputs = Any  # an array, or a list or dict of arrays, first dimension = rows


class Rows(NamedTuple):
    """Features `x`, labels `y`, and where rows do not count alike `sample_weight`, `(rows,)`, float32, none below 0."""

    x: Inputs
    y: np.ndarray
    sample_weight: np.ndarray | None = None


@dataclass(frozen=True)
class Data:
    """The rows in the kernel, as `Rows` has them; `batch_size` where a dataset came with one."""

    x: Inputs
    y: np.ndarray
    sample_weight: np.ndarray | None = None
    validation: Rows | None = None
    split: float = 0.2
    batch_size: int | None = None

    @classmethod
    def of(cls, data: Any, validation_data: Any = None, validation_split: float = 0.2) -> Data:
        """Reads arrays, DataFrames, tensors, `tf.data.Dataset` or `keras.utils.PyDataset`.

        Raises:
            UsageError: lengths that differ, no rows, values that are no numbers, weights that are no weights, or a dataset
                without end.
        """
        rows, batch_size = _rows(data, "data")
        validation = None if validation_data is None else _rows(validation_data, "validation_data")[0]
        if validation is not None and _shapes(validation.x) != _shapes(rows.x):
            raise UsageError(f"validation_data has rows of shape {_shapes(validation.x)}, data of {_shapes(rows.x)}")
        if validation is not None and isinstance(rows.x, dict):
            validation = validation._replace(x={key: validation.x[key] for key in rows.x})
        return cls(*rows, validation, validation_split, batch_size)

    @property
    def parts(self) -> list[Rows]:
        """The rows, and where there are some of their own to validate on, those."""
        return [Rows(self.x, self.y, self.sample_weight), *([self.validation] if self.validation else [])]

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
            _write(folder / "train", self.parts[0])
            _write(folder / "val", self.validation)
        elif self.split > 0:
            train, val = self._split_rows(labels, seed)
            _write(folder / "train", self.parts[0], train)
            _write(folder / "val", self.parts[0], val)
        else:
            _write(folder / "train", self.parts[0])

    def _split_rows(self, labels: Labels, seed: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.model_selection import train_test_split  # a second to import: only where it is used

        strata = labels.strata(self.y)
        try:
            train, val = train_test_split(np.arange(self.rows), test_size=self.split, random_state=seed, stratify=strata)
        except ValueError as error:
            reason = str(error) if strata is None else _too_few(strata, self.split) or str(error)
            raise UsageError(f"the data cannot be split by {self.split:g}: {reason}; give --validation-data") from None
        return train, val


@dataclass(frozen=True)
class Arrays:
    """Data as a worker has it: mapped read-only from files; what ends in `_val` is None without validation."""

    x: Inputs
    y: np.ndarray
    sample_weight: np.ndarray | None = None
    x_val: Inputs = None
    y_val: np.ndarray | None = None
    sample_weight_val: np.ndarray | None = None

    def joined(self) -> Arrays:
        """Training and validation rows together, in that order; where only one of the two has weights, the others weigh 1."""
        if self.y_val is None:
            return self
        join = lambda a, b: np.concatenate([a, b])  # noqa: E731
        both = Arrays(_map(join, self.x, self.x_val), join(self.y, self.y_val))
        if self.sample_weight is None and self.sample_weight_val is None:
            return both
        known = lambda weight, y: np.ones(len(y), "float32") if weight is None else weight  # noqa: E731
        weights = join(known(self.sample_weight, self.y), known(self.sample_weight_val, self.y_val))
        return replace(both, sample_weight=weights)


def read(folder: Path) -> Arrays:
    """Maps what `Data.write` left in `folder`."""
    train = _read(folder / "train")
    return Arrays(*train, *_read(folder / "val")) if (folder / "val").exists() else Arrays(*train)


def _rows(data: Any, what: str) -> tuple[Rows, int | None]:
    batch_size = None
    if hasattr(data, "element_spec") or any(c.__name__ == "PyDataset" for c in type(data).__mro__):
        given, batch_size = _drain(data, what)
    elif isinstance(data, (tuple, list)) and len(data) in (2, 3):
        given = tuple(data)
    else:
        raise UsageError(
            f"{what} must be two things, features and labels, like x_train,y_train, or three with the rows' weights, "
            "or one tf.data.Dataset"
        )
    x, y = _inputs(given[0], what), _array(given[1], f"{what}: labels")
    lengths = [len(part) for part in _leaves(x)]
    if not lengths:
        raise UsageError(f"{what}: x has no inputs")
    odd = [length for length in lengths if length != len(y)]
    if odd:
        raise UsageError(f"{what}: x has {odd[0]:,} rows and y has {len(y):,}; they must be the same rows")
    if not len(y):
        raise UsageError(f"{what} has no rows")
    return Rows(x, y, _weights(given[2], y, f"{what}: weights") if len(given) == 3 else None), batch_size


def _weights(weights: Any, y: np.ndarray, what: str) -> np.ndarray:
    """Raises UsageError for what `model.fit` would take and make no sense of."""
    array = _array(weights, what)
    if array.shape != (len(y),):
        raise UsageError(f"{what} have the shape {array.shape}, not {(len(y),)}: one number a row")
    with np.errstate(over="ignore"):
        array = array.astype("float32")
    if not np.isfinite(array).all():
        raise UsageError(f"{what} hold infinite numbers; give finite ones")
    if array.min() < 0:
        raise UsageError(f"{what} go down to {array.min():g}; a weight is 0 or more")
    if not array.any():
        raise UsageError(f"{what} are all 0, so that no row counts")
    if y.ndim > 2:
        raise UsageError(f"{what} need one label or one vector of them a row, and y has rows of shape {y.shape[1:]}")
    return array


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
    if array.dtype.kind == "f":
        _refuse(np.isnan, "NaN", array, what)
        _refuse(np.isinf, "infinity", array, what)
    return array


def _refuse(test: np.ufunc, value: str, array: np.ndarray, what: str) -> None:
    bad = sum(int(test(block.reshape(len(block), -1)).any(axis=1).sum()) for block in blocks(array))
    if bad:
        rows = f"{bad:,} row{'s' * (bad > 1)}"
        raise UsageError(f"{what} hold {value} in {rows}, which would make every loss NaN; fill them in or leave these rows out")


def _too_few(strata: np.ndarray, split: float) -> str | None:
    """Why rows of these classes, `(rows,)`, cannot be split with every class on both sides; None where that is not it."""
    classes, counts = np.unique(strata, return_counts=True)
    if counts.min() == 1:
        return f"class {classes[counts.argmin()]} has one row only, and both parts need one; leave that row out"
    rows = len(strata)
    held_out = math.ceil(split * rows)
    for part, of in ((held_out, "validate"), (rows - held_out, "train")):
        if part < len(classes):
            return f"{part:,} of {rows:,} rows to {of} on are too few for {len(classes):,} classes"
    return None


def _drain(dataset: Any, what: str) -> tuple[tuple[Any, ...], int]:
    """A dataset of (x, y) or (x, y, weights) batches as arrays, read once, and how many rows a batch has."""
    endless = int(dataset.cardinality()) == -1 if hasattr(dataset, "cardinality") else getattr(dataset, "num_batches", 0) is None
    if endless:  # tf.data.INFINITE_CARDINALITY is -1
        raise UsageError(f"{what}: the dataset has no end; leave .repeat() out, or add .take(batches)")
    batches: list[tuple[Any, ...]] = []
    for batch in dataset if hasattr(dataset, "element_spec") else (dataset[i] for i in range(len(dataset))):
        if not isinstance(batch, tuple) or len(batch) not in (2, 3) or (batches and len(batch) != len(batches[0])):
            raise UsageError(f"{what}: the dataset must give (x, y) batches, or (x, y, weights) if rows have weights")
        batches.append((_map(np.asarray, batch[0]), *map(np.asarray, batch[1:])))
        x, y = batches[-1][:2]
        if y.ndim == 0 or any(part.ndim == 0 or len(part) != len(y) for part in _leaves(x)):
            raise UsageError(f"{what}: the dataset gives single rows; add .batch(32)")
    if not batches:
        raise UsageError(f"{what} has no rows")
    join = lambda *parts: np.concatenate(parts)  # noqa: E731
    xs, *rest = zip(*batches, strict=True)
    try:
        return (_map(join, *xs), *(join(*parts) for parts in rest)), len(batches[0][1])
    except ValueError as error:
        raise UsageError(f"{what}: the batches cannot be joined: {error}") from None


def blocks(array: np.ndarray, rows: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """The array, or these rows of it, a few megabytes at a time: a copy of a large one may not fit into memory."""
    count = len(array) if rows is None else len(rows)
    step = max(1, BLOCK // max(array[:1].nbytes, 1))
    for start in range(0, count, step):
        yield array[start : start + step] if rows is None else array[rows[start : start + step]]


def _write(folder: Path, part: Rows, rows: np.ndarray | None = None) -> None:
    folder.mkdir(parents=True)
    x = part.x
    keys = list(x) if isinstance(x, dict) else list(range(len(x))) if isinstance(x, list) else None
    (folder / "layout.json").write_text(json.dumps(keys if keys is None else {"keys": keys, "dict": isinstance(x, dict)}))
    _save(folder / "y.npy", part.y, rows)
    if part.sample_weight is not None:
        _save(folder / "sample_weight.npy", part.sample_weight, rows)
    for i, leaf in enumerate(_leaves(x)):
        _save(folder / f"x{i}.npy", leaf, rows)


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
    layout = json.loads((folder / "layout.json").read_text())
    load = lambda name: np.load(folder / f"{name}.npy", mmap_mode="r")  # noqa: E731
    weights = load("sample_weight") if (folder / "sample_weight.npy").exists() else None
    if layout is None:
        return Rows(load("x0"), load("y"), weights)
    parts = [load(f"x{i}") for i in range(len(layout["keys"]))]
    return Rows(dict(zip(layout["keys"], parts, strict=True)) if layout["dict"] else parts, load("y"), weights)


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
