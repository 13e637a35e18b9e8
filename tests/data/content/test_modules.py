"""Modules of the user's own count wherever they are imported, and need not be imported for it; libraries by version."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import types

import pytest

from nbtune.data.content.modules import Module, Modules
from nbtune.data.content.objects import Contents
from nbtune.data.fingerprint import contents
from tests.data.content.test_objects import run


def forget(*names):
    for name in names:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


WAYS = {
    "imported above": "import helper\ndef build(): return helper.f()",
    "under another name": "import helper as h\ndef build(): return h.f()",
    "a name of it": "from helper import f\ndef build(): return f()",
    "imported inside": "def build():\n    import helper\n    return helper.f()",
    "a name of it inside": "def build():\n    from helper import f\n    return f()",
    "inside a function within": "def build():\n    def inner():\n        import helper\n    return inner",
    "inside a method": "class A:\n    def f(self):\n        import helper\ndef build(): return A()",
    "by a name in quotes": "import importlib\ndef build(): return importlib.import_module('helper').f()",
    "held by an object": "import helper\nclass A: pass\na = A()\na.tools = helper\ndef build(): return a.tools.f()",
}


@pytest.mark.parametrize("far", ["helper", "further", "pack__inner"])
@pytest.mark.parametrize("way", WAYS)
def test_a_module_counts(own, way, far):
    def hashed(value):
        texts = {
            "helper": "import further\ndef f(): return further.g()",
            "further": "def g():\n    from pack.inner import h\n    return h()",
            "pack____init__": "",
            "pack__inner": "",
        }
        own(**{**texts, far: f"{texts[far]}\nX = {value}\ndef h(): return X"})
        forget("helper", "further", "pack", "pack.inner")
        return Contents()(run(WAYS[way])["build"])

    assert hashed(1) == hashed(1)
    assert hashed(1) != hashed(2)


def test_comments_in_a_module_do_not_count(own):
    own(helper="def f(): return 1")
    before = Contents()(run(WAYS["imported inside"])["build"])
    own(helper="# one\ndef f():\n    return 1  # the first\n")
    assert Contents()(run(WAYS["imported inside"])["build"]) == before


def test_what_was_set_in_a_module_counts(own):
    own(helper="SIZE = 1\ndef f(): return SIZE\n")
    space = run("import helper\ndef build(): return helper.SIZE")
    before = Contents()(space["build"])
    space["helper"].SIZE = 2
    assert Contents()(space["build"]) != before


def test_what_is_not_imported_yet_stays_so(own):
    own(pack____init__="raise SystemExit('this ran')", pack__inner="X = 1")
    build = run("def build():\n    from pack.inner import X\n    return X")["build"]
    before = Contents()(build)
    assert "pack" not in sys.modules
    own(pack__inner="X = 2")
    assert Contents()(build) != before


def test_whether_it_is_imported_yet_does_not_count(own):
    own(helper="import further\nX = 1", further="Y = 1")
    build = run("def build():\n    import helper\n    return helper")["build"]
    before = Contents()(build)
    importlib.import_module("helper")
    assert Contents()(build) == before


STATED = """
import functools, math as m
from further import Y, z
SIZES = [1, 2]
RATE, SEED = 3, 4
NAMES = {"a": (1, 2.5), "b": None}
TEXT: str = "x"
def f(a, b=1, *, c="x"): return SIZES, NAMES, TEXT, Y, z, m, A().go(), functools
class A:
    x = 3
    "more"
    def go(self, n=2): return self.twice, self.once(), self.new()
    @property
    def twice(self): return 2
    @staticmethod
    def once(): return 1
    @classmethod
    def new(cls): return cls()
"""


def test_whether_a_module_of_plain_text_is_imported_yet_does_not_count(own):
    own(stated=STATED, further="Y = 1\ndef z(): return Y")
    build = run("def build():\n    import stated\n    return stated.f(), stated.A.x, stated.A")["build"]
    hashed = lambda: contents({"f": {"f": build}})[0]["f"]["f"]  # noqa: E731
    before = hashed()
    module = importlib.import_module("stated")
    module.__dict__.pop("RATE")  # which nothing reads
    assert hashed() == before
    changes = [
        lambda: module.NAMES.update(c=1),
        lambda: module.SIZES.append(1),
        lambda: setattr(module, "TEXT", "y"),
        lambda: setattr(module.f, "__defaults__", (2,)),
        lambda: setattr(module.f, "__kwdefaults__", {"c": "y"}),
        lambda: setattr(module.f, "more", 1),
        lambda: setattr(module.A, "x", 4),
        lambda: setattr(module.A, "go", lambda self: 1),
        lambda: setattr(module.A, "twice", property(lambda self: 1)),
        lambda: setattr(module.A, "once", 1),
        lambda: setattr(sys.modules["further"], "Y", 5),
        lambda: setattr(module, "z", run("def z(): return 8")["z"]),
        lambda: setattr(module, "Y", 2),
        lambda: setattr(module, "m", importlib.import_module("cmath")),
        lambda: setattr(module, "f", lambda: 3),
    ]
    found = [before]
    for change in changes:
        change()
        found.append(hashed())
    assert len(set(found)) == len(found)


def test_relative_imports_are_followed(own):
    found = []
    for value in (1, 2):
        own(pack____init__="", pack__a="from . import b\nfrom .b import X\ndef f(): return X", pack__c="")
        own(pack__b=f"from .c import *\nX = {value}")
        forget("pack", "pack.a", "pack.b", "pack.c")
        found.append(Contents()(run("from pack.a import f\ndef build(): return f()")["build"]))
    assert found[0] != found[1]


def test_modules_that_import_each_other(own):
    own(one="import two\nX = 1", two="import one\nY = 1")
    build = run("def build():\n    import one")["build"]
    assert Contents()(build) == Contents()(build)


@pytest.mark.parametrize("name", ["os", "json.decoder", "numpy.linalg", "sklearn.metrics", "keras", "nbtune", "builtins"])
def test_libraries_are_known_without_an_import(name):
    script = (
        f"import sys; from nbtune.data.content.modules import Modules; print(Modules().library({name!r}), 'keras' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True)
    expected = {"os": "Python", "json.decoder": "Python", "builtins": "Python", "sklearn.metrics": "scikit-learn"}
    assert ran.stdout.split() == [expected.get(name, name.split(".")[0]), "False"]


def test_no_module_of_that_name_is_no_trouble():
    modules = Modules()
    assert modules.describe(Module("there.is.none")) == modules.describe(Module("there.is.none"))


@pytest.mark.parametrize("shape", ["package/__init__.py", "package.py", "package/inner/deep.py"])
def test_what_was_installed_into_a_folder_on_the_path_is_a_library(tmp_path, monkeypatch, shape):
    """`pip install --target`, as PYTHONPATH then has it. The user's own modules may lie beside it."""
    for path in (shape, "mine.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / "a_package-1.0.dist-info").mkdir()
    (tmp_path / "a_package-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: a-package\nVersion: 1.0\n")
    (tmp_path / "a_package-1.0.dist-info" / "RECORD").write_text(f"{shape},,\na_package-1.0.dist-info/METADATA,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    forget("package", "mine")
    modules = Modules()
    assert modules.library("package") == "a-package"
    assert modules.library("mine") == ""


def test_a_compiled_part_of_such_a_library_that_goes_by_its_last_name_alone_is_of_it(tmp_path, monkeypatch):
    """As Cython's do: pandas has `_cyutility` in `sys.modules`."""
    test_what_was_installed_into_a_folder_on_the_path_is_a_library(tmp_path, monkeypatch, "package/inner/deep.py")
    for name, file in {"_fast": "package/inner/_fast.so", "_own": "mine/inner/_own.so"}.items():
        made = types.ModuleType(name)
        made.__file__ = str(tmp_path / file)
        monkeypatch.setitem(sys.modules, name, made)
    assert Modules().library("_fast") == "a-package"
    assert Modules().library("_own") == ""
