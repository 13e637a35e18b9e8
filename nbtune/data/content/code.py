"""Functions, their code, and classes: by what they do, not by where they stand."""

from __future__ import annotations
import __future__

import ast
import dis
import linecache
import types
import weakref
from collections import ChainMap
from collections.abc import Iterator
from typing import Any

from nbtune.data.content.graph import Node
from nbtune.data.content.modules import Modules, resolved
from nbtune.data.content.outside import Outside, named_only, outside

# Of a class: what Python keeps for itself, or derives from the rest.
NOT_OWN = ("__dict__", "__weakref__", "__module__", "__firstlineno__", "__static_attributes__", "_abc_impl", "__slotnames__")

WEAK = (weakref.WeakKeyDictionary, weakref.WeakValueDictionary)
_IMPORTS = dis.opmap["IMPORT_NAME"]
_FUTURE = __future__.annotations.compiler_flag


class Code:
    """Rules for code. Where its text is known the layout is taken out of it, since the compiler lets some of it through."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._texts: dict[tuple[str, int], dict[types.CodeType, types.CodeType]] = {}
        self._trees: dict[str, dict[tuple[int, str], list[ast.AST]]] = {}

    def code(self, code: types.CodeType) -> Node:
        """What it does: its file, its lines and the places of its names do not count."""
        code = self._plain(code.co_filename, code.co_flags & _FUTURE).get(code, code)
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        return Node(b"code", [code.co_name, code.co_code, code.co_exceptiontable, counts, names, list(code.co_consts)])

    def _plain(self, file: str, flags: int) -> dict[types.CodeType, types.CodeType]:
        """Each piece of code of a file or cell as it would be had the text no comments and one line a statement.

        Args:
            flags: a cell may have been compiled under a `from __future__` of an earlier one, which its text does not say.
        """
        if (file, flags) not in self._texts:
            self._texts[file, flags] = {}
            text = "".join(linecache.getlines(file))
            try:
                tree = ast.parse(text)
                one, other = (compile(source, file, "exec", flags, dont_inherit=True) for source in (text, ast.unparse(tree)))
                self._trees[file] = _functions(tree)
                self._texts[file, flags] = dict(zip(codes_within(one), codes_within(other), strict=True))
            except (SyntaxError, ValueError, RecursionError):  # no Python, or of another dialect
                pass
        return self._texts[file, flags]

    def function(self, function: types.FunctionType) -> Node:
        """Its code, its defaults, what it closes over, what it reads of its module, and what it imports."""
        module = function.__globals__.get("__name__") or ""
        cells = [cell_contents(cell) for cell in function.__closure__ or ()]
        parts = [function.__code__, function.__defaults__, function.__kwdefaults__, cells, function.__dict__]
        if library := self._modules.reached(module):  # what a library wraps around the user's
            return Node(f"function {library} {module}.{function.__qualname__}".encode(), wrapped(function))
        by_text = self._look_outside(function)
        codes = list(codes_within(function.__code__))
        read = sorted({name for code in codes for name in names_read(code) if name in function.__globals__})
        values = [function.__globals__[name] for name in read]
        package = str(function.__globals__.get("__package__") or "")
        imported = sorted({name for code in codes for name in self.imports(code, package)} | by_text)
        for name in imported:
            self._modules.look_within(name)
        names = {name for code in codes for name in code.co_names}
        attributes = list(self._attributes(values, names))  # of others, which need not be imported yet, `live` tells
        home = [] if module == "__main__" else [self._modules.of(module)]
        return Node(repr(read).encode(), [*parts, values, [self._modules.of(name) for name in imported], attributes, home])

    def _look_outside(self, function: types.FunctionType) -> set[str]:
        """Takes down what a function reads besides objects; returns the modules that it imports by a text."""
        code = function.__code__
        self._plain(code.co_filename, code.co_flags & _FUTURE)
        trees = self._trees.get(code.co_filename, {}).get((code.co_firstlineno, code.co_name), [])
        cells = {name: cell_contents(cell) for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True)}
        lookup = ChainMap(cells, function.__globals__).__getitem__
        found = Outside()
        for tree in trees:
            found.add(outside(tree, lookup, self._modules.is_own))
        if not trees:
            found.add(named_only({name for one in codes_within(code) for name in one.co_names}))
        self._modules.outside.add(found)
        return {name for name in found.modules if _is_module(name, self._modules)}

    def imports(self, code: types.CodeType, package: str) -> Iterator[str]:
        """The modules that a piece of code imports when it runs, by a statement or by a name in quotes."""
        steps = list(dis.get_instructions(code)) if _IMPORTS in code.co_code[::2] else []
        for i, step in enumerate(steps):
            if step.opname == "IMPORT_NAME":
                level, names = steps[i - 2].argval, steps[i - 1].argval
                if source := resolved(step.argval, package, level or 0):
                    yield source
                    inner = (f"{source}.{name}" for name in names or ())
                    yield from (name for name in inner if not self._modules.library(name) and self._modules.file(name))
        if {"import_module", "__import__"} & set(code.co_names):
            yield from (text for text in code.co_consts if isinstance(text, str) and _is_module(text, self._modules))

    def _attributes(self, modules: list[Any], names: set[str]) -> Iterator[Any]:
        """What is read of the user's own modules, under its name."""
        seen: set[int] = set()
        for module in modules:  # grows meanwhile
            own = isinstance(module, types.ModuleType) and not self._modules.library(module.__name__)
            if own and id(module) not in seen:
                seen.add(id(module))
                for name in sorted(names & set(vars(module))):
                    yield name
                    yield (value := vars(module)[name])
                    modules.append(value)

    def klass(self, cls: type) -> Node:
        """Its bases, and all that it defines."""
        own = {name: vars(cls)[name] for name in sorted(vars(cls)) if name not in NOT_OWN}
        home = [] if cls.__module__ in ("__main__", None) else [self._modules.of(cls.__module__)]
        return Node(f"class {cls.__name__}".encode(), [type(cls), cls.__bases__, own, home])


def wrapped(function: types.FunctionType) -> list[Any]:
    """What a library's function holds of the user's; the cache of `singledispatch` is not theirs."""
    cells = [thing for cell in function.__closure__ or () if not isinstance(thing := cell_contents(cell), WEAK)]
    own = {name: value for name, value in vars(function).items() if not isinstance(getattr(value, "__self__", None), WEAK)}
    return [function.__defaults__, function.__kwdefaults__, cells, own]


def _functions(tree: ast.AST) -> dict[tuple[int, str], list[ast.AST]]:
    """The functions in a text, under the line and the name that their code has."""
    found: dict[tuple[int, str], list[ast.AST]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda):
            found.setdefault((node.lineno, "<lambda>"), []).append(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            line = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found.setdefault((line, node.name), []).append(node)
    return found


def cell_contents(cell: types.CellType) -> Any:
    """What a closure holds; an empty one has not been filled yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return ...


def codes_within(code: types.CodeType) -> Iterator[types.CodeType]:
    """A piece of code, and those within it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from codes_within(const)


def names_read(code: types.CodeType) -> Iterator[str]:
    """The global names that it reads."""
    return (step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"))


def _is_module(text: str, modules: Modules) -> bool:
    return text.replace(".", "").isidentifier() and not modules.library(text) and modules.file(text) is not None
