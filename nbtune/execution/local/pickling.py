"""Jobs as bytes, for the workers: as cloudpickle writes them, with the files and cells that code comes from.

From 3.1.3 on cloudpickle leaves them out, and tracebacks could not quote the user's lines. Added is what a notebook may hold
and cloudpickle cannot write: what `functools` makes of functions. Caches start empty.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import importlib
import io
import operator
import sys
import threading
import types
import weakref
from collections import ChainMap
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import cloudpickle

from nbtune.ask.function import Function
from nbtune.data.content import live
from nbtune.data.content.graph import ATOMS
from nbtune.data.content.planted import displaced, is_own
from nbtune.errors import UsageError
from nbtune.execution.local import kerasobjects
from nbtune.training.private import whole

CODE = "code"  # the folder beside a job's file with the user's own modules, where it comes from another machine


def dumps(thing: Any) -> bytes:
    file = io.BytesIO()
    _Pickler(file).dump(thing)
    return file.getvalue()


def frozen(things: Any, changed: Sequence[str], same: Iterable[str]) -> bytes:
    """Things of the notebook's, as `thaw.thawed` reads them.

    Args:
        changed: what has been set in modules, and goes along, by its path.
        same: what a fresh import of them gives, too: it is named, so that it stays one thing with that of the module.
    """
    there = {path: live.value(path) for path in changed if live.is_there(path)}
    by_value = {id(thing) for path, thing in there.items() if live.home(thing) == path or is_own(thing)}
    named = {id(thing): path for path in same if live.is_there(path) and _has_identity(thing := live.value(path))}
    modules = {path.partition(":")[0] for path in (*changed, *same)}
    file = io.BytesIO()
    _Freezing(file, by_value, named, modules, frozenset(changed)).dump(
        (things, there, [path for path in changed if path not in there])
    )
    return file.getvalue()


def can_be_sent(thing: Any) -> bool:
    try:
        dumps(thing)
    except Exception:  # whatever a user's object raises
        return False
    return True


def refusal(function: Function, error: Exception) -> UsageError:
    """What to tell the user whose function cannot be written."""
    what = unsendable(function.call)
    reads = f"it reads {what} ({error}); create it" if what else f"{error}; create that thing"
    return UsageError(f"{function.name} cannot be sent to the workers: {reads} inside of the function")


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
            elif not can_be_sent(value):
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


def _code(code: types.CodeType) -> tuple[Any, ...]:
    make, parts = cloudpickle.CloudPickler.dispatch_table[types.CodeType](code)
    return _in_file, (code.co_filename, make, parts)


def _in_file(name: str, make: Callable[..., types.CodeType], parts: tuple[Any, ...]) -> types.CodeType:
    return make(*parts).replace(co_filename=name)


def _cached(function: Any) -> tuple[Any, ...] | str:
    """A function under `lru_cache`: by its name where a worker can import it."""
    return str(function.__qualname__) if _is_importable(function) else _wrapper(function)


def _wrapper(function: Any) -> tuple[Any, ...]:
    own = {name: value for name, value in vars(function).items() if name not in ("__wrapped__", "cache_parameters")}
    return _cache, (function.__wrapped__, function.cache_parameters()), own


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


def _context_variable(thing: contextvars.ContextVar[Any]) -> tuple[Any, ...]:
    default = contextvars.Context().run(thing.get, ...)
    return _set_variable, (thing.name, {} if default is ... else {"default": default}, thing.get(...))


def _set_variable(name: str, default: dict[str, Any], value: Any) -> contextvars.ContextVar[Any]:
    made: contextvars.ContextVar[Any] = contextvars.ContextVar(name, **default)
    if value is not ...:
        made.set(value)
    return made


def _of_a_thread(thing: threading.local) -> tuple[Any, ...]:
    return threading.local, (), vars(thing)


class _Pickler(cloudpickle.CloudPickler):
    dispatch_table: ClassVar = ChainMap(
        {
            types.CodeType: _code,
            functools._lru_cache_wrapper: _cached,
            functools.cached_property: _property,
            contextvars.ContextVar: _context_variable,
            threading.local: _of_a_thread,
            weakref.WeakKeyDictionary: _weak,  # of `singledispatch`
        },
        cloudpickle.CloudPickler.dispatch_table,
    )

    def reducer_override(self, thing: Any) -> Any:
        found = whole.reduced(thing)
        if found is None and kerasobjects.is_saved_by_keras(thing):
            found = kerasobjects.reduced(thing)
        return super().reducer_override(thing) if found is None else found


class _Freezing(_Pickler):
    """What is one thing in the notebook and in a module is so in the worker: functions read their module, data is its data."""

    def __init__(
        self,
        file: io.BytesIO,
        by_value: Container[int],
        named: Mapping[int, str],
        modules: Container[str],
        changed: Container[str],
    ) -> None:
        super().__init__(file)
        self._by_value, self._named, self._modules, self._changed = by_value, named, modules, changed

    def persistent_id(self, thing: Any) -> str | None:
        if id(thing) in self._named or not callable(thing):
            return self._named.get(id(thing))
        path = f"{getattr(thing, '__module__', '')}:{getattr(thing, '__qualname__', '')}"
        return path if path in self._changed and displaced(thing, path) else None

    def reducer_override(self, thing: Any) -> Any:
        if type(thing) is types.FunctionType and (id(thing) in self._by_value or not live.home(thing)):
            home = str(thing.__globals__.get("__name__"))
            if home in self._modules and vars(sys.modules[home]) is thing.__globals__:
                return _in_module, (home, thing.__code__, len(thing.__closure__ or ())), _state(thing), None, None, _complete
            if id(thing) in self._by_value:
                return self._dynamic_function_reduce(thing)
        if isinstance(thing, functools._lru_cache_wrapper) and id(thing) in self._by_value:
            return _wrapper(thing)
        module = sys.modules.get(thing.__module__) if isinstance(thing, type) and id(thing) in self._by_value else None
        if module is None or module.__name__ in cloudpickle.list_registry_pickle_by_value():
            return super().reducer_override(thing)
        cloudpickle.register_pickle_by_value(module)  # for this class alone
        try:
            return super().reducer_override(thing)
        finally:
            cloudpickle.unregister_pickle_by_value(module)


def _in_module(module: str, code: types.CodeType, cells: int) -> types.FunctionType:
    importlib.import_module(module)
    return types.FunctionType(code, vars(sys.modules[module]), closure=tuple(types.CellType() for _ in range(cells)) or None)


def _state(function: types.FunctionType) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    known = ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__", "__annotations__")
    return {name: getattr(function, name) for name in known}, list(map(_content, function.__closure__ or ())), vars(function)


def _content(cell: types.CellType) -> list[Any]:
    with contextlib.suppress(ValueError):
        return [cell.cell_contents]
    return []


def _complete(function: types.FunctionType, state: tuple[dict[str, Any], list[Any], dict[str, Any]]) -> None:
    known, contents, own = state
    for name, value in known.items():
        setattr(function, name, value)
    for cell, content in zip(function.__closure__ or (), contents, strict=True):
        if content:
            (cell.cell_contents,) = content
    vars(function).update(own)


def _has_identity(thing: Any) -> bool:
    """Whether it matters which of two equal things it is."""
    is_code = isinstance(thing, (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType))
    return type(thing) not in ATOMS and not is_code and not (type(thing) in (tuple, frozenset) and not thing)
