"""Random programs of constants, functions, classes, closures, partials and modules: one change anywhere that the builder
reaches is seen, and nothing else is, in another process with another hash seed either."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

KINDS = ("constant", "function", "closure", "partial", "class", "object", "method", "callable", "cached", "dict", "set", "module")
RUNNER = """
import json, linecache, sys
from nbtune.data.content.objects import Contents
found = []
for folder in sys.argv[1:]:
    sys.path.insert(0, folder)
    text = open(folder + "/cell.txt").read()
    name = "cell" + str(hash(folder))
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space = {"__name__": "__main__"}
    exec(compile(text, name, "exec"), space)
    found.append(Contents()(space["build"]))
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
        }[self.kind]


def write(folder: Path, parts, spaced: bool) -> str:
    folder.mkdir()
    lines = ["import functools"]
    for i, part in enumerate(parts):
        lines += ["", "# more", "", part.text(i)] if spaced else [part.text(i)]
        if part.kind == "module":
            (folder / f"own_{i}.py").write_text(f"from own_{i}_deep import g\ndef f(): return g()\n")
            (folder / f"own_{i}_deep.py").write_text(f"{'# a comment' if spaced else ''}\ndef g(): return {part.value}\n")
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
    kinds = [draw(st.sampled_from(KINDS)) for _ in range(count)]
    return [Part(kind, draw(st.integers(0, 9)), draw(st.integers(max(-1, i - 3), i - 1))) for i, kind in enumerate(kinds)]


@settings(max_examples=15)
@given(programs(), st.integers(1, 1000))
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
