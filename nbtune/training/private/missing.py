"""What there is to say when a name that is private in another package is not there."""

from __future__ import annotations

import importlib
from typing import Any


class Missing(Exception):
    """Keras or TensorFlow lacks a private name that only training together needs; the message says which."""

    ag_pass_through = True  # TensorFlow would put its own words around the message


def attribute(thing: Any, name: str) -> Any:
    """`thing.name`; raises Missing where there is none."""
    try:
        return getattr(thing, name)
    except AttributeError:
        raise missing(name, type(thing).__module__) from None


def member(module: str, name: str) -> Any:
    """`module.name`; raises Missing where there is none, or no such module."""
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        raise missing(f"{module}.{name}", module) from None


def missing(name: str, module: str) -> Missing:
    package = "TensorFlow" if module.startswith("tensorflow") else "Keras"
    installed = getattr(importlib.import_module(package.lower()), "__version__", "")
    return Missing(f"{package} {installed} has no {name}, which training together needs; update nbtune, or use another {package}")
