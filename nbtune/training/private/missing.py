"""What there is to say when a name that is private in another package is not there."""

from __future__ import annotations

import importlib
from typing import Any

TOGETHER = "training together"
_SPELLED = {"keras": "Keras", "keras_tuner": "KerasTuner", "tensorflow": "TensorFlow"}


class Missing(Exception):
    """Another package lacks a private name that something needs here; the message says which, and what for."""

    ag_pass_through = True  # TensorFlow would put its own words around the message


def attribute(thing: Any, name: str, needed_for: str = TOGETHER) -> Any:
    """`thing.name`; raises Missing where there is none."""
    try:
        return getattr(thing, name)
    except AttributeError:
        home = thing.__module__ if isinstance(thing, type) else type(thing).__module__
        raise missing(name, home, needed_for) from None


def member(module: str, name: str, needed_for: str = TOGETHER) -> Any:
    """`module.name`; raises Missing where there is none, or no such module."""
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        raise missing(f"{module}.{name}", module, needed_for) from None


def missing(name: str, module: str, needed_for: str = TOGETHER) -> Missing:
    package = module.partition(".")[0]
    package = package if package in _SPELLED else "keras"
    installed = getattr(importlib.import_module(package), "__version__", "")
    spelled = _SPELLED[package]
    return Missing(f"{spelled} {installed} has no {name}, which {needed_for} needs; update nbtune, or use another {spelled}")
