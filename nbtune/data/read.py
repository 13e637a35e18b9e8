"""What the user gave as data → `Data`: arrays, DataFrames, tensors, datasets, each checked once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nbtune.data.columns import array, features, labels, named_classes
from nbtune.data.datasets import by_columns, drain, is_dataset
from nbtune.data.rows import Data, Inputs, Rows
from nbtune.data.tree import in_order_of, leaves, map_leaves, named_leaves
from nbtune.errors import UsageError


def read_data(data: Any, validation_data: Any = None, validation_split: float = 0.2) -> Data:
    """Reads arrays, DataFrames, tensors, text, dicts and lists of those, and datasets.

    Labels that are text become whole numbers, with their names kept.

    Raises:
        UsageError: lengths that differ, no rows, values that are neither numbers nor text, weights that are no weights, or a
            dataset without end.
    """
    rows, batch_size = _rows(data, "data")
    validation = None if validation_data is None else _rows(validation_data, "validation_data")[0]
    if validation is not None:
        if _shapes(validation.x) != _shapes(rows.x):
            raise UsageError(f"validation_data has rows of shape {_shapes(validation.x)}, data of {_shapes(rows.x)}")
        if [name for name, _ in named_leaves(validation.y)] != [name for name, _ in named_leaves(rows.y)]:
            raise UsageError("validation_data has not the labels that data has; give both as features and labels")
        validation = validation._replace(x=in_order_of(rows.x, validation.x))
    names = None
    if getattr(getattr(rows.y, "dtype", None), "kind", "") == "S":
        y, names = named_classes(rows.y)
        rows = rows._replace(y=y)
        if validation is not None:
            validation = validation._replace(y=named_classes(validation.y, names)[0])
    return Data(*rows, validation, validation_split, batch_size, names)


def _rows(data: Any, what: str) -> tuple[Rows, int | None]:
    given, batch_size = _given(data, what)
    x, y = _inputs(given[0], what), _labels(given[1], what)
    lengths = [len(part) for part in leaves(x)]
    if not lengths:
        raise UsageError(f"{what}: x has no inputs")
    for name, part in named_leaves(y):
        odd = [length for length in lengths if length != len(part)]
        if odd:
            shown = f"y ({name})" if name else "y"
            raise UsageError(f"{what}: x has {odd[0]:,} rows and {shown} has {len(part):,}; they must be the same rows")
    if len(set(lengths)) > 1:
        raise UsageError(f"{what}: x has parts of {lengths[0]:,} and of {lengths[1]:,} rows; they must be the same rows")
    if not lengths[0]:
        raise UsageError(f"{what} has no rows")
    weights = _weights(given[2], lengths[0], y, f"{what}: weights") if len(given) == 3 and given[2] is not None else None
    return Rows(x, y, weights), batch_size


def _given(data: Any, what: str) -> tuple[tuple[Any, ...], int | None]:
    """(x, y) or (x, y, weights), y None where there are no labels, and the batch size of a dataset."""
    if is_dataset(data):
        return drain(data, what)
    columns = by_columns(data, what)
    if columns is not None:
        return columns, None
    if isinstance(data, (tuple, list)) and len(data) in (2, 3):
        return tuple(data), None
    if isinstance(data, Mapping) or getattr(data, "shape", None):
        return (data, None), None
    raise UsageError(
        f"{what} must be two things, features and labels, like x_train,y_train, or three with the rows' weights, "
        "or one tf.data.Dataset"
    )


def _weights(weights: Any, rows: int, y: Inputs, what: str) -> np.ndarray:
    """Raises UsageError for what `model.fit` would take and make no sense of."""
    found = array(weights, what)
    if found.dtype.kind == "S":
        raise UsageError(f"{what} are text, not numbers")
    spread = isinstance(y, np.ndarray) and 1 < found.ndim < y.ndim + 1 and y.size > rows and found.shape == y.shape[: found.ndim]
    if found.shape != (rows,) and not spread:
        raise UsageError(f"{what} have the shape {found.shape}, not {(rows,)}: one number a row")
    with np.errstate(over="ignore"):
        found = found.astype("float32")
    if not np.isfinite(found).all():
        raise UsageError(f"{what} hold infinite numbers; give finite ones")
    if found.min() < 0:
        raise UsageError(f"{what} go down to {found.min():g}; a weight is 0 or more")
    if not found.any():
        raise UsageError(f"{what} are all 0, so that no row counts")
    return found


def _inputs(x: Any, what: str) -> Inputs:
    if isinstance(x, Mapping):
        return {key: _part(part, f"{what}: feature {key!r}") for key, part in x.items()}
    if _is_several(x):
        return type(x)([_part(part, f"{what}: input {i + 1}") for i, part in enumerate(x)])
    return features(x, f"{what}: features")


def _part(part: Any, what: str) -> Inputs:
    return _inputs(part, what) if isinstance(part, Mapping) or _is_several(part) else features(part, what)


def _labels(y: Any, what: str) -> Inputs:
    if y is None:
        return None
    if isinstance(y, Mapping):
        return {key: _numbers(part, f"{what}: labels {key!r}") for key, part in y.items()}
    if _is_several(y):
        return type(y)([_numbers(part, f"{what}: labels {i + 1}") for i, part in enumerate(y)])
    return labels(y, f"{what}: labels")


def _numbers(part: Any, what: str) -> np.ndarray:
    """Labels of one of several outputs."""
    found = labels(part, what)
    if found.dtype.kind == "S":
        raise UsageError(f"{what} are text like {found.flat[0].decode()!r}; give np.unique(y, return_inverse=True)[1]")
    return found


def _is_several(thing: Any) -> bool:
    """A list or tuple of arrays, and not an array written as a list."""
    is_array = lambda part: bool(getattr(part, "shape", None)) or isinstance(part, Mapping)  # noqa: E731
    return type(thing) in (list, tuple) and len(thing) > 0 and all(map(is_array, thing))


def _shapes(x: Inputs) -> Inputs:
    """The shape of a row, in the structure of the inputs."""
    return [part.shape[1:] for part in leaves(x)] if isinstance(x, tuple) else map_leaves(lambda part: part.shape[1:], x)
