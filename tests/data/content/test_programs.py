"""Random programs of what Python defines, and of modules, files and variables that it reads: one change anywhere that the builder
reaches is seen, and nothing else is, in another process with another hash seed either."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

PLAIN = ("constant", "function", "closure", "partial", "class", "object", "method", "callable", "cached", "dict", "set", "module")
FURTHER = (
    *("dataclass", "cached property", "metaclass", "decorator", "nested partial", "mutated default", "enum", "frozen set"),
    *("generator", "array", "sparse", "frame", "relative", "import by name", "inherited", "redefined", "attribute", "descriptor"),
    *("named tuple", "file", "variable"),
)
RARE = (
    *("dispatch", "slots", "context variable", "of a thread", "method caller", "registry", "class decorator", "overwritten"),
    *("computed", "loop", "weak", "set in a module", "set in a class", "own lookup", "by text", "nested class", "abstract"),
    *("subclass hook", "init hook", "set name", "coroutine", "exception", "string", "keyword", "wrapped", "default factory"),
)
KINDS = PLAIN + FURTHER + RARE
SET = """
X, T = 1, {}
class A:
    x = 1
def g(): return X
def h(): return A.x
def __getattr__(name):
    if name not in T: raise AttributeError(name)
    return T[name]
"""
RUNNER = """
import json, linecache, os, sys
from nbtune.data.fingerprint import contents
found = []
for folder in sys.argv[1:]:
    sys.path.insert(0, folder)
    os.chdir(folder)
    text = open(folder + "/cell.txt").read()
    name = "cell" + str(hash(folder))
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space = {"__name__": "__main__"}
    exec(compile(text, name, "exec"), space)
    hashes, notes = contents({"build": {"build": space["build"]}})
    assert not notes, notes
    found.append(hashes["build"]["build"])
    sys.path.pop(0)
    for module in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[module]
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Part:
    """A definition: its kind, the number in it, and the earlier one that it reads."""

    kind: str
    value: int
    reads: int

    def text(self, i: int) -> str:
        """Defines `p{i}`; `{use}` reads the earlier part."""
        use, value = f"p{self.reads}" if self.reads >= 0 else "None", self.value
        return {
            "constant": f"p{i} = [{value}, {use}]",
            "function": f"def p{i}(x=None): return {value}, {use}",
            "closure": f"def outer{i}(x):\n    def inner(): return x, {use}\n    return inner\np{i} = outer{i}({value})",
            "partial": f"def f{i}(x, y): return {use}\np{i} = functools.partial(f{i}, {value})",
            "class": f"class p{i}:\n    def go(self): return {value}, {use}",
            "object": f"class C{i}: pass\np{i} = C{i}()\np{i}.x = {value}\np{i}.y = {use}",
            "method": f"class C{i}:\n    def __init__(s): s.x = {value}\n    def go(s): return s.x, {use}\np{i} = C{i}().go",
            "callable": f"class C{i}:\n    def __call__(self): return {value}, {use}\np{i} = C{i}()",
            "cached": f"@functools.lru_cache\ndef p{i}(x): return {value}, {use}",
            "dict": f"def f{i}(): return {use}\np{i} = {{'a': {value}, 'f': f{i}}}",
            "set": f"def f{i}(): return {use}\np{i} = [{{'s{value}', 't', 'u', 'v'}}, f{i}]",
            "module": f"def p{i}():\n    import own_{i}\n    return own_{i}.f(), {use}",
            **self.further(i, use),
            **self.rare(i, use),
        }[self.kind]

    def rare(self, i: int, use: str) -> dict[str, str]:
        value, f = self.value, f"def f{i}(*_): return {use}\n"
        both = f"return {value}, {use}"
        return {
            "dispatch": f"{f}@functools.singledispatch\ndef p{i}(x): {both}\n@p{i}.register\ndef _(x: int): return f{i}\np{i}(1)",
            "slots": f"{f}class S{i}:\n    __slots__ = ('x', 'f')\np{i} = S{i}()\np{i}.x, p{i}.f = {value}, f{i}",
            "context variable": f"{f}v{i} = contextvars.ContextVar('')\nv{i}.set([{value}, f{i}])\ndef p{i}(): return v{i}.get()",
            "of a thread": f"{f}p{i} = threading.local()\np{i}.x, p{i}.f = {value}, f{i}",
            "method caller": f"{f}p{i} = [operator.methodcaller('get', {value}), f{i}]",
            "registry": (
                f"T{i} = {{}}\ndef register{i}(f):\n    T{i}[f.__name__] = f\n    return f\n@register{i}\ndef g{i}(): {both}\n"
                f"def p{i}(): return T{i}['g{i}']()"
            ),
            "class decorator": f"{f}def deco{i}(c):\n    c.x = {value}\n    return c\n@deco{i}\nclass p{i}:\n    g = f{i}",
            "overwritten": (
                f"{f}class C{i}:\n    g = f{i}\n    @functools.cached_property\n    def x(self): return 1\n"
                f"p{i} = C{i}()\np{i}.x\np{i}.x = {value}"
            ),
            "computed": (
                f"{f}class C{i}:\n    g = f{i}\n    @functools.cached_property\n    def x(self): return {value}\n"
                f"p{i} = C{i}()\nif len(os.listdir()) % 2: p{i}.x"
            ),
            "loop": f"{f}fs{i} = [lambda n=n: n for n in (1, {value}, f{i})]\ndef p{i}(): return [f() for f in fs{i}]",
            "weak": f"{f}class W{i}: pass\nw{i} = W{i}()\np{i} = [weakref.WeakKeyDictionary({{w{i}: {value}}}), w{i}, f{i}]",
            "set in a module": f"{f}import own_s{i}\nown_s{i}.X = [{value}, f{i}]\ndef p{i}(): return own_s{i}.g()",
            "set in a class": f"{f}import own_s{i}\nown_s{i}.A.x = [{value}, f{i}]\ndef p{i}(): return own_s{i}.h()",
            "own lookup": f"{f}import own_s{i}\nown_s{i}.T['a'] = [{value}, f{i}]\ndef p{i}(): return own_s{i}.a",
            "by text": f"{f}import own_s{i}\nown_s{i}.X = [{value}, f{i}]\ndef p{i}(): return getattr(own_s{i}, 'x'.upper())",
            "nested class": f"class p{i}:\n    class B:\n        class C:\n            def f(self): {both}",
            "abstract": f"import abc\nclass A{i}(abc.ABC):\n    @abc.abstractmethod\n    def f(self): {both}\n"
            f"class p{i}(A{i}): pass",
            "subclass hook": (
                f"{f}class A{i}:\n    made = []\n    def __init_subclass__(c, x): c.made.append(x)\n"
                f"class p{i}(A{i}, x={value}):\n    g = f{i}"
            ),
            "init hook": f"class C{i}:\n    def __new__(cls): {both}\ndef p{i}(): return C{i}()",
            "set name": (
                f"{f}class N{i}:\n    def __init__(s, v): s.v = v\n    def __set_name__(s, o, n): s.n = n * s.v\n"
                f"class p{i}:\n    x = N{i}({value})\n    g = f{i}"
            ),
            "coroutine": f"async def p{i}():\n    async with {use} as x:\n        yield {value}",
            "exception": f"class E{i}(ValueError):\n    def __str__(s): {both}\np{i} = E{i}('a')",
            "string": f"{f}class S{i}(str): pass\np{i} = S{i}('a')\np{i}.x, p{i}.f = {value}, f{i}",
            "keyword": f"def p{i}(*, x={value}, **_): return x, {use}",
            "wrapped": (
                f"def deco{i}(f):\n    @functools.wraps(f)\n    def inner(*x): return f(*x), {value}\n    return inner\n"
                f"@deco{i}\ndef p{i}(*_): return {use}"
            ),
            "default factory": f"{f}p{i} = collections.defaultdict(lambda: ({value}, f{i}))",
        }

    def further(self, i: int, use: str) -> dict[str, str]:
        value, f = self.value, f"def f{i}(*_): return {use}\n"
        one, other = f"class A{i}:\n    def g(self): return {value}, {use}\n", f"class B{i}(A{i}): pass\n"
        return {
            "dataclass": f"@dataclasses.dataclass\nclass D{i}:\n    x: int\n    def f(self): return {use}\np{i} = D{i}({value})",
            "cached property": f"class p{i}:\n    @functools.cached_property\n    def x(self): return {value}, {use}",
            "metaclass": f"class M{i}(type):\n    def x(cls): return {value}, {use}\nclass p{i}(metaclass=M{i}): pass",
            "decorator": (
                f"def deco{i}(n):\n    def wrap(f):\n        def inner(*x): return f(*x), n\n        return inner\n"
                "    return wrap\n"
                f"@deco{i}({value})\ndef p{i}(*_): return {use}"
            ),
            "nested partial": f"{f}p{i} = functools.partial(functools.partial(functools.partial(f{i}, 1), {value}), 3)",
            "mutated default": f"def p{i}(x=[]): return x, {use}\np{i}.__defaults__[0].append({value})",
            "enum": f"{f}class E{i}(enum.Enum):\n    A = {value}\n    B = 100\np{i} = [E{i}.A, f{i}]",
            "frozen set": f"{f}p{i} = [frozenset({{'a', 'b', 'c', 's{value}'}}), f{i}]",
            "generator": f"{f}p{i} = [np.random.default_rng({value}), f{i}]",
            "array": f"{f}p{i} = {{'x': np.array([{value}, 2.0]), 'f': f{i}}}",
            "sparse": f"{f}p{i} = [scipy.sparse.csr_matrix(np.array([[0, {value + 1}]])), f{i}]",
            "frame": f"{f}p{i} = [pd.DataFrame({{'a': [1, {value}]}}), f{i}]",
            "relative": f"from own_p{i}.b import g as g{i}\ndef p{i}(): return g{i}(), {use}",
            "import by name": f"N{i} = 'own_{i}'\ndef p{i}():\n    return importlib.import_module(N{i}).f(), {use}",
            "inherited": f"{one}{other}class p{i}(B{i}):\n    def g(self): return super().g()",
            "redefined": f"class A{i}: pass\nclass B{i}(A{i}): pass\n{one}{other}p{i} = B{i}()",
            "attribute": f"def p{i}(): return p{i}.x, {use}\np{i}.x = {value}",
            "descriptor": (
                f"class G{i}:\n    def __init__(s, v): s.v = v\n    def __get__(s, *_): return s.v\n"
                f"class p{i}:\n    x = G{i}({value})\n    def f(s): return {use}"
            ),
            "named tuple": f"class p{i}(NamedTuple):\n    x: int = {value}\n    def f(s): return {use}",
            "file": f"def p{i}(): return open('file_{i}.txt').read(), {use}",
            "variable": f"os.environ['OWN_{i}'] = '{value}'\ndef p{i}(): return os.environ['OWN_{i}'], {use}",
        }


def write(folder: Path, parts, spaced: bool) -> str:
    folder.mkdir()
    lines = ["import dataclasses, enum, functools, importlib, os, numpy as np", "from typing import NamedTuple"]
    lines += ["import collections, contextvars, operator, threading, weakref"]
    slow = {"sparse": "import scipy.sparse", "frame": "import pandas as pd"}
    lines += [text for kind, text in slow.items() if kind in {part.kind for part in parts}]
    for i, part in enumerate(parts):
        lines += ["", "# more", "", part.text(i)] if spaced else [part.text(i)]
        text = f"{'# a comment' if spaced else ''}\ndef g(): return {part.value}\n"
        if part.kind in ("module", "import by name"):
            (folder / f"own_{i}.py").write_text(f"from own_{i}_deep import g\ndef f(): return g()\n")
            (folder / f"own_{i}_deep.py").write_text(text)
        if part.kind == "relative":
            (folder / f"own_p{i}").mkdir()
            for name, own in (("__init__", ""), ("a", text), ("b", "from .a import g as h\ndef g(): return h()\n")):
                (folder / f"own_p{i}" / f"{name}.py").write_text(own)
        if part.kind in ("set in a module", "set in a class", "own lookup", "by text"):
            (folder / f"own_s{i}.py").write_text(SET)
        (folder / f"file_{i}.txt").write_text(str(part.value))
    lines += [f"def build(units): return units, p{len(parts) - 1}"]
    (folder / "cell.txt").write_text("\n".join(lines) + "\n")
    return str(folder)


def hashes(folders, seed):
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join(sys.path)}
    run = [sys.executable, "-B", "-c", RUNNER, *folders]
    return json.loads(subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout)


def reached(parts):
    i = len(parts) - 1
    while i >= 0:
        yield i
        i = parts[i].reads


@st.composite
def programs(draw):
    count = draw(st.integers(2, 14))
    kinds = [draw(st.sampled_from(draw(st.sampled_from([PLAIN, FURTHER, RARE])))) for _ in range(count)]
    return [Part(kind, draw(st.integers(0, 9)), draw(st.integers(max(-1, i - 3), i - 1))) for i, kind in enumerate(kinds)]


# The same few each time; `make test-all` asks for more, and for others each time.
@settings(max_examples=int(os.environ.get("NBTUNE_PROGRAMS", "4")), derandomize="NBTUNE_PROGRAMS" not in os.environ)
@given(programs(), st.integers(1, 1000))
@example([Part("module", 0, -1), Part("own lookup", 0, 0)], 1)
@example([Part("import by name", 0, -1), Part("own lookup", 0, 0)], 1)
def test_one_change_is_seen_and_nothing_else(tmp_path_factory, parts, seed):
    parent = tmp_path_factory.mktemp("programs")
    chain = list(reached(parts))
    changed = [[*parts[:i], replace(part, value=part.value + 10), *parts[i + 1 :]] for i, part in enumerate(parts)]
    folders = [write(parent / "plain", parts, False), write(parent / "spaced", parts, True)]
    folders += [write(parent / f"changed{i}", other, False) for i, other in enumerate(changed)]
    plain, spaced, *others = hashes(folders, 0)
    assert spaced == plain, "comments and lines do not count"
    assert [i for i, other in enumerate(others) if other != plain] == sorted(chain)
    assert len({others[i] for i in chain}) == len(chain)
    assert hashes(folders, seed) == [plain, spaced, *others], "in another process, with another hash seed"
