"""What a notebook has set in Keras and TensorFlow around the function: workers have it as well."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_OWN = ("keras", "keras_tuner", "keras_hub", "tensorflow", "nbtune")
CONFIG = ("floatx", "image_data_format", "epsilon", "max_epochs", "max_steps_per_epoch")


@dataclass(frozen=True)
class Surroundings:
    """Settings, and the objects that the user registered with Keras by name.

    Attributes:
        config: `CONFIG` as it is set; empty where Keras has not been imported, and so has its defaults.
        dtype_policy: its name.
        filtered: tracebacks of errors leave Keras's own lines out.
        custom_objects: name to class or function.
        tensorflow: settings of `tf.config`, as they are; empty where TensorFlow has not been imported.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    dtype_policy: str | None = None
    filtered: bool = True
    custom_objects: Mapping[str, Any] = field(default_factory=dict)
    tensorflow: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process. Neither is imported for that."""
        keras: Any = sys.modules.get("keras")
        if keras is None or not hasattr(keras, "config"):
            return cls(tensorflow=of_tensorflow())
        known, config = keras.saving.get_custom_objects(), keras.config
        own = {name: thing for name, thing in known.items() if _package(thing) not in _OWN}
        settings = {name: getattr(config, name)() for name in CONFIG}
        filtered = config.is_traceback_filtering_enabled()
        return cls(settings, config.dtype_policy().name, filtered, own, of_tensorflow())

    @property
    def floatx(self) -> str:
        return str(self.config.get("floatx", "float32"))


def of_tensorflow() -> dict[str, Any]:
    """What changes numbers, or how an epoch is run."""
    tf: Any = sys.modules.get("tensorflow")
    if tf is None or not hasattr(tf, "config"):
        return {}
    beside: Any = sys.modules.get(tf.config.experimental.enable_op_determinism.__module__)  # whose other half is not public
    return {
        "determinism": bool(getattr(beside, "is_op_determinism_enabled", bool)()),
        "eager": tf.config.functions_run_eagerly(),
        "jit": tf.config.optimizer.get_jit(),
        "options": dict(tf.config.optimizer.get_experimental_options()),
        "tensor_float_32": tf.config.experimental.tensor_float_32_execution_enabled(),
    }


def _package(thing: Any) -> str:
    return str(getattr(thing, "__module__", "")).partition(".")[0]
