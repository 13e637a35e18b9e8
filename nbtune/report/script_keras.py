"""The lines of a script that set Keras and TensorFlow as the notebook has them, where that is not as they are from the start."""

from __future__ import annotations

from nbtune import machine
from nbtune.ask.surroundings import Surroundings

_USUAL = {"floatx": "float32", "image_data_format": "channels_last", "epsilon": 1e-7}


def backend_lines() -> str:
    """Before Keras is imported."""
    backend = machine.keras_backend()
    return "" if backend == machine.TENSORFLOW else f"import os\n\nos.environ['KERAS_BACKEND'] = {backend!r}"


def settings_lines(surroundings: Surroundings) -> str:
    """Once it is."""
    changed = [(name, value) for name, value in surroundings.config.items() if value != _USUAL.get(name)]
    if surroundings.dtype_policy not in (None, surroundings.floatx):
        changed.append(("dtype_policy", surroundings.dtype_policy))
    lines = [f"keras.config.set_{name}({value!r})" for name, value in changed]
    if surroundings.tensorflow.get("determinism"):
        lines += ["import tensorflow as tf", "tf.config.experimental.enable_op_determinism()"]
    return "\n".join(lines)
