"""Things of Keras's that stand behind short texts: described here, made in a worker, written out in exported code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

RATE = "rate"  # the variable that the base learning rate has in exported code


class Times(NamedTuple):
    """A multiple of the base learning rate."""

    factor: float

    def __repr__(self) -> str:
        return RATE if self.factor == 1 else f"{RATE} * {self.factor:g}"


class Call(NamedTuple):
    """A class, `keras.…` or one of ours, and its keyword arguments, in which `Times` may stand for learning rates."""

    path: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.path}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"
