"""Things of Keras's that stand behind short texts: described here, made in a worker, written out in exported code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Call(NamedTuple):
    """A class, `keras.…`, and its keyword arguments."""

    path: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.path}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"
