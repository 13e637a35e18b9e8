"""What an expression of texts and paths comes to, as far as that is written down: `Path(FOLDER) / "w.npy"`, `f"{NAME}.csv"`."""

from __future__ import annotations

import ast
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

Lookup = Callable[[str], Any]  # a variable's value; raises LookupError

_PATHS = {"os": os, "pathlib": pathlib, "Path": pathlib.Path, "str": str}
_MAKERS = (os.path.join, os.path.abspath, os.path.dirname, os.path.expanduser, os.path.realpath, pathlib.Path, str)
_ALLOWED = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.BinOp, ast.Div, ast.Add, ast.Mod, ast.Load),
    *(ast.JoinedStr, ast.FormattedValue),
)


class Written:
    """The variables of a function or module.

    Attributes:
        assigned: each name that it binds itself to what it is given, None where that is no expression.
    """

    def __init__(self, tree: ast.AST, lookup: Lookup) -> None:
        self.lookup = lookup
        self.assigned: dict[str, list[ast.expr | None]] = {}
        for name, value in _assignments(tree):
            self.assigned.setdefault(name, []).append(value)

    def text(self, expression: ast.expr | None, depth: int = 5) -> str | None:
        """The text; None where it is not known before the code runs."""
        nodes = list(ast.walk(expression)) if expression else []
        values: dict[str, Any] = {}
        if not nodes or not all(isinstance(node, _ALLOWED) for node in nodes):
            return None
        if not all(self._known(node.id, values, depth) for node in nodes if isinstance(node, ast.Name)):
            return None
        assert expression is not None
        try:
            if any(_evaluated(node.func, values) not in _MAKERS for node in nodes if isinstance(node, ast.Call)):
                return None
            found = _evaluated(expression, values)
            return os.fsdecode(found) if isinstance(found, (str, bytes, os.PathLike)) else None
        except Exception:  # an attribute that is missing, kinds that do not add up
            return None

    def _known(self, name: str, values: dict[str, Any], depth: int) -> bool:
        """Puts the value of a variable into `values`, if it is a text, a path, or what makes one."""
        if name in self.assigned:
            (given, *others) = self.assigned[name]
            text = self.text(given, depth - 1) if given and not others and depth else None
            values[name] = pathlib.Path(text) if text is not None and _makes_path(given) else text
            return text is not None
        try:
            values[name] = self.lookup(name)
        except LookupError:  # imported in the function
            values[name] = _PATHS.get(name)
        found, makers = values[name], (*_PATHS.values(), os.path, *_MAKERS)
        return isinstance(found, (str, bytes, pathlib.PurePath)) or any(found is one for one in makers)


def _evaluated(expression: ast.expr, values: dict[str, Any]) -> Any:
    """Of texts, paths and what makes them alone."""
    code = compile(ast.fix_missing_locations(ast.Expression(expression)), "", "eval")
    return eval(code, {"__builtins__": {}}, values)


def _makes_path(expression: ast.expr | None) -> bool:
    named = (node for node in ast.walk(expression or ast.Pass()) if isinstance(node, (ast.Name, ast.Attribute)))
    return any(called(node)[0] == "Path" for node in named)


def _assignments(tree: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that a function or module binds: parameters, and variables with what each is given if that is an expression."""
    for node in tree.body if isinstance(tree, ast.Module) else ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg, None
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.Assign):
            yield from ((name.id, None) for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name))
        elif isinstance(node, (ast.For, ast.comprehension, ast.AugAssign, ast.NamedExpr, ast.AnnAssign)):
            yield from ((name.id, None) for name in ast.walk(node.target) if isinstance(name, ast.Name))
        elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            yield node.optional_vars.id, node.context_expr


def called(function: ast.expr) -> tuple[str, ast.expr | None]:
    """The last name of what is called, and what it is an attribute of."""
    if isinstance(function, ast.Attribute):
        return function.attr, function.value
    return (function.id if isinstance(function, ast.Name) else ""), None
