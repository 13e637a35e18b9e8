"""What the user gave as data → `Data`: arrays, DataFrames, tensors, datasets, each checked once."""

from __future__ import annotations

import inspect
import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbtune.data.columns import array, categories, features, labels, named_classes
from nbtune.data.datasets import by_columns, drain, joined
from nbtune.data.row_labels import joined_by_place
from nbtune.data.rows import Data, Inputs, Rows
from nbtune.data.streams import Passes, Seen, Source, Stream, another, is_factory, is_stream, look, made, passes, sendable, some
from nbtune.data.tree import in_order_of, leaves, like, map_leaves, named_leaves
from nbtune.errors import UsageError


def read_data(
    data: Any,
    validation_data: Any = None,
    validation_split: float = 0.2,
    cache: bool = False,
    steps: int | None = None,
    shuffle: bool = True,
) -> Data:
    """Reads arrays, DataFrames, tensors, text, dicts and lists of those, and datasets.

    Labels that are text become whole numbers, with their names kept. The arguments are the options of these names.

    Raises:
        UsageError: lengths that differ, no rows, values that are neither numbers nor text, weights that are no weights, or a
            dataset without end.
    """
    # Where rows are held out here, nothing that `fit` could do with the dataset is the reference.
    given = _given(data, "data", cache, steps, is_shuffled=shuffle and validation_data is not None)
    held_out = None if validation_data is None else _given(validation_data, "validation_data", cache, None)
    rows, batch_size = _rows(given, "data"), given.batch_size
    validation = None if held_out is None else _rows(held_out, "validation_data")
    if validation is not None:
        if _shapes(validation.x) != _shapes(rows.x):
            raise UsageError(f"validation_data has rows of shape {_shapes(validation.x)}, data of {_shapes(rows.x)}")
        if [name for name, _ in named_leaves(validation.y)] != [name for name, _ in named_leaves(rows.y)]:
            raise UsageError("validation_data has not the labels that data has; give both as features and labels")
        validation = validation._replace(x=in_order_of(rows.x, validation.x))
    names = None
    if getattr(getattr(rows.y, "dtype", None), "kind", "") == "S":
        y, names = named_classes(rows.y, order=categories(given.parts[1]))
        rows = rows._replace(y=y)
        if validation is not None:
            validation = validation._replace(y=named_classes(validation.y, names)[0])
    note = " ".join(filter(None, [given.note, given.joined, held_out.joined if held_out else "", _ordered_in_words(rows.x)]))
    if given.source is None:
        shuffle = shuffle and (given.shuffle or held_out is None)
        return Data(*rows, validation, validation_split, batch_size, names, None, shuffle, note)
    if names is not None:
        raise UsageError("data: the labels of the dataset are text; give whole numbers")
    own = held_out.source if held_out else None
    stream = Stream(given.source, own, steps)
    return Data(*rows, None if own else validation, 0.0, batch_size, None, stream, True, note)


@dataclass(frozen=True)
class _Given:
    """(x, y) or (x, y, weights), y None where there are no labels; of a stream the first rows.

    Attributes:
        batch_size: of a dataset.
        source: of a dataset that is to be read anew in each epoch.
        joined: what is to be said of how features and labels were brought together.
    """

    parts: tuple[Any, ...]
    batch_size: int | None = None
    source: Source | None = None
    shuffle: bool = True
    note: str = ""
    joined: str = ""


def _rows(read: _Given, what: str) -> Rows:
    given = read.parts
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
    return Rows(x, y, _all_weights(given[2], lengths[0], y, f"{what}: weights") if len(given) == 3 else None)


def _ordered_in_words(x: Inputs) -> str:
    """What is to be said of features whose order tells where they go."""
    if not isinstance(x, OrderedDict) or list(x) == sorted(x, key=str):
        return ""
    return (
        "The features are an OrderedDict: Keras gives its parts to a functional model in their order and not by name; those of a "
        "plain dict, as dict(x), go by name."
    )


def _given(data: Any, what: str, cache: bool, steps: int | None, is_shuffled: bool = False) -> _Given:
    if is_factory(data):
        found = data()
        if isinstance(found, (tuple, list, Mapping)):  # it loads arrays
            return _given(found, what, cache, steps)
        if not hasattr(found, "__iter__") and not hasattr(found, "__getitem__"):
            name = f"{data.__name__}()" if hasattr(data, "__name__") else "the function"
            got = "None" if found is None else type(found).__name__
            raise UsageError(f"{what}: {name} returns {got}; it must return a dataset of (x, y) batches, or the arrays x, y")
    if is_stream(data):
        return _of_dataset(data, what, cache, steps, is_shuffled)
    columns = by_columns(data, what)
    if columns is not None:
        return _Given(columns)
    if isinstance(data, (tuple, list)) and len(data) in (2, 3):
        return _Given(tuple(data), joined=joined_by_place(data, what))
    if isinstance(data, Mapping) or getattr(data, "shape", None):
        return _Given((data, None))
    if inspect.isgenerator(data):
        raise UsageError(f"{what} is a generator, which can be read only once; give the function that makes it, without its ()")
    raise UsageError(
        f"{what} must be two things, features and labels, like x_train,y_train, or three with the rows' weights, "
        "or one tf.data.Dataset"
    )


def _of_dataset(data: Any, what: str, cache: bool, steps: int | None, is_shuffled: bool) -> _Given:
    """A dataset's rows where they are the same each time, or are to be kept, and else where to read them from."""
    if cache:
        parts, size = drain(made(data), what)
        return _Given(parts, size)
    sent = sendable(data, what)  # before it is read, which may change it
    new = lambda: another(data, sent)  # noqa: E731
    read = passes(new, what, is_shuffled) if steps is None else Passes(look(made(new()), what, 0.0), False, False)
    seen = read.first
    if steps is None and not seen.complete:
        _check_end(seen, what)
    size = len(leaves(seen.batches[0][0])[0])
    if read.is_same:
        note = _kept_in_words(read) if what == "data" else ""
        return _Given(joined(seen.batches, what), size, shuffle=not read.in_order, note=note)
    if isinstance(sent, UsageError):
        raise sent
    note = (
        "The dataset is read anew in each epoch, and its trials are trained one by one; --cache reads it once and trains "
        "them together."
    )
    return _Given(joined(some(seen), what), size, sent, note=note if what == "data" else "")


def _kept_in_words(read: Passes) -> str:
    shuffled = "" if read.in_order else ", and shuffled anew in each epoch"
    note = f"The dataset gives the same {len(read.first.rows):,} rows each time: they are kept in memory{shuffled}."
    if read.in_order and read.first.size is None:  # it finds the end with the optimizer's counter moved on
        note += " It does not say how many batches it has, and `fit` would count a step too many in each epoch; this does not."
    return note


def _all_weights(weights: Any, rows: int, y: Inputs, what: str) -> Inputs:
    """Weights of the rows, or those for each of several outputs in the structure of the labels."""
    if not isinstance(weights, Mapping) and not _is_several(weights):
        return None if weights is None else _weights(weights, rows, y, what)
    of_y = sorted(y, key=str) if isinstance(y, Mapping) else range(len(y)) if isinstance(y, (list, tuple)) else []
    own = sorted(weights, key=str) if isinstance(weights, Mapping) else range(len(weights))
    if isinstance(weights, Mapping) is not isinstance(y, Mapping) or list(own) != list(of_y):
        raise UsageError(f"{what} have not the structure of the labels; give one array, or one for each output as in the labels")
    if isinstance(weights, Mapping):
        return {key: _weights(weights[key], rows, y[key], f"{what} {key!r}") for key in y}
    return type(y)([_weights(part, rows, y[i], f"{what} {i + 1}") for i, part in enumerate(weights)])


def _check_end(seen: Seen, what: str) -> None:
    """Raises UsageError for a dataset that has no end, or may have none: an epoch over it would never be over."""
    remedy = "add .take(batches)" + (", or --steps-per-epoch N" if what == "data" else "")
    if seen.size == math.inf:
        raise UsageError(f"{what}: the dataset has no end; {remedy}")
    if seen.size is None:
        count = len(seen.batches)
        raise UsageError(
            f"{what}: the dataset does not say how many batches it has, and has not ended after {count:,}, so that an epoch may "
            f"never be over; {remedy}"
        )


def _weights(weights: Any, rows: int, y: Inputs, what: str) -> np.ndarray:
    """Raises UsageError for what `model.fit` would take and make no sense of."""
    found = array(weights, what)
    if found.dtype.kind == "S":
        raise UsageError(f"{what} are text, not numbers")
    found = found[:, 0] if found.shape == (rows, 1) else found  # a column, which Keras takes as this
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
        return like(x, ((key, _part(part, f"{what}: feature {key!r}")) for key, part in x.items()))
    if _is_several(x):
        return type(x)([_part(part, f"{what}: input {i + 1}") for i, part in enumerate(x)])
    return features(x, f"{what}: features")


def _part(part: Any, what: str) -> Inputs:
    return _inputs(part, what) if isinstance(part, Mapping) or _is_several(part) else features(part, what)


def _labels(y: Any, what: str) -> Inputs:
    if y is None:
        return None
    if isinstance(y, Mapping):
        return like(y, ((key, _numbers(part, f"{what}: labels {key!r}")) for key, part in y.items()))
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
