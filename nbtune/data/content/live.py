"""What the user's own modules hold in this process, thing by thing: a worker, which imports them anew, may hold something else.

A thing has a path, `config:UNITS` or `nets:Block.units`. Its hash is that of its content, in which what is defined in the
user's own modules stands by its path, as it does for pickle; so two processes can compare what they have one by one.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import enum
import functools
import importlib
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from nbtune.data.content.code import NOT_OWN, cell_contents, codes_within, wrapped
from nbtune.data.content.graph import Node
from nbtune.data.content.graph import content as of_graph
from nbtune.data.content.objects import Contents

NOTHING = "nothing"  # the hash of what is not there
_DYNAMIC = frozenset({"getattr", "vars", "__dict__", "attrgetter", "dir", "__getattribute__"})
_LARGE = 2**20  # bytes
_WRAPPER = type(functools.lru_cache(len))


def reached(things: Any) -> dict[str, str]:
    """Path to hash of what things may read of the user's own modules, and in turn of those. Nothing is imported for that."""
    live, found = Live(), dict[str, str]()
    live.walk(things)
    while waiting := live.paths() - found.keys():
        for path in waiting:
            found[path] = live.hash(path)
    order = {name: i for i, name in enumerate(list(sys.modules))}
    return dict(sorted(found.items(), key=lambda item: (order[item[0].partition(":")[0]], item[0])))


def hashes(paths: Iterable[str]) -> dict[str, str]:
    live = Live()
    return {path: live.hash(path) for path in paths}


def standing(things: Any) -> str:
    """A hash of things and of what they may read of the user's own modules, here and now; of a large array a sample counts."""
    live = _Sampled()
    own, seen = of_graph(things, live._node), dict[str, str]()
    while waiting := live.paths() - seen.keys():
        seen |= {path: live.hash(path) for path in waiting}
    return of_graph([own, *(part for item in sorted(seen.items()) for part in item)], live._node)


def differing(expected: Mapping[str, str]) -> list[str]:
    """Those of the paths whose hash is another one here. What cannot be imported is left to whoever needs it."""
    live, importable = Live(), {name for name in dict.fromkeys(path.partition(":")[0] for path in expected) if _imported(name)}
    return [path for path, hash in expected.items() if path.partition(":")[0] in importable and live.hash(path) != hash]


def _imported(name: str) -> bool:
    with contextlib.suppress(BaseException):  # a module may raise anything
        importlib.import_module(name)
        return True
    return False


def value(path: str) -> Any:
    """What stands there. Raises LookupError."""
    holder, name = _place(path)
    return vars(holder)[name]


def is_there(path: str) -> bool:
    with contextlib.suppress(LookupError):
        value(path)
        return True
    return False


def put(path: str, thing: Any) -> None:
    """Has it stand there."""
    holder, name = _place(path)
    type.__setattr__(holder, name, thing) if isinstance(holder, type) else vars(holder).__setitem__(name, thing)


def remove(path: str) -> None:
    with contextlib.suppress(LookupError, AttributeError):
        holder, name = _place(path)
        type.__delattr__(holder, name) if isinstance(holder, type) else vars(holder).__delitem__(name)


def attributes(path: str) -> list[str]:
    """The paths of what an object consists of that stands there; none where it is of a kind without attributes."""
    held = getattr(value(path), "__dict__", None)
    return [f"{path}.{name}" for name in held if name.isidentifier()] if isinstance(held, dict) else []


def _place(path: str) -> tuple[Any, str]:
    """What holds a thing, and its name there. Raises LookupError."""
    module, _, inner = path.partition(":")
    *above, name = inner.split(".")
    holder: Any = sys.modules[module]
    for each in above:
        holder = vars(holder)[each]
    if not hasattr(holder, "__dict__"):
        raise KeyError(path)
    return holder, name


class Live(Contents):
    """Contents in which the user's own modules, and what is defined in them, stand by their paths.

    What cannot be compared counts by its type.

    Attributes:
        modules_seen: names of the user's own modules that have been reached.
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: set[str] = set()
        self._names: set[str] = set()  # that code mentions
        self._whole: set[str] = set()  # modules of which anything may be read
        self.modules_seen: set[str] = set()
        self._at = ""  # the path that is being hashed
        self._texts_of: dict[str, frozenset[str]] = {}
        self._kept: dict[int, tuple[Any, Node]] = {}
        self._rules |= {types.FunctionType: self._function, types.CodeType: _code}

    def paths(self) -> set[str]:
        """Of what has been reached so far."""
        for module in self.modules_seen & sys.modules.keys():
            held = vars(sys.modules[module])
            known = held.keys() | self._bound(module)
            named = known if module in self._whole else self._names & known
            if "__getattr__" in held:
                self._found.add(f"{module}:__getattr__")
            self._reach(module, {name for name in named if getattr(held.get(name), "__name__", "") != f"{module}.{name}"})
        return self._found

    def _bound(self, module: str) -> frozenset[str]:
        """The names that a module's text mentions outside of functions: what it defines may have been deleted since."""
        if module not in self._texts_of:
            file = self.modules.file(module)
            try:
                code = compile(file.read_bytes() if file else b"", "", "exec", dont_inherit=True)
            except (OSError, SyntaxError, ValueError):
                code = compile("", "", "exec")
            self._texts_of[module] = frozenset(code.co_names) - set(dir(builtins))
        return self._texts_of[module]

    def _reach(self, holder: str, names: Iterable[str]) -> None:
        mark = "." if ":" in holder else ":"
        self._found |= {f"{holder}{mark}{name}" for name in names if name.isidentifier() and (mark == "." or name[:2] != "__")}

    def walk(self, things: Any) -> None:
        of_graph(things, lambda thing: Node(b"") if isinstance(thing, np.ndarray) else self._node(thing))

    def hash(self, path: str) -> str:
        self._at = path
        try:
            return of_graph(value(path), self._node)
        except LookupError:
            return NOTHING
        finally:
            self._at = ""

    def _node(self, thing: Any) -> Node:
        with contextlib.suppress(Exception):
            if path := self._own_path(thing):
                return Node(f"own {path}".encode())
            if id(thing) not in self._kept:
                node = self._described(thing)
                if not isinstance(thing, np.ndarray):
                    return node
                self._kept[id(thing)] = thing, node  # a large one is hashed once
            return self._kept[id(thing)][1]
        return Node(f"a {type(thing).__module__}.{type(thing).__qualname__}".encode())

    def _own_path(self, thing: Any) -> str:
        """Where a function or class of the user's own is defined; it counts as reached from then on, and so does a module."""
        if isinstance(thing, types.ModuleType):
            if not self._is_file(thing.__name__):
                return ""
            self.modules_seen.add(thing.__name__)
            return f"{thing.__name__}:"
        path = home(thing)
        if path in ("", self._at) or not self._is_file(path.partition(":")[0]):
            return ""
        self._found.add(path)
        return path

    def _is_file(self, module: str) -> bool:
        """Whether it is one of the user's own modules, that a worker can import."""
        return not self.modules.library(module) and module != "__main__" and self.modules.file(module) is not None

    def _described(self, thing: Any) -> Node:
        if isinstance(thing, type) and not self._name_in_library(thing):
            return self._klass(thing)
        return super()._described(thing)

    def _klass(self, cls: type) -> Node:
        own = {name: vars(cls)[name] for name in sorted(vars(cls)) if name not in NOT_OWN}
        if (path := home(cls)) and not isinstance(cls, enum.EnumMeta) and self._is_file(cls.__module__):
            self._reach(path, own)
            return Node(b"class", [type(cls), cls.__bases__])
        return Node(f"class {cls.__name__}".encode(), [type(cls), cls.__bases__, own])

    def _function(self, function: types.FunctionType) -> Node:
        module = str(function.__globals__.get("__name__") or "")
        cells = [cell_contents(cell) for cell in function.__closure__ or ()]
        parts = [function.__code__, function.__defaults__, function.__kwdefaults__, cells, function.__dict__]
        if self.modules.library(module):
            return Node(f"function {module}.{function.__qualname__}".encode(), wrapped(function))
        codes = list(codes_within(function.__code__))
        names = {name for code in codes for name in code.co_names}
        self._names |= {*names, *(word for code in codes for word in _words(code.co_consts))}
        package = str(function.__globals__.get("__package__") or "")
        for name in {name for code in codes for name in self._code.imports(code, package)}:
            self._import(name)
        known = [function.__globals__[name] for name in sorted(names & function.__globals__.keys())]
        is_own = self._is_file(module) and vars(sys.modules.get(module, builtins)) is function.__globals__
        if is_own:
            self.modules_seen.add(module)
        if names & _DYNAMIC:
            held = [thing.__name__ for thing in (*known, *cells) if isinstance(thing, types.ModuleType)]
            self._whole |= {name for name in [*held, *([module] if is_own else [])] if self._is_file(name)}
        return Node(b"function", [*parts, *([] if is_own else [known])])

    def _import(self, name: str) -> None:
        """Counts a module as reached; of one that is not imported yet its text tells what it reads."""
        if name in self.modules_seen or not self._is_file(name):
            return
        self.modules_seen.add(name)
        if name not in sys.modules:
            for other in self._dormant(name):
                self._import(other)

    def _dormant(self, name: str) -> Iterator[str]:
        """What a module imports, by its text, whose names count as mentioned."""
        file = self.modules.file(name)
        with contextlib.suppress(OSError, SyntaxError, ValueError):
            tree = ast.parse(file.read_bytes()) if file and file.is_file() else ast.Module([], [])
            self._names |= {word for node in ast.walk(tree) for word in _mentioned(node)}
            yield from (part.name for part in self.modules.describe(self.modules.of(name)).parts)


class _Sampled(Live):
    def _node(self, thing: Any) -> Node:
        large = isinstance(thing, np.ndarray) and thing.nbytes // _LARGE
        return super()._node(thing.flat[:: 10 * large] if large else thing)


def home(thing: Any) -> str:
    """Where pickle would look for a function or class; nothing where it is not there."""
    if not isinstance(thing, (types.FunctionType, type, _WRAPPER)):
        return ""
    path = f"{thing.__module__}:{thing.__qualname__}"
    try:
        return path if _attribute(path) is thing else ""
    except (LookupError, AttributeError):
        return ""


def _attribute(path: str) -> Any:
    module, _, inner = path.partition(":")
    return functools.reduce(getattr, inner.split("."), sys.modules[module])


def _code(code: types.CodeType) -> Node:
    """As it was compiled, without its place: both processes compiled it."""
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return Node(b"code", [code.co_name, code.co_code, code.co_exceptiontable, counts, names, list(code.co_consts)])


def _words(things: Iterable[Any]) -> Iterator[str]:
    """The texts that may name something, as in `getattr(config, "UNITS")`."""
    return (thing for thing in things if isinstance(thing, str) and thing.isidentifier())


def _mentioned(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            yield name
        case ast.Constant(value=str(text)):
            yield from _words([text])
