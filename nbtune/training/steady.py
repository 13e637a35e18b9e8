"""Whether a function leaves what it reads alone: models of several trials are built in one process, none to know of another."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from nbtune.data.content import live
from nbtune.record.job import Terms

_NUMPYS = (type(np.mean), np.ufunc)
_CODE = (types.FunctionType, types.BuiltinFunctionType, type, property, staticmethod, classmethod, *_NUMPYS)
_LIBRARIES = ("keras", "numpy", "tensorflow._api")  # what models are made of; the last is what `tf.` names
CHANGES = "the function changes something that it reads, such as a counter, a generator or Keras, for the trials that come after"


def standing(job: Terms) -> str:
    """A hash of what the function reads: of the notebook's, and of the user's own modules."""
    return live.standing([job.function.call, job.function.fit])


def has_changed_libraries() -> bool:
    """Whether some code in Keras, NumPy or TensorFlow is no longer what it was when this module was imported.

    Only their modules grow by themselves.
    """
    held = dict(_code_of_libraries())
    if any(path[:-1] in _AT_FIRST for path in held.keys() - _AT_FIRST.keys()):
        return True
    return any(held.get(path) is not thing for path, thing in _AT_FIRST.items())


def _code_of_libraries() -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, module in list(sys.modules.items()):
        # the type, and no `isinstance`: a module that is loaded when it is asked for would be
        if not _is_of_libraries(name) or not issubclass(type(module), types.ModuleType):
            continue
        for inner, thing in list(vars(module).items()):
            if issubclass(type(thing), _CODE):
                yield from _parts((name, inner), thing)
                if issubclass(type(thing), type) and thing.__module__ == name:
                    for own, part in list(vars(thing).items()):
                        if issubclass(type(part), _CODE):
                            yield from _parts((name, inner, own), part)


def _is_of_libraries(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in _LIBRARIES)


def _parts(path: tuple[str, ...], thing: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, thing
    function = getattr(thing, "__func__", thing)
    if type(function) is types.FunctionType:
        yield (*path, "()"), function.__code__  # which can be replaced in place


_AT_FIRST = dict(_code_of_libraries())
