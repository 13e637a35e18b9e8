"""Datasets that are read anew in each epoch, because they differ from one epoch to the next or are too large to keep."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import inspect
import itertools
import math
import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
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


def from_graph(source: Source) -> Any:
    """A `tf.data.Dataset` as it was when its graph was taken: one that shuffles begins with its first order."""
    tf = importlib.import_module("tensorflow")
    graph = tf.compat.v1.GraphDef.FromString(source.payload[0])
    for node in graph.node:
        handle = node.attr["value"].tensor.resource_handle_val if node.op == "Const" else ()
        for each in handle:
            if "SeedGenerator" in each.maybe_type_name:  # by its name it would be that of the dataset itself, which moves on
                each.name = f"{each.name}_{uuid.uuid4().hex}"
    variant = tf.raw_ops.DatasetFromGraph(graph_def=graph.SerializeToString())
    return tf.data.experimental.from_variant(variant, structure=cloudpickle.loads(source.payload[1]))


def another(data: Any, source: Source | UsageError) -> Any:
    """The dataset or its factory as new, where that is possible: to read the user's own would move its orders and counts on."""
    if isinstance(source, UsageError):
        return data
    return from_graph(source) if source.kind == GRAPH else cloudpickle.loads(source.payload[0])


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


@dataclass(frozen=True)
class Passes:
    """What is known of a dataset once it was read.

    Attributes:
        first: what the first pass gave.
        is_same: a second one gives the same rows, so that they may be kept.
        in_order: … in the same order.
    """

    first: Seen
    is_same: bool
    in_order: bool


def passes(new: Callable[[], Any], what: str, is_shuffled: bool) -> Passes:
    """Reads a dataset twice, if it is not too long.

    Args:
        new: gives the dataset or its factory as new.
        is_shuffled: whether `fit` is the reference for the order of rows. It draws one of a PyDataset's batches for each epoch,
            and a shuffle with a seed has its own, neither of which rows that are kept have.

    Raises:
        UsageError: no rows.
    """
    until = time.monotonic() + MOST_SECONDS
    with _seeded():
        data = new()
        dataset = made(data)
        first = look(dataset, what, until)
        if not first.batches:
            raise UsageError(f"{what} has no rows")
        if not first.complete or not first.is_even:
            return Passes(first, False, False)
        getattr(dataset, "on_epoch_end", lambda: None)()  # as `fit` does, after which a PyDataset may give other rows
        if is_shuffled and is_by_index(dataset) and len(first.batches) > 1:
            return Passes(first, False, False)
        again = look(dataset if is_dataset(dataset) else made(data), what, until)
    is_same, in_order = again.complete and sorted(first.rows) == sorted(again.rows), first.rows == again.rows
    if is_same and not in_order and is_shuffled:
        with _seeded():
            is_same = look(made(new()), what, until).rows != first.rows  # of a shuffle without a seed `fit` makes what it will
    return Passes(first, is_same, in_order)


@contextlib.contextmanager
def _seeded() -> Iterator[None]:
    """Random numbers begin where they did the last time, as with the seed of a trial; the notebook's own go on after it."""
    states = random.getstate(), np.random.get_state()
    random.seed(0)
    np.random.seed(0)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def is_stream(data: Any) -> bool:
    """What can be read more than once: a dataset, or a function that makes one."""
    return is_dataset(data) or is_factory(data)


def some(seen: Seen, rows: int = 10_000) -> list[tuple[Any, ...]]:
    """The first batches, so many rows at least if there are as many."""
    counts = itertools.accumulate(len(leaves(batch[0])[0]) for batch in seen.batches)
    needed = sum(count < rows for count in counts) + 1
    return seen.batches[:needed]
