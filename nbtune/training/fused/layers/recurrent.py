"""Recurrent layers in a stack."""

from __future__ import annotations

from typing import Any

import keras

from nbtune.training.fused.layers import kinds
from nbtune.training.private import keras as private

MOST_STEPS = 16  # written out; each adds its share of tracing


def unroll(model: keras.Model) -> str | None:
    """Makes the model's recurrent layers ready for a stack; the reason why that cannot be, None if it can.

    `vectorized_map` cannot differentiate a layer's loop behind trained layers, and is slow where it can, so the loop is
    written out, which changes no number.
    """
    layers = private.layers(model)
    # the layers inside are called in a scope without symbols, with what the one around them takes
    around = {id(inner): each for each in layers if isinstance(each, keras.layers.Bidirectional) for inner in _inside(each)}
    for layer in layers:
        if not kinds.inherited(layer).unrolled or layer.unroll:
            continue
        called = around.get(id(layer), layer)
        steps = keras.tree.flatten(called.input)[0].shape[1] if private.calls(called) else None  # behind it, an initial state
        if steps is None or steps > MOST_STEPS:
            return f"the recurrent layer {layer.name} over {steps or 'an unknown number of'} steps"
        layer.unroll = True
    return None


def _inside(layer: keras.layers.Bidirectional) -> tuple[Any, Any]:
    return layer.forward_layer, layer.backward_layer
