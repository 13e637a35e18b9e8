"""What a module evidently holds by its text: whether it has been imported yet makes no difference then."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from nbtune.data.content.code import codes_within
from nbtune.data.content.live import home, value
from nbtune.data.content.modules import Modules

_WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "property": lambda thing: thing.fget,
    "staticmethod": lambda thing: thing.__func__,
    "classmethod": lambda thing: thing.__func__,
}
_OF_A_CLASS = ("__doc__", "__annotations__", "__qualname__")  # what decides nothing, or follows from the text


class Stated:
    """Compares things of modules with the texts of these."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._known: dict[str, tuple[dict[str, ast.AST | None], frozenset[types.CodeType]]] = {}

    def says(self, path: str) -> bool:
        """Whether a thing is what the text makes of it: a function, a class, a literal or an import, bound once."""
        module, _, inner = path.partition(":")
        if module not in self._known:
            self._known[module] = self._read(module)
        names, codes = self._known[module]
        *above, name = inner.split(".")
        for each in above:
            node = names.get(each)
            if not isinstance(node, ast.ClassDef):
                return False
            names = _bound(node.body)
        if above and name in _OF_A_CLASS:
            return True
        try:
            thing = value(path)
        except LookupError:
            return name not in names
        match names.get(name):
            case ast.Attribute(ast.Name(other), attribute):  # from other import attribute
                return self._is_of(other, attribute, thing)
            case node:
                return _is_that(thing, node, path, codes)

    def _is_of(self, module: str, name: str, thing: Any) -> bool:
        """Whether a thing is what another module has under this name, and that one's text or version says it."""
        if isinstance(thing, types.ModuleType):
            return thing is sys.modules.get(f"{module}.{name}")
        if module not in sys.modules or thing is not vars(sys.modules[module]).get(name):
            return False
        return bool(self._modules.library(module)) or self.says(f"{module}:{name}")

    def _read(self, module: str) -> tuple[dict[str, ast.AST | None], frozenset[types.CodeType]]:
        file = self._modules.file(module)
        try:
            text = file.read_bytes() if file else b""
            return _bound(ast.parse(text).body), frozenset(codes_within(compile(text, "", "exec", dont_inherit=True)))
        except (OSError, SyntaxError, ValueError):
            return {}, frozenset()


def _bound(body: list[ast.stmt]) -> dict[str, ast.AST | None]:
    """Each name that a module or class binds to the statement or expression that does, None where it is not that simple."""
    found: dict[str, ast.AST | None] = {}
    for name, node in _bindings(body):
        found[name] = None if name in found else node
    return found


def _bindings(body: list[ast.stmt]) -> Iterator[tuple[str, ast.AST | None]]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, node.value
            case ast.ImportFrom(module=str(other), level=0):
                of = ast.Name(other)
                yield from ((alias.asname or alias.name, ast.Attribute(of, alias.name)) for alias in node.names)
            case ast.Import():
                yield from ((alias.asname or alias.name.partition(".")[0], alias) for alias in node.names)
            case _:
                yield from ((inner.id, None) for inner in ast.walk(node) if isinstance(inner, ast.Name))


def _is_that(thing: Any, node: ast.AST | None, path: str, codes: frozenset[types.CodeType]) -> bool:
    match node:
        case ast.FunctionDef(decorator_list=[]) | ast.AsyncFunctionDef(decorator_list=[]):
            return isinstance(thing, types.FunctionType) and home(thing) == path and _is_function(thing, node.args, codes)
        case ast.FunctionDef(decorator_list=[ast.Name(id=name)]) if name in _WRAPPERS and type(thing).__name__ == name:
            bare = _WRAPPERS[name](thing)
            of_get = name != "property" or thing.fset is thing.fdel is None
            return of_get and isinstance(bare, types.FunctionType) and _is_function(bare, node.args, codes)
        case ast.ClassDef(decorator_list=[], keywords=[]):
            bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases] or ["object"]
            return isinstance(thing, type) and home(thing) == path and [base.__name__ for base in thing.__bases__] == bases
        case ast.alias(name=name):
            found = [sys.modules.get(known) for known in (name, name.partition(".")[0])]
            return isinstance(thing, types.ModuleType) and any(thing is module for module in found)
        case ast.expr():
            return _is_literal(thing, node)
    return False


def _is_function(function: types.FunctionType, arguments: ast.arguments, codes: frozenset[types.CodeType]) -> bool:
    """Whether it has been compiled from the text as it is, with these defaults, and carries nothing else."""
    by_name = function.__kwdefaults__ or {}
    named = {arg.arg: default for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default}
    given = [*(function.__defaults__ or ()), *(by_name.get(name) for name in named)]
    written = [*arguments.defaults, *named.values()]
    is_plain = function.__code__ in codes and not vars(function) and not function.__closure__ and by_name.keys() == named.keys()
    return is_plain and len(given) == len(written) and all(map(_is_literal, given, written))


def _is_literal(thing: Any, node: ast.expr) -> bool:
    try:
        return repr(ast.literal_eval(node)) == repr(thing)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
