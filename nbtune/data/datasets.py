"""Datasets of batches, read into arrays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nbtune import machine
from nbtune.data.sparse import dense
from nbtune.data.tree import leaves, map_leaves
from nbtune.errors import UsageError

LABELS = ("label", "labels", "target", "targets", "y")


def is_dataset(data: Any) -> bool:
    """A `tf.data.Dataset`, a `keras.utils.PyDataset` or a PyTorch `DataLoader`."""
    return hasattr(data, "element_spec") or bool({"PyDataset", "DataLoader"} & {kind.__name__ for kind in type(data).__mro__})


def by_columns(data: Any, what: str) -> tuple[Any, Any] | None:
    """The features and labels of a Hugging Face `Dataset`; None where it is none."""
    if not (hasattr(data, "column_names") and hasattr(data, "with_format")):
        return None
    if isinstance(data.column_names, dict):
        names = list(data.column_names)
        raise UsageError(f"{what} is a {type(data).__name__} of {', '.join(names)}; give one of them, like data[{names[0]!r}]")
    if "Iterable" in type(data).__name__:
        raise UsageError(f"{what} is an {type(data).__name__}, which is read row by row; give one that is loaded as a whole")
    label = next((name for name in LABELS if name in data.column_names), None)
    if label is None:
        raise UsageError(f"{what}: which column has the labels? Give two of {', '.join(data.column_names)}, like d['x'],d['y']")
    rows = data.with_format("numpy")
    x = {name: rows[name][:] for name in data.column_names if name != label}
    return (next(iter(x.values())) if len(x) == 1 else x), rows[label][:]


def is_by_index(dataset: Any) -> bool:
    """A `keras.utils.PyDataset`, or what else gives each batch by its number."""
    return not hasattr(dataset, "__iter__") or any(kind.__name__ == "PyDataset" for kind in type(dataset).__mro__)


def batches_of(dataset: Any) -> Iterable[Any]:
    """One pass over a dataset's batches."""
    if not is_by_index(dataset):
        return dataset
    return (dataset[i] for i in (itertools.count() if is_endless(dataset) else range(len(dataset))))


def parts_of(batch: Any, what: str) -> tuple[Any, ...]:
    """A batch as (x, y) or (x, y, weights) of arrays, y None where it has no labels.

    Raises:
        UsageError: it is something else, or a single row.
    """
    if batch is None:
        raise UsageError(f"{what}: the dataset gives None for a batch; its function or __getitem__ must return (x, y)")
    batch = tuple(batch) if isinstance(batch, (list, tuple)) else (batch,)
    if len(batch) not in (1, 2, 3):
        raise UsageError(f"{what}: the dataset must give (x, y) batches, or (x, y, weights) if rows have weights")
    found = tuple(map_leaves(lambda leaf: np.asarray(dense(leaf, f"{what}: the batches")), part) for part in batch)
    counts = sorted({part.shape[:1] for part in leaves(list(found))})
    if len(counts) > 1 and () not in counts and any(leaf.ndim > 1 for leaf in leaves(list(found))):
        few, most = counts[0][0], counts[-1][0]
        raise UsageError(f"{what}: a batch has parts of {few:,} and of {most:,} rows; x and y must be of the same rows")
    if len(counts) != 1 or counts == [()]:
        raise UsageError(f"{what}: the dataset gives single rows; add .batch(32)")
    return found if len(found) > 1 else (*found, None)


def size_of(dataset: Any) -> float | None:
    """How many batches a dataset says that it has: infinity if it has no end; None where it does not say."""
    if hasattr(dataset, "cardinality"):
        count = int(dataset.cardinality())
        return {-1: math.inf, -2: None}.get(count, count)  # tf.data.INFINITE_CARDINALITY, UNKNOWN_CARDINALITY
    if getattr(dataset, "num_batches", 0) is None:
        return math.inf
    try:
        return len(dataset)
    except (TypeError, NotImplementedError):  # a generator, a DataLoader over an IterableDataset
        return None


def is_endless(dataset: Any) -> bool:
    """As far as it says so."""
    return size_of(dataset) == math.inf


def drain(dataset: Any, what: str) -> tuple[tuple[Any, ...], int]:
    """A dataset of (x, y) or (x, y, weights) batches as arrays, read once, and how many rows a batch has."""
    if is_endless(dataset):
        raise UsageError(f"{what}: the dataset has no end; leave .repeat() out, or add .take(batches)")
    batches: list[tuple[Any, ...]] = []
    left = machine.memory_mb() * 1e6 / 2  # to join the batches takes as much again
    for batch in batches_of(dataset):
        batches.append(parts_of(batch, what))
        left -= sum(leaf.nbytes for leaf in leaves(list(batches[-1])))
        if left < 0:
            raise UsageError(
                f"{what}: the dataset does not fit into memory, or has no end; leave --cache out, or add .take(batches)"
            )
    if not batches:
        raise UsageError(f"{what} has no rows")
    return joined(batches, what), len(leaves(batches[0][0])[0])


def joined(batches: Sequence[tuple[Any, ...]], what: str) -> tuple[Any, ...]:
    """Batches as one: (x, y) or (x, y, weights)."""
    if len({len(batch) for batch in batches}) > 1:
        raise UsageError(f"{what}: the dataset must give (x, y) batches, or (x, y, weights) in all of them")
    join = lambda *parts: np.concatenate(parts)  # noqa: E731
    try:
        return tuple(map_leaves(join, *parts) for parts in zip(*batches, strict=True))
    except (ValueError, KeyError) as error:
        raise UsageError(f"{what}: the batches cannot be joined: {error}") from None
