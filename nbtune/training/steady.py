"""Whether a function leaves what it reads alone: models of several trials are built in one process, none to know of another."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

from nbtune.data.content import live
from nbtune.record.job import Terms

_CODE = (types.FunctionType, type, property, staticmethod, classmethod)
CHANGES = "the function changes something that it reads, such as a counter, a generator or Keras, for the trials that come after"


def standing(job: Terms) -> str:
    """A hash of what the function reads: of the notebook's, and of the user's own modules."""
    return live.standing([job.function.call, job.function.fit])


def has_changed_keras() -> bool:
    """Whether some code in Keras is no longer what it was when this module was imported; only its modules grow by themselves."""
    held = dict(_code_of_keras())
    if any(path[:-1] in _AT_FIRST for path in held.keys() - _AT_FIRST.keys()):
        return True
    return any(held.get(path) is not thing for path, thing in _AT_FIRST.items())


def _code_of_keras() -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "keras" or not isinstance(module, types.ModuleType):
            continue
        for inner, thing in list(vars(module).items()):
            if isinstance(thing, _CODE):
                yield (name, inner), thing
                if isinstance(thing, type) and thing.__module__ == name:
                    parts = list(vars(thing).items())
                    yield from (((name, inner, each), part) for each, part in parts if isinstance(part, _CODE))


_AT_FIRST = dict(_code_of_keras())
