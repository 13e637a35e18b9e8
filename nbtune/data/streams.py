"""Datasets that are read anew in each epoch, because they differ from one epoch to the next or are too large to keep."""

from __future__ import annotations

import functools
import hashlib
import inspect
import itertools
import math
import os
import sys
import time
from dataclasses import dataclass
from typing import Any

import cloudpickle
import numpy as np

from nbtune.data.datasets import batches_of, is_by_index, is_dataset, parts_of, size_of
from nbtune.data.tree import leaves
from nbtune.errors import UsageError

MOST_KEPT = 256e6  # bytes, of a dataset that is kept in memory without being asked for
MOST_SECONDS = 20.0  # to find out whether it gives the same rows each time
GRAPH, OBJECT, FACTORY = "graph", "object", "factory"


@dataclass(frozen=True)
class Source:
    """A dataset in a form that a worker makes it anew from; `training.streams` opens it.

    Attributes:
        kind: "graph": a `tf.data.Dataset` as its graph and its element's pickled structure; "object": pickled; "factory": a
            pickled function that makes one.
    """

    kind: str
    payload: tuple[bytes, ...]


@dataclass(frozen=True)
class Stream:
    """The datasets of a search; `validation` is None where rows in memory validate, or nothing does.

    Attributes:
        steps: batches that make an epoch; None for as many as there are.
    """

    training: Source
    validation: Source | None = None
    steps: int | None = None


def is_factory(data: Any) -> bool:
    """A function without parameters, or whose parameters all have defaults, that makes a dataset."""
    if not inspect.isroutine(data) and not isinstance(data, functools.partial):
        return False
    parameters = inspect.signature(data).parameters.values()
    return all(p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def sendable(data: Any, what: str) -> Source | UsageError:
    """A dataset as it is sent to a worker, or what is to be said of one that cannot be."""
    try:
        if hasattr(data, "element_spec"):
            tf = sys.modules["tensorflow"]  # where there is a dataset of it, it is loaded
            variant = tf.data.experimental.to_variant(data)
            graph = tf.raw_ops.DatasetToGraph(input_dataset=variant, allow_stateful=True).numpy()
            if b"PyFunc" in graph:
                raise TypeError("it calls a Python function")
            return Source(GRAPH, (bytes(graph), cloudpickle.dumps(data.element_spec)))
        return Source(FACTORY if is_factory(data) else OBJECT, (cloudpickle.dumps(data),))
    except Exception as error:  # a dataset over a Python function, an open file, …
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        return UsageError(
            f"{what}: this {type(data).__name__} cannot be sent to the workers ({reason}); give a function that makes it, like "
            "--data make_dataset"
        )


def files_of(stream: Stream | None) -> set[str]:
    """The files and folders that TensorFlow datasets read, by the names in their graphs."""
    sources = [source for source in (stream.training, stream.validation) if source] if stream else []
    graphs = [source.payload[0] for source in sources if source.kind == GRAPH]
    if not graphs:
        return set()
    tf = sys.modules["tensorflow"]  # where there is a dataset of it, it is loaded
    nodes = []
    for graph in map(tf.compat.v1.GraphDef.FromString, graphs):
        nodes += [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    constants = [node.attr["value"].tensor.SerializeToString() for node in nodes if _is_text(node, tf.string)]
    texts = {os.fsdecode(text) for found in constants for text in np.ravel(tf.io.parse_tensor(found, tf.string))}
    return {text for text in texts if os.path.exists(text)}


def _is_text(node: Any, kind: Any) -> bool:
    return bool(node.op == "Const" and node.attr["value"].tensor.dtype == kind.as_datatype_enum)


def copy_of(data: Any, source: Source | UsageError) -> Any:
    """Another one to look at, where that is possible: the user's own may count how often it is read."""
    return cloudpickle.loads(source.payload[0]) if isinstance(source, Source) and source.kind == OBJECT else data


@dataclass(frozen=True)
class Seen:
    """What one pass over a dataset gave, or the start of one that is too long; `size` as `datasets.size_of` has it."""

    batches: list[tuple[Any, ...]]
    rows: list[bytes]  # a digest of each
    complete: bool
    size: float | None

    @property
    def is_even(self) -> bool:
        """All batches but the last have as many rows."""
        sizes = [len(leaves(batch[0])[0]) for batch in self.batches]
        return all(size == sizes[0] for size in sizes[:-1]) and sizes[-1] <= sizes[0]


def made(data: Any) -> Any:
    """The dataset itself, or a new one of its factory."""
    return data() if is_factory(data) else data


def look(dataset: Any, what: str, until: float) -> Seen:
    """One pass, up to `MOST_KEPT` bytes and the time `until`."""
    batches: list[tuple[Any, ...]] = []
    digests: list[bytes] = []
    held = 0.0
    size = size_of(dataset)
    for batch in batches_of(dataset):
        parts = parts_of(batch, what)
        batches.append(parts)
        digests += _digests(parts)
        held += sum(leaf.nbytes for leaf in leaves(list(parts)))
        if size == math.inf or held > MOST_KEPT or time.monotonic() > until:
            return Seen(batches, digests, False, size)
    return Seen(batches, digests, True, size)


def _digests(parts: tuple[Any, ...]) -> list[bytes]:
    each = leaves(list(parts))
    return [hashlib.blake2b(b"|".join(_bytes(leaf[i]) for leaf in each), digest_size=8).digest() for i in range(len(each[0]))]


def _bytes(row: Any) -> bytes:
    """The content of a row, of text too, which comes as Python's objects."""
    if isinstance(row, (bytes, str)) or row.dtype == object:
        return repr(row if isinstance(row, (bytes, str)) else row.tolist()).encode()
    return bytes(row.tobytes())


def kept(data: Any, what: str, is_shuffled: bool) -> tuple[Seen, bool, bool]:
    """What a first pass gives, whether the rows may be kept, since a second one gives the same, and whether in the same order.

    Args:
        is_shuffled: whether `fit` is to shuffle where it can: it draws an order of a PyDataset's batches for each epoch, which
            rows that are kept have not.

    Raises:
        UsageError: no rows.
    """
    until = time.monotonic() + MOST_SECONDS
    dataset = made(data)
    first = look(dataset, what, until)
    if not first.batches:
        raise UsageError(f"{what} has no rows")
    if not first.complete or not first.is_even:
        return first, False, False
    getattr(dataset, "on_epoch_end", lambda: None)()  # as `fit` does, after which a PyDataset may give other rows
    if is_shuffled and is_by_index(dataset) and len(first.batches) > 1:
        return first, False, False
    again = look(dataset if is_dataset(dataset) else made(data), what, until)
    return first, again.complete and sorted(first.rows) == sorted(again.rows), first.rows == again.rows


def is_stream(data: Any) -> bool:
    """What can be read more than once: a dataset, or a function that makes one."""
    return is_dataset(data) or is_factory(data)


def some(seen: Seen, rows: int = 10_000) -> list[tuple[Any, ...]]:
    """The first batches, so many rows at least if there are as many."""
    counts = itertools.accumulate(len(leaves(batch[0])[0]) for batch in seen.batches)
    needed = sum(count < rows for count in counts) + 1
    return seen.batches[:needed]
