"""How a model takes its rows in and what its outputs come out of, read from its layers. Nothing is computed."""

from __future__ import annotations

import re
from typing import Any

import keras

from nbtune.training.private import keras as private
from nbtune.training.private.missing import Missing

# Layers that hand numbers on as they are.
_PASSING = {"InputLayer", "Reshape", "Flatten", "Permute", "Dropout", "GaussianNoise", "Identity", "ActivityRegularization"}


def first_layer(model: keras.Model) -> str | None:
    """The class of the first layer that does something to the rows; None where that is not told."""
    nodes = _nodes(model)
    for node in nodes or ():
        if isinstance(node.operation, keras.Model):
            return first_layer(node.operation)
        if type(node.operation).__name__ not in _PASSING:
            return type(node.operation).__name__
    return None


def activations(model: keras.Model, outputs: int) -> list[str | None]:
    """For each output Keras's name of the activation that it comes out of, "linear" for none; None where it is not told."""
    found = _graph(model)
    if found is None or len(found.outputs) != outputs:
        return [None] * outputs
    return [_activation(found, tensor) for tensor in found.outputs]


def takes_logits(model: keras.Model, outputs: int) -> list[bool]:
    """For each output whether the loss that the function compiled for it applies a softmax or sigmoid itself."""
    losses = keras.tree.flatten(model.loss) if model.compiled else []
    return [bool(getattr(loss, "from_logits", False)) for loss in losses] if len(losses) == outputs else [False] * outputs


def _graph(model: keras.Model) -> private.Graph | None:
    try:
        return private.graph(model) if model.built else None
    except (Missing, AttributeError):
        return None


def _nodes(model: keras.Model) -> list[private.Node] | None:
    found = _graph(model)
    return found and found.nodes


def _activation(graph: private.Graph, tensor: Any) -> str | None:
    node = next((node for node in graph.nodes if any(out is tensor for out in node.outputs)), None)
    if node is None:
        return None
    layer = node.operation
    if isinstance(layer, keras.Model):
        inner, at = _graph(layer), [out is tensor for out in node.outputs].index(True)
        return _activation(inner, inner.outputs[at]) if inner and len(inner.outputs) == len(node.outputs) else None
    own = _own_activation(layer)
    if own == "linear" and isinstance(layer, keras.layers.Activation):
        own = ""
    if own != "":
        return own
    return _activation(graph, node.inputs[0]) if len(node.inputs) == 1 else None


def _own_activation(layer: Any) -> str | None:
    """Of a layer of Keras's own; "" of one that hands on what it is given, None where its activation is not Keras's."""
    kind = type(layer)
    if not kind.__module__.startswith("keras."):
        return None
    if kind.__name__ in _PASSING - {"InputLayer"}:
        return ""
    own = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower().replace("re_lu", "relu")
    if hasattr(keras.activations, own):  # a layer or an operation that is an activation
        return own
    given = getattr(layer, "activation", None)
    if given is None:
        return None
    known = getattr(given, "__module__", "").startswith("keras.") and hasattr(given, "__name__")
    return str(given.__name__) if known else None
