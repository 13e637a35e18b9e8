"""What a notebook has set in Keras around the function: workers have it as well."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_OWN = ("keras", "keras_tuner", "keras_hub", "tensorflow", "nbtune")


@dataclass(frozen=True)
class Surroundings:
    """Keras's settings, and the objects that the user registered with it by name.

    Attributes:
        floatx, image_data_format: None where Keras has not been imported, and so has its defaults.
        epsilon: the smallest number that losses and layers take for more than 0.
        dtype_policy: its name.
        custom_objects: name to class or function.
    """

    floatx: str | None = None
    image_data_format: str | None = None
    epsilon: float | None = None
    dtype_policy: str | None = None
    custom_objects: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process. Keras is not imported for that."""
        keras: Any = sys.modules.get("keras")
        if keras is None:
            return cls()
        known = keras.saving.get_custom_objects()
        own = {name: thing for name, thing in known.items() if _package(thing) not in _OWN}
        config = keras.config
        return cls(config.floatx(), config.image_data_format(), config.epsilon(), config.dtype_policy().name, own)


def _package(thing: Any) -> str:
    return str(getattr(thing, "__module__", "")).partition(".")[0]
