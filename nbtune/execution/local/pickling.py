"""Jobs as bytes, for the workers: as cloudpickle writes them, with the files and cells that code comes from.

From 3.1.3 on cloudpickle leaves them out, and tracebacks could not quote the user's lines. Added is what a notebook may hold
and cloudpickle cannot write: what `functools` makes of functions. Caches start empty.
"""

from __future__ import annotations

import contextlib
import functools
import io
import operator
import sys
import types
import weakref
from collections import ChainMap
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import cloudpickle

CODE = "code"  # the folder beside a job's file with the user's own modules, where it comes from another machine


def dumps(thing: Any) -> bytes:
    file = io.BytesIO()
    _Pickler(file).dump(thing)
    return file.getvalue()


def unsendable(thing: Any) -> str:
    """What of a function's variables cannot be written, as "batches, a generator"; "" where it is none of them.

    A variable of the notebook that a helper reads, or one that a function closes over, counts too.
    """
    waiting, seen = [thing], set()
    while waiting:
        function = waiting.pop()
        function = getattr(function, "__func__", getattr(function, "func", function))
        if not isinstance(function, types.FunctionType) or id(function) in seen:
            continue
        seen.add(id(function))
        for name, value in _variables(function):
            if isinstance(value, (types.FunctionType, types.MethodType, functools.partial)):
                waiting.append(value)
            elif not _can_be_sent(value):
                return f"{name}, a {type(value).__name__}"
    return ""


def _variables(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # an empty one
            yield name, cell.cell_contents
    codes = [function.__code__]
    for code in codes:  # grows meanwhile
        codes += [const for const in code.co_consts if isinstance(const, types.CodeType)]
        yield from ((name, function.__globals__[name]) for name in code.co_names if name in function.__globals__)


def _can_be_sent(thing: Any) -> bool:
    try:
        dumps(thing)
    except Exception:  # whatever a user's object raises
        return False
    return True


def _code(code: types.CodeType) -> tuple[Any, ...]:
    make, parts = cloudpickle.CloudPickler.dispatch_table[types.CodeType](code)
    return _in_file, (code.co_filename, make, parts)


def _in_file(name: str, make: Callable[..., types.CodeType], parts: tuple[Any, ...]) -> types.CodeType:
    return make(*parts).replace(co_filename=name)


def _cached(function: Any) -> tuple[Any, ...] | str:
    """A function under `lru_cache`: by its name where a worker can import it."""
    if _is_importable(function):
        return str(function.__qualname__)
    return _cache, (function.__wrapped__, function.cache_parameters())


def _cache(function: Callable[..., Any], settings: dict[str, Any]) -> Any:
    return functools.lru_cache(**settings)(function)


def _is_importable(thing: Any) -> bool:
    module = getattr(thing, "__module__", None)
    if module == "__main__" or module not in sys.modules or module in cloudpickle.list_registry_pickle_by_value():
        return False
    try:
        return operator.attrgetter(thing.__qualname__)(sys.modules[module]) is thing
    except AttributeError:  # `<lambda>`, `<locals>`
        return False


def _property(thing: functools.cached_property[Any]) -> tuple[Any, ...]:
    return _named_property, (thing.func, thing.attrname)


def _named_property(function: Callable[..., Any], name: str | None) -> functools.cached_property[Any]:
    made = functools.cached_property(function)
    made.attrname = name
    return made


def _weak(thing: weakref.WeakKeyDictionary[Any, Any]) -> tuple[Any, ...]:
    return weakref.WeakKeyDictionary, (dict(thing),)


class _Pickler(cloudpickle.CloudPickler):
    dispatch_table: ClassVar = ChainMap(
        {
            types.CodeType: _code,
            functools._lru_cache_wrapper: _cached,
            functools.cached_property: _property,
            weakref.WeakKeyDictionary: _weak,  # of `singledispatch`
        },
        cloudpickle.CloudPickler.dispatch_table,
    )
