"""Recurrent layers in a stack."""

from __future__ import annotations

import keras

from nbtune.training.fused.layers import kinds
from nbtune.training.private import keras as private

MOST_STEPS = 16  # written out; each adds its share of tracing


def unroll(model: keras.Model) -> str | None:
    """Makes the model's recurrent layers ready for a stack; the reason why that cannot be, None if it can.

    `vectorized_map` cannot differentiate a layer's loop behind trained layers, and is slow where it can, so the loop is
    written out, which changes no number.
    """
    for layer in private.layers(model):
        if not kinds.inherited(layer).unrolled or layer.unroll:
            continue
        steps = layer.input.shape[1] if private.calls(layer) else None
        if steps is None or steps > MOST_STEPS:
            return f"the recurrent layer {layer.name} over {steps or 'an unknown number of'} steps"
        layer.unroll = True
    return None
