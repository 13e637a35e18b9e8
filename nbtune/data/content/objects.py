"""What a Python object is made of, as far as that can be found again in another process."""

from __future__ import annotations

import contextvars
import copyreg
import functools
import hashlib
import io
import os
import random
import sys
import threading
import types
import typing
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cloudpickle
import numpy as np

from nbtune.data.content import disk, keras
from nbtune.data.content.code import WEAK, Code
from nbtune.data.content.graph import ATOMS, Node, digest
from nbtune.data.content.graph import content as of_graph
from nbtune.data.content.modules import Module, Modules
from nbtune.data.content.planted import displaced, is_own
from nbtune.errors import UsageError

BLOCK = 2**23  # bytes that a thread hashes at a time
_DRAWS: tuple[Any, ...] = (random.random, np.random.normal)
_DRAWN_FROM = [draw.__self__ for draw in _DRAWS]  # where there is no generator of one's own
_CACHE = type(functools.lru_cache(len))
_OF_A_MODULE = set(vars(types.ModuleType("any"))) | {"__file__", "__builtins__", "__cached__"}
_OF_A_WRAPPER = {"__wrapped__", "cache_parameters"}


class NoFingerprint(UsageError):
    """Something has no content that could be compared later; nothing can be reused then."""


class Contents:
    """Hashes of things, with everything that can be reached from them.

    Attributes:
        modules: the libraries that were reached, and their versions.
    """

    def __init__(self) -> None:
        self.modules = Modules()
        self._texts: set[str] = set()  # that may name files
        self._code = Code(self.modules)
        self._rules: dict[type, Callable[[Any], Node]] = {
            list: _sequence,
            tuple: _sequence,
            dict: lambda thing: Node(b"dict", [part for pair in thing.items() for part in pair]),
            set: lambda thing: Node(b"set", list(thing), ordered=False),
            frozenset: lambda thing: Node(b"set", list(thing), ordered=False),
            bytearray: lambda thing: Node(b"bytearray", [bytes(thing)]),
            Module: self.modules.describe,
            types.ModuleType: self._module,
            types.FunctionType: self._code.function,
            types.CodeType: self._code.code,
            types.MethodType: lambda thing: Node(b"method", [thing.__func__, thing.__self__]),
            types.MappingProxyType: lambda thing: Node(b"mapping", [dict(thing)]),
            typing.TypeVar: _type_variable,
            weakref.ref: lambda thing: Node(b"weak", [thing()]),
            weakref.WeakSet: lambda thing: Node(b"weak set", list(thing), ordered=False),
            **{kind: lambda thing: Node(b"weak", [*thing.items()], ordered=False) for kind in WEAK},
            contextvars.ContextVar: lambda thing: Node(b"context variable", [thing.name, thing.get(...)]),
            threading.local: lambda thing: Node(b"of a thread", [vars(thing)]),
        }

    def __call__(self, thing: Any) -> str:
        """Raises NoFingerprint, naming what cannot be compared."""
        return of_graph(thing, self._node)

    def outside(self) -> str:
        """The hash of the files and environment variables that the code reads which was hashed so far.

        Raises:
            NoFingerprint: it reads some whose names only show when it runs, and nothing that it reaches names any.
        """
        found = self.modules.outside
        if found.unknown:
            raise NoFingerprint(f"the function uses {min(found.unknown)}, and what that comes to shows only when it runs")
        files = found.files | found.listed
        variables = [[name, os.environ.get(name)] for name in sorted(found.variables)]
        if found.unknown_files:
            texts = self._texts.union(value for _, value in variables if value)
            named = {text for text in (texts - files) | found.listed if disk.is_there(text)}
            if not named:
                where = min(found.unknown_files)
                raise NoFingerprint(
                    f"the function reads a file whose name shows only when it runs, in {where}; read it in the notebook and let "
                    "the function use what was read, or give its name as a text"
                )
            files |= named
        try:
            states = disk.states(sorted(files))  # without their names: a project may have been moved
        except OSError as error:
            raise NoFingerprint(f"the function reads what cannot be compared with a later one ({error})") from None
        return self([states, variables])

    def surroundings(self) -> str:
        """The hash of what Keras has been told besides: its settings and the user's registered objects."""
        return self(keras.surroundings(self.modules.is_own))

    def _node(self, thing: Any) -> Node:
        try:
            node = self._described(thing)
            among = thing if type(thing) in (list, tuple) else ()
            self._texts.update(part for part in (*node.parts, *among) if type(part) is str)
            return node
        except NoFingerprint:
            raise
        except Exception as error:  # the user's own __reduce__ and get_config can raise anything
            what = f"the function reads a {type(thing).__name__}, which cannot be compared with a later one"
            raise NoFingerprint(f"{what} ({str(error)[:200]})") from None

    def _described(self, thing: Any) -> Node:
        kind = type(thing)
        if name := self._name_in_library(thing):
            return Node(name)
        if rule := self._rules.get(kind):
            return rule(thing)
        if isinstance(thing, type):
            return self._code.klass(thing)
        if any(thing is one for one in _DRAWN_FROM):
            return Node(b"the state of random numbers, which each trial sets anew")
        if thing is os.environ:  # what is read of it is in `outside`
            return Node(b"the environment")
        if isinstance(thing, types.ModuleType):
            return self._module(thing)
        if kind is np.ndarray or isinstance(thing, (np.memmap, np.generic)):
            return _array(np.asarray(thing))
        if keras.is_array(thing):
            return Node(b"tensor", [kind, np.asarray(thing)])
        if keras.is_configured(thing, self.modules.library):
            return keras.configured(thing, self.modules.is_own)
        if isinstance(thing, functools.cached_property):
            return Node(b"cached property", [kind, thing.func])
        if callable(thing) and hasattr(thing, "__wrapped__") and self.modules.library(kind.__module__):
            terms: dict[str, Any] = getattr(thing, "cache_parameters", dict)()  # of functools.lru_cache
            own = vars(thing) if kind is _CACHE else {}
            own = {name: value for name, value in sorted(own.items()) if name not in _OF_A_WRAPPER}
            return Node(b"wrapper", [kind, thing.__wrapped__, terms, own])
        return self._reduced(thing)

    def _name_in_library(self, thing: Any) -> bytes:
        """How a function or class of a library is called there; its version says the rest."""
        if isinstance(thing, types.ModuleType):
            return b""
        module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
        if not isinstance(module, str) or not isinstance(name, str) or not self.modules.library(module) or is_own(thing):
            return b""
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        is_there = found is thing or (is_own(found) and displaced(thing, f"{module}:{name}"))
        return f"{self.modules.reached(module)} {module}.{name}".encode() if is_there else b""

    def _module(self, module: types.ModuleType) -> Node:
        if self.modules.library(module.__name__) or self.modules.file(module.__name__):
            return Node(b"module", [self.modules.of(module.__name__)])
        return Node(b"module", [{name: value for name, value in vars(module).items() if name not in _OF_A_MODULE}])

    def _reduced(self, thing: Any) -> Node:
        """As pickle and cloudpickle take it apart, to put it together elsewhere."""
        reduce = cloudpickle.CloudPickler(io.BytesIO()).dispatch_table.get(type(thing)) or copyreg.dispatch_table.get(type(thing))
        found = reduce(thing) if reduce else thing.__reduce_ex__(4)
        if isinstance(found, str):
            home = getattr(thing, "__module__", None)
            held = (vars(module).get(found) for module in list(sys.modules.values()) if isinstance(module, types.ModuleType))
            if home is None and not any(one is thing for one in held):  # a ufunc that is no library's
                raise ValueError("no module has it by its name")
            return Node(f"name {home} {found}".encode(), [type(thing)])
        make, arguments, *rest = found
        state, items, pairs = (*rest[:3], None, None, None)[:3]
        own = vars(thing) if self._leaves_out_attributes(thing) else None
        states = [self._by_name(each, thing) for each in (state, own)]
        return Node(b"object", [make, arguments, *states, list(items or ()), list(pairs or ())])

    def _leaves_out_attributes(self, thing: Any) -> bool:
        """Whether a class of the user's own is taken apart as a library does it, which does not know of attributes."""
        if self.modules.library(type(thing).__module__) or not isinstance(thing, np.ndarray):
            return False
        return not any("__reduce__" in vars(cls) for cls in type(thing).__mro__ if not self.modules.library(cls.__module__))

    def _by_name(self, state: Any, thing: Any) -> Any:
        """Attributes in an order that does not tell when each was set, without what was only computed from the others."""
        if type(state) is dict and all(isinstance(name, str) for name in state):
            names = (name for name in sorted(state) if not self._is_computed(thing, name, state[name]))
            return {name: state[name] for name in names} or None  # as an object has it that has no attributes yet
        if isinstance(state, tuple) and len(state) == 2:  # with slots
            return tuple(self._by_name(part, thing) for part in state)
        return state

    def _is_computed(self, thing: Any, name: str, value: Any) -> bool:
        """Whether an attribute is what a cached property would compute again, and was not set to something else."""
        found = getattr(type(thing), name, None)
        if not isinstance(found, functools.cached_property):
            return False
        states = random.getstate(), np.random.get_state()
        try:
            other = object.__new__(type(thing))
            vars(other).update({attribute: value for attribute, value in vars(thing).items() if attribute != name})
            return of_graph(found.func(other), self._node) == of_graph(value, self._node)
        except Exception:  # whatever the user's function raises
            return False
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


def _type_variable(thing: typing.TypeVar) -> Node:
    """cloudpickle numbers them at random."""
    terms = [thing.__bound__, thing.__constraints__, thing.__covariant__, thing.__contravariant__]
    return Node(f"type variable {thing.__name__}".encode(), terms)


def _sequence(thing: Any) -> Node:
    kind = type(thing).__name__
    if len(thing) > 8 and set(map(type, thing)) <= ATOMS:  # a long list of numbers at once
        return Node(digest(kind.encode(), repr(thing).encode()))
    return Node(kind.encode(), thing)


def _array(array: np.ndarray) -> Node:
    label = f"array {array.dtype.str} {array.dtype.descr if array.dtype.names else ''} {array.shape}".encode()
    if array.dtype.hasobject:
        return Node(label, array.ravel().tolist())
    if array.flags.f_contiguous and not array.flags.c_contiguous:  # as it lies in memory: to turn it round takes seconds
        return Node(b"transposed", [array.T])
    size = max(1, BLOCK // max(array.itemsize, 1))
    starts = range(0, array.size, size)
    if len(starts) < 2:
        return Node(digest(label, _hash(array, 0, size)))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return Node(digest(label, *threads.map(lambda start: _hash(array, start, start + size), starts)))


def _hash(array: np.ndarray, start: int, end: int) -> bytes:
    """Of some of its values, in C order; a copy of all, where they lie in another one, may not fit into memory."""
    values = (array.reshape(-1) if array.flags.c_contiguous else array.flat)[start:end]
    return hashlib.blake2b(values.view(np.uint8).data, digest_size=16).digest()
