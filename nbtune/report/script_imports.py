"""The lines of a script that import what a function uses, from where people import it."""

from __future__ import annotations

import sys
import types
from typing import Any

_PRIVATE = {"src", "api", "python"}  # packages of Keras and TensorFlow that are not for users


def import_module(name: str, module: types.ModuleType) -> str:
    """The line by which a module gets this name."""
    if module.__name__ == name:
        return f"import {name}"
    inner, _, last = module.__name__.rpartition(".")
    package = inner and home(module, last, inner)
    if last == name and package:
        return f"from {package} import {name}"
    return f"import {package + '.' * bool(package) + last} as {name}"


def import_thing(name: str, thing: Any) -> str:
    """The line by which a class or function of a module gets this name."""
    own = thing.__name__
    return f"from {home(thing, own, thing.__module__)} import {own}" + (f" as {name}" if name != own else "")


def home(thing: Any, name: str, inner: str) -> str:
    """The module that people import a thing from: `keras.layers` for what is defined in `keras.src.layers.core.dense`.

    Args:
        inner: where it is defined.
    """
    package = inner.partition(".")[0]
    loaded = {known: vars(module) for known, module in list(sys.modules.items()) if known.partition(".")[0] == package and module}
    found = [known for known, names in loaded.items() if names.get(name) is thing and not _is_inner(known)]
    return min(found, key=lambda known: (known.count("."), known), default=inner)


def _is_inner(module: str) -> bool:
    return any(part in _PRIVATE or (part.startswith("_") and part != "__main__") for part in module.split("."))
