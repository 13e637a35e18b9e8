"""What code reads that is no object: files, environment variables, and what it finds by a text that it puts together.

The syntax tree tells. A name of a file counts where it is written down, in the call or in a variable; where it only shows
when the code runs, `unknown` has the call.
"""

from __future__ import annotations

import ast
import copy
import glob
import os
import re
import types
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from nbtune.data.content.written import Lookup, Written, called

_READERS = frozenset(
    {
        *("open", "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "open_memmap", "loadmat", "load_npz", "load_file"),
        *("safe_open", "imread", "load_img", "load_model", "load_weights", "GFile", "ZipFile", "TextLineDataset"),
        *("TFRecordDataset", "FixedLengthRecordDataset", "read_csv", "read_table", "read_json", "read_parquet", "read_pickle"),
        *("read_hdf", "read_feather", "read_excel", "read_fwf", "read_stata", "read_file", "read_image", "run_path"),
        *("getline", "getlines"),  # of linecache
    }
)
_LISTERS = frozenset({"listdir", "scandir", "walk", "glob", "iglob", "list_files"})  # all files there may be read
_OF_ITSELF = frozenset({"read_text", "read_bytes", "iterdir", "rglob"})  # methods of a path
_OF_A_MODULE = frozenset({("h5py", "File"), ("sqlite3", "connect"), ("fileinput", "input")})
_OF_WHAT_IT_IS = frozenset({"read", "parse"})  # methods that may read a file, of settings or XML: if they are given its name
_RUNS = frozenset({"check_output", "getoutput", "getstatusoutput", "popen"})  # another program, and read what it says
_OPENED = frozenset({"open", "BytesIO", "StringIO", "GFile", "ZipFile"})  # what they give can be read itself
_TAKE_OPEN_FILES = frozenset({"json", "pickle", "cloudpickle", "dill", "yaml", "toml", "tomllib", "marshal"})  # their `load`
_NAMES = ("file", "fname", "filename", "filepath", "path", "filepath_or_buffer", "io", "directory", "name")  # of the argument
_BY_TEXT = frozenset({"eval", "exec", "globals"})
_IMPORTS = frozenset({"import_module", "__import__"})
_LOOKS_UP, _LISTS = ("get", "pop", "setdefault"), ("items", "keys", "values", "copy")  # of the environment


@dataclass
class Outside:
    """What was found: names of files, of environment variables and of modules, and calls whose argument is not known.

    `listed` are files and folders, all of which may be read.
    """

    files: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    unknown_files: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def add(self, other: Outside) -> None:
        for each in fields(self):
            getattr(self, each.name).update(getattr(other, each.name))


def named_only(names: set[str]) -> Outside:
    """Of code whose text is not known: the names that it uses."""
    readers = (_READERS | _OF_ITSELF) - {"load"}  # which may be anything
    return Outside(unknown_files=names & readers, unknown=names & {*_BY_TEXT, "environ", "getenv"})


def outside(tree: ast.AST, lookup: Lookup, is_own: Callable[[Any], bool]) -> Outside:
    """What a piece of code reads, itself; what the user's own functions read that it calls is not in it."""
    return _Reader(Written(tree, lookup), is_own).of(tree)


def run_at_import(tree: ast.Module) -> ast.Module:
    """A module without the bodies of its functions, and without what it only does as a script."""
    return ast.Module([node for node in map(_Importing().visit, copy.deepcopy(tree.body)) if node is not None], [])


class _Importing(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> None: ...

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None: ...

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return ast.Constant(None)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if "__name__" in ast.dump(node.test) else self.generic_visit(node)


class _Reader(ast.NodeVisitor):
    def __init__(self, written: Written, is_own: Callable[[Any], bool]) -> None:
        self._found, self._written, self._is_own = Outside(), written, is_own

    def of(self, tree: ast.AST) -> Outside:
        self.visit(tree)
        return self._found

    def visit_Call(self, node: ast.Call) -> None:
        name, owner = called(node.func)
        first, found = next(iter(node.args), None), self._found
        if self._is_environ(owner) and name in (*_LOOKS_UP, *_LISTS):
            self._put(first if name in _LOOKS_UP else None, node, found.variables, found.unknown)
        elif name == "getenv":
            self._put(first, node, found.variables, found.unknown)
        elif name in _IMPORTS:
            self._put(first, node, found.modules, found.unknown)
        elif (name in _BY_TEXT and owner is None) or (owner is not None and name in (*_RUNS, "get_data")):
            found.unknown.add(_shown(node))
        elif name == "expandvars":
            text = self._written.text(first)
            found.variables.update(re.findall(r"\$\{?(\w+)", text or ""))
            found.unknown.update([] if text is not None else [_shown(node)])
        elif name in _LISTERS or name in ("iterdir", "rglob") or name.endswith("_from_directory"):
            self._list(name, owner, node)
        elif self._reads(name, owner, node):
            self._put(self._argument(name, owner, node), node, found.files, found.unknown_files)
        elif name in _OF_WHAT_IT_IS and owner is not None and first is not None:
            given = first.elts if isinstance(first, (ast.List, ast.Tuple)) else [first]
            found.files.update(text for each in given if (text := self._written.text(each)) is not None)
        if any(map(self._is_environ, node.args)):
            found.unknown.add(_shown(node))
        for keyword in node.keywords:  # of a layer: `vocabulary="words.txt"`
            if keyword.arg == "vocabulary" and (text := self._written.text(keyword.value)) is not None:
                found.files.add(text)
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        if any(key is None and self._is_environ(value) for key, value in zip(node.keys, node.values, strict=True)):
            self._found.unknown.add(_shown(node))
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if self._is_environ(node.value) and isinstance(node.ctx, ast.Load):
            self._put(node.slice, node, self._found.variables, self._found.unknown)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        if any(map(self._is_environ, node.comparators)):
            self._put(node.left, node, self._found.variables, self._found.unknown)
        self.generic_visit(node)

    def _put(self, argument: ast.expr | None, node: ast.AST, known: set[str], unknown: set[str]) -> None:
        text = self._written.text(argument)
        known.add(text) if text is not None else unknown.add(_shown(node))

    def _list(self, name: str, owner: ast.expr | None, node: ast.Call) -> None:
        if self._calls_own(name, owner):
            return
        text = self._written.text(self._argument(name, owner, node))
        if text is None:
            self._found.unknown_files.add(_shown(node))
        elif glob.has_magic(text):
            self._found.listed |= {text, *glob.glob(text, recursive=True)}
        else:
            self._found.listed.add(text)

    def _reads(self, name: str, owner: ast.expr | None, node: ast.Call) -> bool:
        """Whether a call reads a file whose name it is given. A function of the user's own is looked at itself."""
        base = owner.id if isinstance(owner, ast.Name) else ""
        if not (name in _READERS or name in _OF_ITSELF or (base, name) in _OF_A_MODULE):
            return False
        if base in ("self", "cls") or (name == "load" and base in _TAKE_OPEN_FILES) or self._calls_own(name, owner):
            return False
        if self._is_open(self._argument(name, owner, node)):
            return False
        return not (name in ("open", "GFile", "File") and self._writes(node, name == "open" and self._is_path(owner)))

    def _calls_own(self, name: str, owner: ast.expr | None) -> bool:
        try:
            if owner is None:
                return self._is_own(self._written.lookup(name))
            found = self._written.lookup(owner.id) if isinstance(owner, ast.Name) else None
            return isinstance(found, types.ModuleType) and self._is_own(vars(found)[name])
        except LookupError:  # imported in the function, or Python's own
            return owner is None and name in self._written.assigned

    def _is_environ(self, node: ast.expr | None) -> bool:
        """Whether it is the environment, by its own name or by one that it was given."""
        if isinstance(node, ast.Name):
            given = self._written.assigned.get(node.id)
            if given is not None:
                return any(each is not None and _is_environ(each) for each in given)
            try:
                return self._written.lookup(node.id) is os.environ
            except LookupError:
                pass
        return _is_environ(node)

    def _is_path(self, owner: ast.expr | None) -> bool:
        """Whether what has a method `open` is a path, and not a module."""
        if owner is None:
            return False
        first = next(node for node in ast.walk(owner) if not isinstance(node, ast.Attribute))
        if not isinstance(first, ast.Name):
            return True
        try:
            return isinstance(self._written.lookup(first.id), os.PathLike)
        except LookupError:
            return first.id in self._written.assigned

    def _is_open(self, argument: ast.expr | None) -> bool:
        """Whether it is an open file, and no name of one: what opened it has been seen."""
        if isinstance(argument, ast.Name):
            return any(map(self._is_open, self._written.assigned.get(argument.id, ())))
        return isinstance(argument, ast.Call) and called(argument.func)[0] in _OPENED

    def _writes(self, node: ast.Call, is_method: bool) -> bool:
        place = 0 if is_method else 1
        modes = [keyword.value for keyword in node.keywords if keyword.arg == "mode"] or node.args[place : place + 1]
        text = self._written.text(modes[0]) if modes else None
        return text is not None and not {"r", "+"} & set(text)

    def _argument(self, name: str, owner: ast.expr | None, node: ast.Call) -> ast.expr | None:
        if owner is not None and (name in _OF_ITSELF or (name in ("open", "glob") and self._is_path(owner))):
            return owner
        named = [keyword.value for keyword in node.keywords if keyword.arg in _NAMES]
        return next(iter([*node.args, *named]), None)


def _is_environ(node: ast.expr | None) -> bool:
    return isinstance(node, (ast.Attribute, ast.Name)) and called(node)[0] in ("environ", "environb")


def _shown(node: ast.AST) -> str:
    return ast.unparse(node)[:100]
