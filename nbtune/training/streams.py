"""Datasets as `model.fit` reads them, made anew for each trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import cloudpickle
import keras

from nbtune.data.datasets import is_dataset
from nbtune.data.streams import FACTORY, GRAPH, Source, from_graph
from nbtune.errors import UsageError


def opened(source: Source) -> Any:
    """What `fit` takes as its data, and reads once an epoch."""
    if source.kind == GRAPH:
        return from_graph(source)
    thing = cloudpickle.loads(source.payload[0])
    if source.kind != FACTORY:
        return thing
    made = thing()
    return made if is_dataset(made) else _from_batches(thing, made)


def _from_batches(make: Callable[[], Iterable[Any]], first: Iterable[Any]) -> Any:
    """A dataset that calls a function for a new iterable of batches in each epoch.

    Raises:
        UsageError: Keras trains with something else, and TensorFlow, which makes it, is not there.
    """
    try:
        import tensorflow as tf
    except ImportError:
        raise UsageError(
            "batches from a generator need TensorFlow; give a function that makes a keras.utils.PyDataset, or a DataLoader"
        ) from None

    batch = keras.tree.lists_to_tuples(next(iter(first)))
    spec = lambda part: tf.TensorSpec([None, *part.shape[1:]], part.dtype)  # noqa: E731
    signature = keras.tree.map_structure(lambda part: spec(tf.convert_to_tensor(part)), batch)
    batches = lambda: map(keras.tree.lists_to_tuples, make())  # noqa: E731
    return tf.data.Dataset.from_generator(batches, output_signature=signature)
