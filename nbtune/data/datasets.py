"""Datasets of batches, read into arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbtune.data.tree import leaves, map_leaves
from nbtune.errors import UsageError


def is_dataset(data: Any) -> bool:
    """A `tf.data.Dataset` or a `keras.utils.PyDataset`."""
    return hasattr(data, "element_spec") or any(kind.__name__ == "PyDataset" for kind in type(data).__mro__)


def drain(dataset: Any, what: str) -> tuple[tuple[Any, ...], int]:
    """A dataset of (x, y) or (x, y, weights) batches as arrays, read once, and how many rows a batch has."""
    endless = int(dataset.cardinality()) == -1 if hasattr(dataset, "cardinality") else getattr(dataset, "num_batches", 0) is None
    if endless:  # tf.data.INFINITE_CARDINALITY is -1
        raise UsageError(f"{what}: the dataset has no end; leave .repeat() out, or add .take(batches)")
    batches: list[tuple[Any, ...]] = []
    for batch in dataset if hasattr(dataset, "element_spec") else (dataset[i] for i in range(len(dataset))):
        if not isinstance(batch, tuple) or len(batch) not in (2, 3) or (batches and len(batch) != len(batches[0])):
            raise UsageError(f"{what}: the dataset must give (x, y) batches, or (x, y, weights) if rows have weights")
        batches.append((map_leaves(np.asarray, batch[0]), *map(np.asarray, batch[1:])))
        x, y = batches[-1][:2]
        if y.ndim == 0 or any(part.ndim == 0 or len(part) != len(y) for part in leaves(x)):
            raise UsageError(f"{what}: the dataset gives single rows; add .batch(32)")
    if not batches:
        raise UsageError(f"{what} has no rows")
    join = lambda *parts: np.concatenate(parts)  # noqa: E731
    xs, *rest = zip(*batches, strict=True)
    try:
        return (map_leaves(join, *xs), *(join(*parts) for parts in rest)), len(batches[0][1])
    except ValueError as error:
        raise UsageError(f"{what}: the batches cannot be joined: {error}") from None


