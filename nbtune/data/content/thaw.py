"""What a notebook has sent, read in a worker: its things, and what it has set in the user's own modules."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import pickle
from collections.abc import Iterator, Mapping
from typing import Any

from nbtune.data.content import keras
from nbtune.data.content.live import is_there, put, remove, value
from nbtune.data.content.planted import is_own


def before(path: str) -> str:
    """Where what stood at a path is kept, once something else was put there."""
    cut = max(path.rfind(":"), path.rfind(".")) + 1
    return f"{path[:cut]}_before_nbtune_{path[cut:]}"


class Thaw(pickle.Unpickler):
    """Reads what `execution.local.pickling.frozen` wrote: things of a module are those of the module here."""

    def persistent_load(self, path: str) -> Any:
        importlib.import_module(path.partition(":")[0])
        return value(before(path) if is_there(before(path)) else path)


class Again(Thaw):
    """Reads it once more, as things of their own: classes too, so that those of the notebook stay as they are."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        return functools.partial(_untracked, found) if name in _SKELETONS and module.startswith("cloudpickle") else found


_SKELETONS = ("_make_skeleton_class", "_make_skeleton_enum")  # by which cloudpickle finds a class that it has made before


def _untracked(make: Any, *arguments: Any) -> Any:
    """Both take the key under which the class is found again as the last but one argument."""
    *before, _, extra = arguments
    return make(*before, None, extra)


def again(frozen: bytes, modules_too: bool) -> dict[str, Any]:
    """Name to thing, as it was written, whatever has become of it since.

    Args:
        modules_too: so do the user's own modules of this process.
    """
    found, changed, _ = Again(io.BytesIO(frozen)).load()
    if modules_too:
        _set(changed)
    assert isinstance(found, dict)
    return found


@contextlib.contextmanager
def kept(frozen: bytes) -> Iterator[None]:
    """What `again` sets in modules is afterwards as it was before."""
    changed = Again(io.BytesIO(frozen)).load()[1] if holds_state(frozen) else {}
    before = {path: value(path) for path in changed if is_there(path)}
    try:
        yield
    finally:
        _set(before)


def _set(changed: Mapping[str, Any]) -> None:
    for path, thing in changed.items():
        importlib.import_module(path.partition(":")[0])
        old = value(path) if is_there(path) else None
        if callable(old) and old is not thing and not is_own(old):  # a library's: what was put there may call it
            put(before(path), old)
        put(path, thing)


def is_state(thing: Any) -> bool:
    """Whether it is a variable, or an object of Keras that may make some."""
    return keras.is_array(thing) or keras.is_configured(thing, lambda module: module.partition(".")[0] == "keras")


def holds_state(frozen: bytes) -> bool:
    """Whether there are variables, or objects of Keras that may make some, among what users made."""
    return any(mark in frozen for mark in _STATE)


_STATE = (b"resource_variable_ops", b"nbtune.training.private.whole")


def thawed(frozen: bytes) -> dict[str, Any]:
    """Name to thing; what the notebook has set in the user's modules is set in those of this process."""
    found, changed, gone = Thaw(io.BytesIO(frozen)).load()
    _set(changed)
    for path in gone:
        remove(path)
    assert isinstance(found, dict)
    return found
