"""What only Keras can write, a layer with a vocabulary, as bytes: as Keras saves it, with what it leaves out.

All else goes attribute by attribute, by `training.private.whole`. Keras finds classes and functions of the user's own by their
names, where they were registered; here they go along. What was set on an object beside its configuration goes along, too.
"""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from typing import Any

from nbtune.data.content import keras
from nbtune.data.content.modules import Modules


def is_saved_by_keras(thing: Any) -> bool:
    """Whether pickle would have Keras save it."""
    reduce = getattr(type(thing), "__reduce__", None)
    return getattr(reduce, "__qualname__", "") == "KerasSaveable.__reduce__"


def reduced(thing: Any) -> tuple[Any, ...]:
    """For pickle."""
    modules = Modules()
    make, arguments, *_ = thing.__reduce__()
    parts = keras.layers_of(thing) or [thing]
    kinds = [type(part).__name__ for part in parts]
    told = [_sendable(part, modules.is_own) for part in parts]
    return _restored, (make, arguments, _own(parts, modules.is_own), kinds, told)


def _sendable(part: Any, is_own: Callable[[Any], bool]) -> dict[str, Any]:
    """What is set on one of its parts; layers and variables within are parts, or are saved."""
    return {name: value for name, value in keras.attributes(part, is_own).items() if not _is_saved(value)}


def _is_saved(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple, set)) else [value]
    return any(is_saved_by_keras(each) or hasattr(each, "assign") for each in inner)


def _own(parts: list[Any], is_own: Callable[[Any], bool]) -> dict[str, Any]:
    """Name to class or function of the user's own that the configuration may name."""
    found: dict[str, Any] = {}
    for held in (*parts, *(value for part in parts for value in vars(part).values())):
        code = held if isinstance(held, (types.FunctionType, type)) else type(held)
        if is_own(code):
            found.setdefault(code.__name__, code)
    return found


def _restored(
    make: Callable[..., Any],
    arguments: tuple[Any, ...],
    own: dict[str, Any],
    kinds: list[str],
    told: list[dict[str, Any]],
) -> Any:
    saving = importlib.import_module("keras.saving")
    with saving.custom_object_scope(own):
        thing = make(*arguments)
    parts = keras.layers_of(thing) or [thing]
    if [type(part).__name__ for part in parts] != kinds:
        raise ValueError(
            f"Keras has not saved all of {type(thing).__name__}: give its class a get_config, or build it in the function"
        )
    for part, attributes in zip(parts, told, strict=True):
        for name, value in attributes.items():
            if not (name in vars(part) and _is_same(vars(part)[name], value)):
                setattr(part, name, value)
    return thing


def _is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and isinstance(one, (bool, int, float, str, bytes)) and one == other
