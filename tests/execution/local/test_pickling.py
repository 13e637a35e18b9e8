"""What a function is after its way to a worker."""

from __future__ import annotations

import ast
import functools
import pickle
import subprocess
import sys

from nbtune.execution.local import pickling


def test_code_knows_where_it_comes_from():
    def outer(a, *, b=2):
        def inner():
            return a + b

        return inner

    there = pickle.loads(pickling.dumps(outer))
    assert there(1)() == 3
    assert there.__code__.co_filename == there(1).__code__.co_filename == __file__
    assert there.__code__.co_firstlineno == outer.__code__.co_firstlineno


NOTEBOOK = """
import collections, contextlib, enum, functools, operator, sys
from nbtune.execution.local import pickling

@functools.lru_cache(maxsize=7)
def cached(n): return n + 1

@functools.singledispatch
def kind(x): return "any"

@kind.register
def _(x: int): return "int"

class Layers:
    @functools.lru_cache
    def method(self, n): return 2 * n
    @functools.cached_property
    def size(self): return 5
    @functools.singledispatchmethod
    def of(self, x): return "any"

@contextlib.contextmanager
def opened(): yield 3

def generator(): yield from (1, 2)

class Colour(enum.Enum):
    RED = 1

Pair = collections.namedtuple("Pair", "a b")
table = {"lambda": lambda x: x + 1, "partial": functools.partial(operator.add, 1), "cached": cached}
unnamed = functools.lru_cache(lambda x: x)

def build():
    with opened() as three:
        return [cached(1), kind(3), Layers().method(3), Layers().size, Layers().of(1), three, list(generator()), Colour.RED.value,
                Pair(1, 2).b, [table[name](1) for name in table], unnamed(4), cached.cache_info().maxsize]

assert cached(5) == 6
sys.stdout.buffer.write(pickling.dumps(build))
"""
HERE = [2, "int", 6, 5, "any", 3, [1, 2], 1, 2, [2, 2, 2], 4, 7]


def test_what_a_notebook_defines_arrives():
    written = subprocess.run([sys.executable, "-c", NOTEBOOK], check=True, capture_output=True).stdout
    script = "import pickle, sys; print(pickle.load(sys.stdin.buffer)())"
    read = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, input=written).stdout
    assert ast.literal_eval(read.decode()) == HERE


def test_a_cached_function_of_a_module_goes_by_its_name():
    assert pickle.loads(pickling.dumps(cached_here)) is cached_here


@functools.lru_cache
def cached_here(n):
    return n


batches = (i for i in range(3))


def helper():
    return next(batches)


def outer(lines):
    return lambda units: [next(lines) for _ in range(units)]


def test_what_cannot_be_sent_is_named():
    def build(units):
        return helper(), units

    assert pickling.unsendable(build) == "batches, a generator"
    assert pickling.unsendable(functools.partial(build, 3)) == "batches, a generator"
    assert pickling.unsendable(outer(line for line in "ab")) == "lines, a generator"
    assert pickling.unsendable(test_what_a_notebook_defines_arrives) == ""
