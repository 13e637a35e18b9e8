"""Networks in which each layer takes what the one before puts out, and their hidden layers that are alike."""

from __future__ import annotations

import itertools
from typing import Any

import keras

from nbtune.training.fused import dense, padding
from nbtune.training.fused.layers import per_example
from nbtune.training.private import keras as private


def chain(model: keras.Model) -> list[Any]:
    """The layers of a model in which each takes what the one before puts out; empty if it is not such a one."""
    graph = private.graph(model)
    if graph is None:
        return []
    nodes = graph.nodes
    takes_the_one_before = all(
        len(node.inputs) == 1 and node.inputs[0] is before.outputs[0] for before, node in itertools.pairwise(nodes)
    )
    layers = [node.operation for node in nodes]
    is_one = takes_the_one_before and graph.outputs[0] is nodes[-1].outputs[0] and len(graph.outputs) == 1
    return layers if is_one and len(set(map(id, layers))) == len(layers) else []


def row(model: keras.Model) -> list[Any]:
    """The first hidden layers in a row that are alike, in a network that `dense` can train; empty if there are none."""
    layers = chain(model)
    if not all(map(dense.is_plain, layers)) or not per_example.model(model):
        return []
    free = padding.free(model)
    for kind, alike in itertools.groupby(layers, lambda layer: _kind(layer) if layer.name in free else None):
        if kind is not None:
            return list(alike)
    return []


def _kind(layer: Any) -> tuple[Any, ...] | None:
    """Equal for layers that are alike; None if some of its weights are frozen."""
    return None if layer.non_trainable_variables else (layer.activation, layer.use_bias, layer.dtype_policy.name)
