"""Initialisers with a number, as they are written: `normal:0.01`, `uniform:0.05`, `constant:0.1`, `orthogonal:2`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nbtune.ask import names
from nbtune.ask.calls import Call
from nbtune.ask.checks import one_of
from nbtune.errors import UsageError

_ARGUMENTS: Mapping[str, tuple[str, Callable[[float], dict[str, float]]]] = {
    "random_normal": ("RandomNormal", lambda number: {"stddev": number}),
    "truncated_normal": ("TruncatedNormal", lambda number: {"stddev": number}),
    "random_uniform": ("RandomUniform", lambda number: {"minval": -number, "maxval": number}),
    "constant": ("Constant", lambda number: {"value": number}),
    "orthogonal": ("Orthogonal", lambda number: {"gain": number}),
}
_EXAMPLES = "normal:0.01, uniform:0.05, constant:0.1, orthogonal:2"
_known = one_of(names.INITIALIZERS)


def spell(text: str) -> str:
    """In Keras's own spelling: `Normal:.01` is `random_normal:0.01`."""
    name, colon, number = text.lower().partition(":")
    name = names.SPELLED.get(name, name)
    try:
        return f"{name}:{float(number):g}" if colon else name
    except ValueError:
        return name + colon + number


def check(option: str, value: Any) -> None:
    """Raises UsageError for a name that Keras does not have, and for a number that is missing or of no use."""
    if not isinstance(value, str) or (":" not in value and value != "constant"):
        return _known(option, value)
    name, _, number = value.partition(":")
    if name not in _ARGUMENTS:
        _known(option, name)
        raise UsageError(f"{option}: {name} takes no number; write {name} alone, or one of {_EXAMPLES}")
    try:
        found = float(number)
    except ValueError:
        raise UsageError(f"{option}: {value!r} needs a number behind the colon, like {_EXAMPLES}") from None
    if not math.isfinite(found) or (found <= 0 and name != "constant"):
        raise UsageError(f"{option}: {number} in {value!r} is not a number above 0")
    return None


def call(text: str) -> Call:
    """What makes an initialiser that is written with a number, and passes `check`."""
    name, _, number = spell(text).partition(":")
    kind, arguments = _ARGUMENTS[name]
    return Call(f"keras.initializers.{kind}", arguments(float(number)))
