"""What a function reaches is in its hash by value, and nothing else is: in this process and in another one."""

from __future__ import annotations

import functools
import linecache
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from nbtune.data.content.objects import Contents, NoFingerprint

CELLS = iter(range(10**6))


def run(text, **names):
    """What a notebook's cell with this text defines."""
    text, name = textwrap.dedent(text), f"cell-{next(CELLS)}"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)  # as IPython does
    space = {"__name__": "__main__", **names}
    exec(compile(text, name, "exec"), space)
    return space


def of(text, **names):
    return Contents()(run(text, **names)["build"])


# ---- what has to count: each in two versions that differ in one place below the function

ONE, OTHER = "relu", "tanh"
CHANGED = {
    "its own code": "def build(): return {}",
    "a constant": "SIZE = {}\ndef build(): return SIZE",
    "a default": "def build(units={}): return units",
    "a keyword's default": "def build(*, units={}): return units",
    "an argument's name": "def build({0}=1, *, a=[{0!r}]): return 1".replace("{0}", "x"),
    "a helper": "def helper(): return {}\ndef build(): return helper()",
    "a helper's helper": "def last(): return {}\ndef helper(): return last()\ndef build(): return helper()",
    "what a function in a dict reads": "SIZE = {}\ndef plain(): return SIZE\nTABLE = {{1: plain}}\ndef build(): return TABLE",
    "a lambda in a list": "TABLE = [lambda: {}]\ndef build(): return TABLE[0]()",
    "a function within": "def build():\n    def inner(): return {}\n    return inner()",
    "what a function within reads": "SIZE = {}\ndef build():\n    def inner(): return SIZE\n    return inner()",
    "what a comprehension reads": "SIZE = {}\ndef build(): return [SIZE for _ in range(3)]",
    "a closure": "def outer(x):\n    def inner(): return x\n    return inner\nbuild = outer({})",
    "a partial's function": "import functools\ndef f(x): return {}\nbuild = functools.partial(f, 1)",
    "a partial's argument": "import functools\ndef f(x): return x\nbuild = functools.partial(f, {})",
    "a partial's keyword": "import functools\ndef f(x): return x\nbuild = functools.partial(f, x={})",
    "a partial of a partial": "import functools\ndef f(x, y): return {}\nbuild = functools.partial(functools.partial(f, 1), 2)",
    "a cached function": "import functools\n@functools.lru_cache\ndef f(): return {}\ndef build(): return f()",
    "what a decorator wraps": (
        "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(): return f() * 2\n    return inner\n"
        "@twice\ndef build(): return {}"
    ),
    "the decorator": (
        "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(): return f() + {}\n    return inner\n"
        "@twice\ndef build(): return 1"
    ),
    "a callable object's class": "class A:\n    def __call__(self): return {}\nbuild = A()",
    "a callable object's attribute": "class A:\n    def __init__(self): self.x = {}\n    def __call__(self): pass\nbuild = A()",
    "a bound method": "class B:\n    def make(self): return {}\nbuild = B().make",
    "a bound method's object": "class B:\n    def __init__(self): self.x = {}\n    def make(self): pass\nbuild = B().make",
    "a helper method": "class B:\n    def help(self): return {}\n    def make(self): return self.help()\nbuild = B().make",
    "a base class": "class A:\n    def f(self): return {}\nclass B(A): pass\ndef build(): return B()",
    "a class's attribute": "class A:\n    x = {}\ndef build(): return A.x",
    "a property": "class A:\n    @property\n    def x(self): return {}\ndef build(): return A()",
    "a class method": "class A:\n    @classmethod\n    def x(cls): return {}\ndef build(): return A",
    "a static method": "class A:\n    @staticmethod\n    def x(): return {}\ndef build(): return A",
    "a metaclass": "class M(type):\n    def f(cls): return {}\nclass A(metaclass=M): pass\ndef build(): return A",
    "a slot": "class A:\n    __slots__ = ('x',)\n    def __init__(self): self.x = {}\na = A()\ndef build(): return a",
    "the class of a global object": "class A:\n    def f(self): return {}\na = A()\ndef build(): return a.f()",
    "what a method reads": "SIZE = {}\nclass A:\n    def f(self): return SIZE\ndef build(): return A()",
    "a dataclass's default": "import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: str = {}\ndef build(): return A()",
    "an enum's value": "import enum\nclass A(enum.Enum):\n    x = {}\ndef build(): return A",
    "a set's member": "NAMES = {{'a', 'b', {}}}\ndef build(): return NAMES",
    "a key": "NAMES = {{{}: 1}}\ndef build(): return NAMES",
    "an array": "import numpy as np\nx = np.array([{}])\ndef build(): return x",
    "an array of objects": "import numpy as np\nx = np.array([{}, None], object)\ndef build(): return x",
    "a generic function's rule": (
        "import functools\n@functools.singledispatch\ndef f(x): pass\n@f.register\ndef _(x: int): return {}\n"
        "def build(): return f(1)"
    ),
    "a cached property that was overwritten": (
        "import functools\nclass A:\n    @functools.cached_property\n    def x(self): return 1\na = A()\na.x = {}\n"
        "def build(): return a.x"
    ),
    "one of a base class": (
        "import functools\nclass A:\n    @functools.cached_property\n    def x(self): return 1\nclass B(A): pass\n"
        "a = B()\na.x\na.x = {}\ndef build(): return a.x"
    ),
    "one of a class that derives from it": (
        "import functools\nclass once(functools.cached_property): pass\n"
        "class A:\n    @once\n    def x(self): return 1\na = A()\na.x = {}\ndef build(): return a.x"
    ),
    "what a cached property was computed from": (
        "import functools\nclass A:\n    @functools.cached_property\n    def x(self): return self.y\na = A()\na.y = {}\na.x\n"
        "a.y = 3\ndef build(): return a.x"
    ),
    "a method that an object has for itself": "class A: pass\na = A()\na.f = lambda: {}\ndef build(): return a.f()",
    "an attribute that an object has for itself": "class A:\n    x = 1\na = A()\na.x = {}\ndef build(): return a.x",
    "an attribute of a cached function": (
        "import functools\n@functools.lru_cache\ndef f(): return f.x\nf.x = {}\ndef build(): return f()"
    ),
    "an attribute of a partial": "import functools\nf = functools.partial(print)\nf.x = {}\ndef build(): return f.x",
    "an attribute of a dict": "class D(dict): pass\nd = D()\nd.x = {}\ndef build(): return d.x",
    "an attribute of a text": "class S(str): pass\ns = S('a')\ns.x = {}\ndef build(): return s.x",
    "an attribute of an array": (
        "import numpy as np\nclass V(np.ndarray): pass\nv = np.zeros(3).view(V)\nv.x = {}\ndef build(): return v.x"
    ),
    "an attribute of an exception": "class E(Exception): pass\ne = E()\ne.x = {}\ndef build(): return e.x",
    "another class": "class A: pass\nclass B: x = {}\na = A()\na.__class__ = B\ndef build(): return a.x",
    "a namespace": "import types\nn = types.SimpleNamespace(x={})\ndef build(): return n.x",
    "a default factory": "import collections\nd = collections.defaultdict(lambda: {})\ndef build(): return d[1]",
    "a chain of dicts": "import collections\nd = collections.ChainMap({{}}, {{'x': {}}})\ndef build(): return d['x']",
    "a dict of weak keys": (
        "import weakref\nclass A: pass\na = A()\nd = weakref.WeakKeyDictionary()\nd[a] = {}\ndef build(): return d[a]"
    ),
    "a dict of weak values": (
        "import weakref\nclass A: pass\na = A()\na.x = {}\nd = weakref.WeakValueDictionary(a=a)\ndef build(): return d['a'].x"
    ),
    "a context variable": (
        "import contextvars\nv = contextvars.ContextVar('v', default=1)\nv.set({})\ndef build(): return v.get()"
    ),
    "what a thread has for itself": "import threading\nv = threading.local()\nv.x = {}\ndef build(): return v.x",
    "a module's own lookup": (
        "import types\nm = types.ModuleType('m')\nm.__getattr__ = lambda name: {}\ndef build(): return m.anything"
    ),
    "a caller of methods": "import operator\nf = operator.methodcaller('get', {})\ndef build(): return f",
    "a getter of attributes": "import operator\nf = operator.attrgetter({!r})\ndef build(): return f".replace("{!r}", "{}"),
    "a method of one kind": (
        "import functools\nclass A:\n    @functools.singledispatchmethod\n    def f(self, x): pass\n"
        "    @f.register\n    def _(self, x: int): return {}\ndef build(): return A().f(1)"
    ),
    "a registry that decorators fill": (
        "TABLE = {{}}\ndef register(f):\n    TABLE[f.__name__] = f\n    return f\n@register\ndef f(): return {}\n"
        "def build(): return TABLE['f']()"
    ),
    "a class's hook": (
        "class A:\n    made = []\n    def __init_subclass__(cls, x): cls.made.append(x)\nclass B(A, x={}): pass\n"
        "def build(): return A.made"
    ),
    "a member that a class decorator adds": (
        "def deco(cls):\n    cls.x = {}\n    return cls\n@deco\nclass A: pass\ndef build(): return A.x"
    ),
    "closures of a loop": "fs = [lambda i=i: i for i in (1, {})]\ndef build(): return [f() for f in fs]",
    "a deque": "import collections\nd = collections.deque([1, {}])\ndef build(): return d",
    "bytes in a buffer": "import io\nb = io.StringIO({})\ndef build(): return b.getvalue()",
    "a path": "import pathlib\np = pathlib.PurePath({})\ndef build(): return str(p)",
    "a pattern": "import re\np = re.compile({})\ndef build(): return p",
    "a type alias": "import typing\nT = typing.Annotated[int, {}]\ndef build(): return T",
    "a generic class": (
        "import typing\nT = typing.TypeVar('T')\nclass A(typing.Generic[T]):\n    x = {}\ndef build(): return A[int]"
    ),
    "a coroutine": "async def f(): return {}\ndef build(): return f",
    "a generator function": "def f(): yield {}\ndef build(): return list(f())",
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_change_is_seen(what):
    text = CHANGED[what]
    first, same, other = (of(text.format(repr(value))) for value in (ONE, ONE, OTHER))
    assert first == same
    assert (first == other) == ("{" not in text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("1", "True"),
        ("'1'", "b'1'"),
        ("[1]", "(1,)"),
        ("{1}", "frozenset()"),
        ("0.0", "-0.0"),
        ("[[1, 2], [3]]", "[[1], [2, 3]]"),
        ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
        ("np.arange(3)", "np.arange(3.0)"),
        ("np.zeros((2, 3))", "np.zeros((3, 2))"),
        ("np.ma.array([1, 2], mask=[0, 1])", "np.ma.array([1, 2], mask=[1, 0])"),
        ("np.random.default_rng(0)", "np.random.default_rng(1)"),
        ("pd.DataFrame({'a': [1, 2]})", "pd.DataFrame({'a': [1, 3]})"),
        ("pd.Series([1, 2], index=[0, 1])", "pd.Series([1, 2], index=[0, 2])"),
        ("pd.Series(['a', 'b'])", "pd.Series(['a', 'c'])"),
        ("scipy.sparse.eye(3).tocsr()", "scipy.sparse.eye(4).tocsr()"),
    ],
)
def test_values_that_look_alike_differ(one, other):
    text = "import numpy as np, pandas as pd, scipy.sparse\nX = {}\ndef build(): return X"
    assert of(text.format(one)) == of(text.format(one))
    assert of(text.format(one)) != of(text.format(other))


def test_code_that_differs_in_an_operator_alone_differs():
    assert of("def build(a=1): return a + 1") != of("def build(a=1): return a - 1")
    assert of("def build(a=1): return a if a else 0") != of("def build(a=1): return a if not a else 0")
    assert of("def build(a=1):\n    try: return a\n    except ValueError: pass") != of("def build(a=1): return a")


def test_every_place_of_a_large_array_counts():
    x = np.zeros((3000, 1000), "float32")  # more than a block
    before = Contents()(x)
    for place in ((0, 0), (1500, 500), (2999, 999)):
        other = x.copy()
        other[place] = 1e-30
        assert Contents()(other) != before
    assert Contents()(x.repeat(2, axis=1)[:, ::2]) == before


# ---- what must not count


def test_comments_layout_and_place_do_not_count():
    one = "def build(a=1, b=2):\n    if a and b or not a:\n        return [a for _ in 'abc']\n    return {'x': lambda t: t + 1}\n"
    other = """
    # a comment

    PI = 3
    def build(
        a=1,  # the first
        b=2,
    ):

        if (
            a and
            b
            or not a
        ): return [
            a
            for _ in 'abc'
        ]
        return {
            'x': (
                lambda t:
                    t + 1
            ),
        }
    """
    assert of(one) == of(other)


def test_what_is_not_read_does_not_count():
    text = "def build(x=None): return x.A"
    assert of(f"A = 1\nclass B: pass\ndef other(): pass\n{text}") == of(f"A = 2\n{text}")


def test_whether_two_names_are_one_object_does_not_count():
    one = run("def f(): return 1\ng = f\ndef build(): return f, g")
    two = run("def f(): return 1\nh = f\ndef f(): return 1\ng = f\nf = h\ndef build(): return f, g")
    assert Contents()(one["build"]) == Contents()(two["build"])


def test_what_was_called_meanwhile_does_not_count():
    text = """
    import functools
    @functools.lru_cache
    def cached(x): return x
    @functools.singledispatch
    def generic(x): return x
    class A:
        @functools.cached_property
        def slow(self): return 3
    a = A()
    def build(): return cached(1), generic(2), a.slow
    """
    space = run(text)
    before = Contents()(space["build"])
    space["build"]()
    assert Contents()(space["build"]) == before


def test_circles_and_depth_are_no_trouble():
    around = []
    around.append({"self": around})
    assert Contents()(around) == Contents()(around)
    deep = None
    for i in range(5000):
        deep = [deep, i]
    assert Contents()(deep) == Contents()(deep)
    chain = "def f0(): return 1\n" + "\n".join(f"def f{i}(): return f{i - 1}()" for i in range(1, 800))
    chain += "\ndef build(): return f799()"
    assert of(chain) != of(chain.replace("return 1\n", "return 2\n", 1))


def test_two_in_a_circle_are_told_apart():
    text = "def f(n=1): return g(n) if n else {}\ndef g(n=1): return f(n) if n else {}\ndef build(): return {}()"
    hashes = {of(text.format(a, b, first)) for a in (1, 2) for b in (1, 2) for first in "fg"}
    assert len(hashes) == 8


@pytest.mark.parametrize(
    "thing", [threading.Lock(), (i for i in "ab"), sys._getframe(), np.frompyfunc(abs, 1, 1)], ids=lambda x: type(x).__name__
)
def test_what_cannot_be_compared_is_named(thing):
    with pytest.raises(NoFingerprint, match=f"the function reads a {type(thing).__name__}"):
        of("def build(): return X", X=thing)


def test_a_libraries_function_counts_by_its_version():
    contents = Contents()
    contents(run("import numpy as np\ndef build():\n    from sklearn.metrics import f1_score\n    return np.mean")["build"])
    assert {library.split()[0] for library in contents.modules.libraries} == {"numpy", "scikit-learn"}


def test_another_hash_seed_changes_nothing(tmp_path):
    texts = [text.format(repr("relu")) for text in CHANGED.values()]
    names = "{'alpha', 'beta', 'gamma', 'delta', 'epsilon'}"
    texts.append(f"class A:\n    def __init__(self): self.names = {names}\na = A()\ndef build(x=1): return a, x in {names}")
    script = tmp_path / "script.py"
    script.write_text("from tests.data.content.test_objects import of\n" + f"print([of(text) for text in {texts!r}])")
    found = set()
    for seed in ("0", "1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        found.add(subprocess.run([sys.executable, script], env=environment, check=True, capture_output=True, text=True).stdout)
    assert len(found) == 1


def test_what_is_cached_is_not_the_users_setting():
    first = functools.lru_cache(maxsize=3)(len)
    assert Contents()(first) != Contents()(functools.lru_cache(maxsize=4)(len))
