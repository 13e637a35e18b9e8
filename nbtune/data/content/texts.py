"""What the text of a library's module binds, name by name."""

from __future__ import annotations

import ast
import functools
import importlib.util
import sys
from collections.abc import Iterator

SOMEHOW = ast.Pass()  # bound, in a way that cannot be told or more than once


class Text:
    """What a module's text binds.

    Attributes:
        bound: each name to the statement or expression; `a.b` for what is imported from another module.
        starred: modules of which it imports all, the last one first.
    """

    def __init__(self, tree: ast.Module, package: str) -> None:
        self._tree = tree
        self.bound: dict[str, ast.AST] = {}
        self.starred: list[str] = []
        self._take(tree.body, package, self.bound)
        self.starred.reverse()

    @functools.cached_property
    def computed(self) -> frozenset[str]:
        """Names that functions in it assign, to globals, classes or modules."""
        found: set[str] = set()
        for node in ast.walk(self._tree):
            match node:
                case ast.Attribute(ast.Name("self"), _):
                    pass
                case ast.Attribute(attr=name, ctx=ast.Store() | ast.Del()):
                    found.add(name)
                case ast.Global(names=names):
                    found.update(names)
                case ast.Call(ast.Name("setattr"), [_, ast.Constant(str(name)), *_]):
                    found.add(name)
        return frozenset(found)

    @functools.cached_property
    def is_open(self) -> bool:
        """Whether it puts names there in ways that cannot be seen."""
        names = {node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}
        functions = {node.name for node in self._tree.body if isinstance(node, ast.FunctionDef)}
        return bool(names & {"globals", "exec", "vars", "setattr"}) or "__getattr__" in functions

    def of_class(self, qualname: str) -> dict[str, ast.AST] | None:
        """What the body of a class binds; None where there is no such class."""
        body = self._tree.body
        for part in qualname.split("."):
            found = [node for node in _flat(body) if isinstance(node, ast.ClassDef) and node.name == part]
            if len(found) != 1:
                return None
            body = found[0].body
        bound: dict[str, ast.AST] = {}
        self._take(body, "", bound)
        return bound

    def _take(self, body: list[ast.stmt], package: str, bound: dict[str, ast.AST]) -> None:
        for node in _flat(body):
            for name, value in self._bindings(node, package):
                bound[name] = SOMEHOW if name in bound else value

    def _bindings(self, node: ast.stmt, package: str) -> Iterator[tuple[str, ast.AST]]:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                yield name, node.value or SOMEHOW
            case ast.ImportFrom():
                source = _resolved(node, package)
                self.starred += [source for alias in node.names if alias.name == "*"]
                named = (alias for alias in node.names if alias.name != "*")
                yield from ((alias.asname or alias.name, ast.Attribute(ast.Name(source), alias.name)) for alias in named)
            case ast.Import():
                yield from ((alias.asname or alias.name.partition(".")[0], SOMEHOW) for alias in node.names)
            case _:
                stored = (each for each in ast.walk(node) if isinstance(each, ast.Name))
                yield from ((each.id, SOMEHOW) for each in stored if isinstance(each.ctx, (ast.Store, ast.Del)))


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements, also those under conditions."""
    for node in body:
        parts = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")] if _is_branch(node) else []
        handlers = [handler.body for handler in getattr(node, "handlers", [])]
        if not _is_branch(node):
            yield node
        for part in (*parts, *handlers):
            yield from _flat(part)


def _is_branch(node: ast.stmt) -> bool:
    return isinstance(node, (ast.If, ast.Try, ast.With))


def _resolved(node: ast.ImportFrom, package: str) -> str:
    try:
        return importlib.util.resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module or ""
    except ImportError:
        return ""


@functools.lru_cache(maxsize=50)
def text_of(module: str) -> Text | None:
    """Of a module that has one."""
    found = sys.modules.get(module)
    file = str(getattr(found, "__file__", None) or "")
    if not file.endswith(".py"):
        return None
    try:
        with open(file, "rb") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    is_package = file.endswith("__init__.py")
    return Text(tree, module if is_package else module.rpartition(".")[0])
