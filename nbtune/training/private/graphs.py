"""What a model that was put together from symbolic tensors knows of itself. Seen in Keras 3.7 to 3.15."""

from __future__ import annotations

from typing import Any

import keras


def outputs(model: keras.Model) -> Any:
    """What the model puts out, as `keras.KerasTensor`s in its own structure; None if it is no such model.

    One that computes in a `call` of its own is none.
    """
    functional = getattr(getattr(getattr(keras, "src", None), "models", None), "Functional", keras.Sequential)
    kinds = (keras.Sequential, functional)
    if not model.built or not any(isinstance(model, kind) and type(model).call is kind.call for kind in kinds):
        return None
    graph = getattr(model, "_functional", None) or model
    return getattr(graph, "_outputs_struct", None)
