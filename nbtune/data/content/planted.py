"""What the user's own code has put into libraries, as in `keras.layers.Dense.call = mine`: a worker imports them without it."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Iterator
from typing import Any

from nbtune.data.content.modules import Modules, installed_in

MAIN, MOCKS = "__main__", "unittest.mock"
_LEFT_OUT = frozenset(  # hooks of the kernel, which no model sees, and tools that patch for a living
    [
        *("nbtune", "__mp_main__", "sys", "builtins", "threading", "warnings", "logging", "signal", "atexit", "unittest"),
        *("IPython", "ipykernel", "traitlets", "pytest", "_pytest", "pluggy", "hypothesis"),
    ]
)
_HOLDERS = {
    types.MethodType: "__func__",
    staticmethod: "__func__",
    classmethod: "__func__",
    functools.partial: "func",
    property: "fget",
    functools.cached_property: "func",
}
_MOST_WRAPPERS = 20


def planted() -> dict[str, Any]:
    """Path, as in `live`, to what stands there: functions and classes of the user's own, in modules and classes of libraries."""
    tops = {name.partition(".")[0] for name in list(sys.modules)}
    own = {MAIN, *(top for top in tops - _LEFT_OUT if _is_own(top))}
    found: dict[str, Any] = {}
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if isinstance(module, types.ModuleType) and top not in own and top not in _LEFT_OUT and module.__name__ == name:
            found.update({f"{name}:{inner}": thing for inner, thing in _within(module, own)})
    return found


def displaced(thing: Any, path: str) -> bool:
    """Whether a library's thing has made room for another one at this path, which it goes by."""
    module, _, inner = path.partition(":")
    try:
        found = functools.reduce(getattr, inner.split("."), sys.modules[module])
    except (KeyError, AttributeError):
        return False
    return found is not thing and not is_own(thing)


def is_own(thing: Any) -> bool:
    """Whether it is code of the user's own, whatever it calls itself."""
    home = home_of(thing)
    return bool(home) and _is_own(home.partition(".")[0])


def home_of(thing: Any) -> str:
    """The module whose code it is; `functools.wraps` gives a function another `__module__`."""
    kind = type(thing)  # and no other question, which a library's object may answer with an import
    if kind is types.FunctionType:
        return str(thing.__globals__.get("__name__") or "")
    if kind in _HOLDERS:
        return home_of(getattr(thing, _HOLDERS[kind]))
    if issubclass(kind, type):
        return str(vars(thing).get("__module__", ""))
    return MAIN if kind.__module__ == MOCKS else str(kind.__module__)


def bare(thing: Any) -> Any:
    """The function or class in what `functools` and Python's own decorators make of one, without what is wrapped around it."""
    for _ in range(_MOST_WRAPPERS):
        inner = getattr(thing, _HOLDERS[type(thing)]) if type(thing) in _HOLDERS else thing
        if type(inner) is types.FunctionType:
            inner = vars(inner).get("__wrapped__", inner)
        if inner is thing:
            break
        thing = inner
    return thing


def _within(module: types.ModuleType, own: set[str]) -> Iterator[tuple[str, Any]]:
    held: list[tuple[Any, Any]] = list(vars(module).items())
    for name, thing in held:
        if not isinstance(name, str):
            continue
        if home_of(thing).partition(".")[0] in own:
            yield name, thing
        elif issubclass(type(thing), type) and thing.__module__ == module.__name__ and thing.__qualname__ == name:
            inner = list(vars(thing).items())
            yield from ((f"{name}.{each}", part) for each, part in inner if home_of(part).partition(".")[0] in own)


@functools.lru_cache(maxsize=10_000)
def _is_own(top: str) -> bool:
    """Whether a module is the user's own; most are known at a glance to be none."""
    if top == MAIN:
        return True
    file = getattr(sys.modules.get(top), "__file__", None)
    if not file or any(str(file).startswith(f"{folder}/") for folder in installed_in()):
        return False
    return not Modules().library(top)
