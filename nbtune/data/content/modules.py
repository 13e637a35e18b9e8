"""Modules by name: a library counts with its version, a module of the user's own with its text and with what it imports."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import replace
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NamedTuple

from nbtune.data.content.graph import Node, digest
from nbtune.data.content.outside import Outside, outside, run_at_import

PYTHON, OWN = "Python", "nbtune"
_MAIN = ("__main__", "__mp_main__")


class Module(NamedTuple):
    """A module that need not be imported yet."""

    name: str


class Modules:
    """Tells libraries from the user's own modules.

    Attributes:
        libraries: the distributions that were reached, with their versions.
        outside: what the user's own code reads besides objects.
    """

    def __init__(self) -> None:
        self.libraries: set[str] = set()
        self.outside = Outside()
        self._known: dict[str, str] = {}
        self._made: dict[str, Module] = {}
        self._within: dict[str, Outside] = {}

    def of(self, name: str) -> Module:
        """The one object that stands for a module of this name."""
        return self._made.setdefault(name, Module(name))

    def library(self, name: str) -> str:
        """The distribution that a module comes from; nothing for one of the user's own."""
        top = name.partition(".")[0]
        if top not in self._known:
            self._known[top] = self._distribution(top)
        return self._known[top]

    def reached(self, name: str) -> str:
        """As `library`, which then counts with its version."""
        if library := self.library(name):
            self.libraries.add(f"{library} {_version(library)}")
        return library

    def _distribution(self, top: str) -> str:
        if top in _MAIN:
            return ""
        if top in sys.stdlib_module_names or top in sys.builtin_module_names:
            return PYTHON
        if top == OWN:
            return OWN
        file = self.file(top)
        if file is None:
            return ""
        if not any(folder in file.parents for folder in installed_in()):
            return _owner(*_place(top, file))
        return top if _version(top) != "none" else _owner(top)

    def file(self, name: str) -> Path | None:
        """A module's file, found without an import of it or of its packages."""
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is None:
            spec = _spec(name)
            if spec is not None:
                folders = spec.submodule_search_locations or ()
                file = spec.origin if spec.has_location else next(iter(folders), None)
        return Path(file).resolve() if file else None

    def describe(self, module: Module) -> Node:
        if library := self.reached(module.name):
            return Node(f"library {library}".encode())
        file = self.file(module.name)
        if file is None or not file.is_file():  # a folder without __init__.py, or no module of that name
            return Node(f"module {module.name}".encode())
        text = file.read_bytes()
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):  # compiled, perhaps
            return Node(b"module " + digest(module.name.encode(), text))
        self._look_outside(module.name, str(file), tree)
        package = module.name if file.name == "__init__.py" else module.name.rpartition(".")[0]
        names = sorted(set(_imports(tree, package)))
        own = [self.of(name) for name in names if self.file(name) is not None]  # the others are attributes of modules
        return Node(b"module " + digest(module.name.encode(), ast.dump(tree).encode()), own)

    def is_own(self, thing: Any) -> bool:
        """Whether it is code of the user's own."""
        thing = getattr(thing, "func", getattr(thing, "__func__", thing))
        return not self.library(getattr(thing, "__module__", None) or "__main__")

    def _look_outside(self, name: str, file: str, tree: ast.Module) -> None:
        """What a module reads when it is imported, and what its functions name; what they do not, is said of those reached."""
        lookup = {"__file__": file, "__name__": name}.__getitem__
        found, at_import = (outside(part, lookup, self.is_own) for part in (tree, run_at_import(tree)))
        self._within[name] = found
        self.outside.add(replace(found, unknown=at_import.unknown, unknown_files=at_import.unknown_files))

    def look_within(self, name: str) -> None:
        """As if all functions of a module had been reached: one that is not imported yet does not tell which are."""
        if name not in sys.modules and not self.library(name):
            self.describe(self.of(name))
            self.outside.add(self._within.get(name, Outside()))


def _owner(top: str, place: Path | None = None) -> str:
    """The distribution that brought a module of another name (`sklearn` came with `scikit-learn`); nothing where none says so.

    Args:
        place: the folder that it was installed into, where that is none of Python's own (`pip install --target`, PYTHONPATH).

    The lists of files are searched as text: `importlib.metadata.packages_distributions` reads each of their lines, which took
    0.21 s of each start beside 174 distributions; this takes 0.01 to 0.05 s.
    """
    places = (f"\n{top}/", f"\n{top}.")
    installed = importlib.metadata.distributions(path=[str(place)]) if place else importlib.metadata.distributions()
    for found in installed:
        listed = "\n" + (found.read_text("RECORD") or found.read_text("installed-files.txt") or "")
        if any(place in listed for place in places):
            return found.name
    return next(iter(importlib.metadata.packages_distributions().get(top, [])), "") if place is None else ""


def _place(top: str, file: Path) -> tuple[str, Path]:
    """The name and the folder on the path that a module is found by: one that is compiled may stand within a package, and go by
    its last name alone."""
    folder = file.parent.parent if file.name.startswith("__init__.") else file.parent
    on_path = {Path(each).resolve() for each in sys.path}
    found = next((each for each in (folder, *folder.parents) if each in on_path), folder)
    return (top if found == folder else file.relative_to(found).parts[0]), found


def resolved(name: str, package: str, level: int) -> str:
    """The absolute name of what `from ..name import` in a package means; nothing where there is no such package."""
    try:
        return importlib.util.resolve_name("." * level + name, package) if level else name
    except ImportError:
        return ""


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    """What the text of a module imports anywhere in it; names that are imported from a package may be modules too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (source := resolved(node.module or "", package, node.level)):
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names if alias.name != "*")


def _spec(name: str) -> importlib.machinery.ModuleSpec | None:
    top, _, rest = name.partition(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):  # a module that was put together by hand
        return None
    for part in filter(None, rest.split(".")):
        if spec is None or spec.submodule_search_locations is None:
            return None
        top = f"{top}.{part}"
        spec = PathFinder.find_spec(top, list(spec.submodule_search_locations))
    return spec


@functools.cache
def installed_in() -> tuple[Path, ...]:
    paths = [sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple(Path(path).resolve() for path in {*paths, *site.getsitepackages(), site.getusersitepackages()})


def _version(library: str) -> str:
    if library == PYTHON:
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "none"
