"""What the user gave as data → `Data`: arrays, DataFrames, tensors, datasets, each checked once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nbtune.data.datasets import drain, is_dataset
from nbtune.data.rows import Data, Inputs, Rows, blocks
from nbtune.data.tree import in_order_of, leaves, map_leaves
from nbtune.errors import UsageError


def read_data(data: Any, validation_data: Any = None, validation_split: float = 0.2) -> Data:
    """Reads arrays, DataFrames, tensors, `tf.data.Dataset` or `keras.utils.PyDataset`.

    Raises:
        UsageError: lengths that differ, no rows, values that are no numbers, weights that are no weights, or a dataset
            without end.
    """
    rows, batch_size = _rows(data, "data")
    validation = None if validation_data is None else _rows(validation_data, "validation_data")[0]
    if validation is not None:
        if _shapes(validation.x) != _shapes(rows.x):
            raise UsageError(f"validation_data has rows of shape {_shapes(validation.x)}, data of {_shapes(rows.x)}")
        validation = validation._replace(x=in_order_of(rows.x, validation.x))
    return Data(*rows, validation, validation_split, batch_size)


def _rows(data: Any, what: str) -> tuple[Rows, int | None]:
    batch_size = None
    if is_dataset(data):
        given, batch_size = drain(data, what)
    elif isinstance(data, (tuple, list)) and len(data) in (2, 3):
        given = tuple(data)
    else:
        raise UsageError(
            f"{what} must be two things, features and labels, like x_train,y_train, or three with the rows' weights, "
            "or one tf.data.Dataset"
        )
    x, y = _inputs(given[0], what), _array(given[1], f"{what}: labels")
    lengths = [len(part) for part in leaves(x)]
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
    array = _numbers(weights, what)
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
        return {key: _numbers(part, f"{what}: feature {key!r}") for key, part in x.items()}
    if isinstance(x, (list, tuple)) and len(x) and all(hasattr(part, "shape") and len(part.shape) for part in x):
        return [_numbers(part, f"{what}: input {i + 1}") for i, part in enumerate(x)]
    return _numbers(x, f"{what}: features")


def _numbers(part: Any, what: str) -> np.ndarray:
    """As `_array`, of numbers: labels may be text, which `Labels` judges, and features and weights may not."""
    array = _array(part, what)
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{what}: non-numeric values ({array.dtype}); encode them first")
    return array


def _array(part: Any, what: str) -> np.ndarray:
    if hasattr(part, "dtypes") and hasattr(part, "columns"):  # a pandas DataFrame
        odd = [str(name) for name, dtype in part.dtypes.items() if getattr(dtype, "kind", "O") not in "biuf"]
        if odd:
            raise UsageError(f"{what}: column {odd[0]!r} contains non-numeric values; drop or encode it first")
        if part.to_numpy().dtype == object:  # columns of several kinds, or nullable ones
            part = part.to_numpy("float32", na_value=np.nan)
    if hasattr(part, "toarray"):
        raise UsageError(f"{what} are a sparse matrix; give x.toarray()")
    try:
        array = np.asarray(part)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{what} cannot be converted to an array: {error}") from None
    if array.ndim == 0:
        raise UsageError(f"{what}: {part!r} is not an array")
    if array.dtype.kind == "f":
        _refuse(np.isnan, "NaN", array, what)
        _refuse(np.isinf, "infinity", array, what)
    return array


def _refuse(test: np.ufunc, value: str, array: np.ndarray, what: str) -> None:
    bad = sum(int(test(block.reshape(len(block), -1)).any(axis=1).sum()) for block in blocks(array))
    if bad:
        rows = f"{bad:,} row{'s' * (bad > 1)}"
        raise UsageError(f"{what} hold {value} in {rows}, which would make every loss NaN; fill them in or leave these rows out")


def _shapes(x: Inputs) -> Inputs:
    """The shape of a row, in the structure of the inputs."""
    return [part.shape[1:] for part in leaves(x)] if isinstance(x, tuple) else map_leaves(lambda part: part.shape[1:], x)
