"""Objects that the user registered with Keras, made known to what looks names up without asking the registry.

`keras.activations.get("swoosh")`, and its like for losses, metrics and initialisers, know Keras's own names alone (3.15).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras.src import activations, initializers, losses, metrics, regularizers

_TABLES = [getattr(module, "ALL_OBJECTS_DICT", {}) for module in (activations, initializers, losses, metrics, regularizers)]


def make_known(things: Mapping[str, Any]) -> None:
    """Makes things known by their registered names, where Keras has none of that name."""
    for name, thing in things.items():
        for table in _TABLES:
            if table.get(name) is None or getattr(table[name], "__module__", "").partition(".")[0] != "keras":
                table[name] = thing
