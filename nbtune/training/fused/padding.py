"""Dense layers of several widths in one stack: the narrow ones are padded with units whose weights are all zero.

Under an activation that takes 0 to 0 such a unit puts out 0, which the next layer's zero weights leave out. So its gradients
are 0, Keras's optimizers leave a weight of 0 under gradients of 0 as it is, and the trial's numbers stay what they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from nbtune.training.fused.layers import kinds
from nbtune.training.private import keras as private

Shape = Sequence[int]

# Each acts on every number by itself, and takes 0 to 0.
_ACTIVATIONS = [
    getattr(keras.activations, name)
    for name in ("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "tanh", "softsign")
]
_PARTS = ("kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint")


def free(model: keras.Model) -> set[str]:
    """The names of the Dense layers that can be padded, since all that they put out goes into other Dense layers."""
    graph = private.graph(model)
    if graph is None:
        return set()
    nodes = graph.nodes
    made = Counter(id(node.operation) for node in nodes)
    takers: dict[int, list[Any]] = {id(tensor): [None] for tensor in graph.outputs}
    for node in nodes:
        for tensor in node.inputs:
            takers.setdefault(id(tensor), []).append(node)
    return {
        node.operation.name
        for node in nodes
        if made[id(node.operation)] == 1 and _has_independent_units(node.operation) and _goes_into_dense(node, takers)
    }


def _has_independent_units(layer: Any) -> bool:
    """A Dense layer whose units do not know of each other."""
    return kinds.exact(layer).padded and _keeps_zero(layer) and all(getattr(layer, part) is None for part in _PARTS)


def _keeps_zero(layer: Any) -> bool:
    return any(layer.activation is each for each in _ACTIVATIONS)


def _goes_into_dense(node: Any, takers: Mapping[int, Sequence[Any]]) -> bool:
    return all(taker and _takes(taker, takers) for tensor in node.outputs for taker in takers.get(id(tensor), []))


def _takes(node: Any, takers: Mapping[int, Sequence[Any]]) -> bool:
    layer = node.operation
    if kinds.exact(layer).padded:
        return layer.kernel_regularizer is None and layer.kernel_constraint is None
    return kinds.exact(layer).keeps_zero and _keeps_zero(layer) and _goes_into_dense(node, takers)


def without(config: Any, names: set[str]) -> Any:
    """A model's configuration without the widths of these layers."""
    if isinstance(config, (list, tuple)):
        return [without(part, names) for part in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "__keras_tensor__":
        return config["config"]["keras_history"]
    if config.get("class_name") == "Dense" and config["config"]["name"] in names:
        config = {**config, "config": {**config["config"], "units": None}}
    return {key: without(value, names) for key, value in config.items()}


def padded(array: np.ndarray, shape: Shape) -> np.ndarray:
    """The array in the first corner of zeros of a shape that is nowhere smaller."""
    widths = [(0, wide - own) for own, wide in zip(array.shape, shape, strict=True)]
    return np.pad(array, widths) if widths else array  # a scalar, as a layer's counter is one


def cropped(array: np.ndarray, shape: Shape) -> np.ndarray:
    """What `padded` was given, of this shape."""
    return array[tuple(map(slice, shape))]


def is_within(shapes: Sequence[Shape], into: Sequence[Shape]) -> bool:
    """Whether each of these shapes is nowhere larger than its counterpart."""
    return all(a <= b for own, wide in zip(shapes, into, strict=True) for a, b in zip(own, wide, strict=True))
