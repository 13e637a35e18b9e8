"""The kinds of models, losses and metrics that a test holds against `model.fit`; a stack with others proves itself first."""

from __future__ import annotations

from typing import Any

import keras

from nbtune.training.fused.layers import kinds, per_example
from nbtune.training.private import keras as private

_PARTS = (
    *("activation", "recurrent_activation", "kernel_regularizer", "bias_regularizer", "activity_regularizer"),
    *("kernel_constraint", "bias_constraint", "recurrent_regularizer", "recurrent_constraint", "embeddings_regularizer"),
)


def model(made: keras.Model) -> bool:
    """It is put together from such layers of Keras's own, whose parts are Keras's own, and nothing is computed between them."""
    layers = [layer for layer in private.layers(made) if not isinstance(layer, keras.Model)]
    return per_example.only_keras_models(made) and per_example.only_layers(made) and all(map(_is_known, layers))


def _is_known(layer: Any) -> bool:
    kind = kinds.exact(layer)
    return (kind.proven or kind.per_example) and all(_is_own(getattr(layer, part, None)) for part in _PARTS)


def compiled(made: keras.Model) -> bool:
    """Its loss and metrics are Keras's own, and the loss does not compare rows with each other (on unit vectors the gradient
    of `Circle` is not a number in a stack, and is one in `fit`)."""
    config = private.settings(made)
    given = keras.tree.flatten([config.get("loss"), config.get("metrics"), config.get("weighted_metrics")])
    of_each_row = not any(isinstance(part, keras.losses.Circle) or part == "circle" for part in given)
    return of_each_row and all(isinstance(part, str) or _is_own(part) for part in given)


def _is_own(part: Any) -> bool:
    home = getattr(part, "__module__", None) if callable(part) and not isinstance(part, type) else None
    return part is None or str(home or type(part).__module__).partition(".")[0] == "keras"
