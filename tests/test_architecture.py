"""The directions of imports: each room of the house imports only what stands before it (`ARCHITECTURE.md`)."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

import nbtune

HOUSE = Path(nbtune.__file__).parent
ROOMS = (
    *("errors", "costs", "cgroup", "machine", "threads", "ask", "data", "record"),  # what was asked, given and found out
    *("training", "execution", "views", "run", "report"),
    *("final", "search", "launch", "tuning", "range_test", "panel", "completer", "magic"),  # what people hold in their hands
)
HEAVY = {"keras", "keras_tuner", "tensorflow"}

# A room that may not import another one that stands before it.
APART = {("views", "training"), ("views", "execution"), ("run", "training"), ("run", "views")}


def modules() -> Iterator[tuple[str, Path]]:
    for file in sorted(HOUSE.rglob("*.py")):
        parts = ("nbtune", *file.relative_to(HOUSE).with_suffix("").parts)
        yield ".".join(parts).removesuffix(".__init__"), file


def imports(name: str, file: Path) -> Iterator[tuple[str, int]]:
    """What a module imports anywhere in it, under TYPE_CHECKING and in functions too, as (dotted name, line)."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package) if node.level else str(node.module)
            yield from ((f"{source}.{alias.name}", node.lineno) for alias in node.names)


def room(name: str) -> str:
    return (*name.split("."), "")[1]


def test_every_module_is_in_a_room():
    assert {room(name) for name, _ in modules()} - {""} == set(ROOMS)


@pytest.mark.parametrize(("name", "file"), [pytest.param(name, file, id=name) for name, file in modules() if room(name)])
def test_imports_run_one_way(name, file):
    own = room(name)
    for other, line in imports(name, file):
        if other.startswith("nbtune."):
            assert room(other) == own or ROOMS.index(room(other)) < ROOMS.index(own), f"{file}:{line} imports {other}"
            assert (own, room(other)) not in APART, f"{file}:{line} imports {other}"


def test_only_training_imports_keras():
    """`search` and `final` name a Keras model as what they return, to type checkers alone."""
    found = {name for name, file in modules() for other, _ in imports(name, file) if other.split(".")[0] in HEAVY}
    assert {room(name) for name in found} == {"training", "search", "final"}, found
    script = "import sys, nbtune.magic, nbtune.panel.setup; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert "nbtune.search" in loaded
    assert not HEAVY & set(loaded)


def test_no_two_modules_import_each_other():
    known = dict(modules())
    needs = {}
    for name, file in known.items():
        found = {other if other in known else other.rpartition(".")[0] for other, _ in imports(name, file)}
        needs[name] = (found & set(known)) - {name, "nbtune"}
    while free := [name for name, others in needs.items() if not others & set(needs)]:
        for name in free:
            del needs[name]
    assert not needs, "a circle"


def test_every_path_that_the_map_names_is_there():
    page = HOUSE.parent / "ARCHITECTURE.md"
    named = re.findall(r"`([\w./-]+(?:\.py|\.md|/))`", page.read_text("utf-8"))
    assert len(named) > 30
    gone = [path for path in named if not any((base / path).exists() for base in (HOUSE, HOUSE.parent))]
    assert not gone


INNER = ("keras.src", "keras._tf_keras", "tensorflow.python")
OF_PYTHON = {"_replace", "_asdict", "_exit", "_lru_cache_wrapper"}
OF_NOTEBOOKS = {"_repr_png_"}


@pytest.mark.parametrize("file", [pytest.param(file, id=name) for name, file in modules() if "private" not in file.parts])
def test_private_names_of_other_packages_are_behind_the_fence(file):
    """Outside of `training/private` a name with an underscore is the object's own, the file's own, or Python's."""
    tree = ast.parse(file.read_text("utf-8"))
    nodes = list(ast.walk(tree))
    own = {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))} | OF_PYTHON | OF_NOTEBOOKS
    own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    asked = [(node.value, node.attr, node.lineno) for node in nodes if isinstance(node, ast.Attribute)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr", "setattr")]
    asked += [(call.args[0], call.args[1].value, call.lineno) for call in calls if isinstance(call.args[1], ast.Constant)]
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not node.value.startswith(INNER), f"{file}:{node.lineno}"
    for thing, name, line in asked:
        if name.startswith("_") and not name.endswith("__") and ast.unparse(thing) not in ("self", "cls", "super()"):
            assert name in own, f"{file}:{line} reads {name}"
        assert not ast.unparse(thing).startswith(INNER), f"{file}:{line}"
    for other, line in imports(file.stem, file):
        assert not other.startswith(INNER), f"{file}:{line} imports {other}"


WITH_TENSORFLOW = {"private/tensorflow.py", "private/replay.py"}  # and all of `fused`: Keras may train with something else


@pytest.mark.parametrize("file", [pytest.param(file, id=name) for name, file in modules() if "fused" not in file.parts])
def test_only_stacks_import_tensorflow_from_the_start(file):
    """A worker of Keras on JAX or PyTorch imports all but those, where there may be no TensorFlow."""
    nodes = ast.parse(file.read_text("utf-8")).body
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    needs = any(name.partition(".")[0] == "tensorflow" for name in names)
    assert not needs or str(file).endswith(tuple(WITH_TENSORFLOW))
