"""Workers import the user's own modules anew, and have what the notebook has set in them all the same: functions give there what
they give here."""

from __future__ import annotations

import base64
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nbtune.ask.function import Function
from nbtune.data.fingerprint import contents
from nbtune.record.job import Terms
from nbtune.run.freezing import Freezer
from tests.data.content.test_objects import run

# Reads jobs; says what differs, or what the function gives, each time in a process that has imported nothing of the user's.
WORKER = """
import base64, json, os, sys
import cloudpickle, numpy, nbtune.record.job
from nbtune.errors import ModulesDiffer
sys.path.insert(0, sys.argv[1])
for line in sys.stdin:
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    try:
        terms = cloudpickle.loads(base64.b64decode(line))
        answer = {"result": [terms.function.call(units) for units in (1, 2)]}
    except ModulesDiffer as error:
        answer = {"differ": error.paths}
    except BaseException as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
    os._exit(0)
"""
CONFIG = """
import collections, threading
UNITS = 32
settings = {"units": 32, "deep": {"units": [32]}}
class Cfg:
    units = 32
    def __init__(self): self.rate, self.lock = 1, threading.Lock()
class Plain:
    units = 32
cfg, plain = Cfg(), Plain()
lock = threading.Lock()
open_file = open(__file__)
table, order = {}, []
def register(f):
    table[f.__name__] = f
    return f
def get(): return UNITS
def both(a=settings): return a["units"], settings["units"]
def makes():
    def inner(n): return n, UNITS, settings["units"]
    return inner
inner = makes()
def set_units(n):
    global UNITS
    UNITS = n
@register
def first(): return 1
"""
HELPERS = """
import config
from config import UNITS, settings, Plain, cfg
SIZES = [UNITS * 2]
def block(n=3): return n + 1
def far(): return config.UNITS, UNITS, SIZES, settings["units"], Plain.units, cfg.rate
def blocks(): return block(), block.__defaults__
class Net(config.Plain):
    def size(self): return self.units + Net.extra()
    @staticmethod
    def extra(): return 1
    @property
    def twice(self): return 2 * config.UNITS
"""
FILES = {
    "config": CONFIG,
    "helpers": HELPERS,
    "further": "import helpers\ndef far(): return helpers.far()\n",
    "pack/__init__": "",
    "pack/cfg": "X = 1\ndef x(): return X\n",
    "pack/use": "from . import cfg\nfrom .cfg import x\ndef f(): return cfg.X, x()\n",
    "dormant": "import config\ndef f(): return config.UNITS, config.settings['units']\n",
    "lookup": "import contextvars, enum, functools\nclass Kind(enum.Enum):\n    A = 1\n"
    "table = {'units': 1}\ndef __getattr__(name): return table[name]\n"
    "var = contextvars.ContextVar('var', default=3)\ndef read(): return var.get()\n"
    "@functools.lru_cache\ndef cached(n): return n, getattr(cached, 'x', 0)\n"
    "class Made:\n    @functools.cached_property\n    def slow(self): return 5\nmade = Made()\n",
    "plug": "import config\n@config.register\ndef second(): return config.UNITS\n",
}
CASES = {
    "a variable": "import config; config.UNITS = 64\ndef build(u): return config.UNITS, config.get()",
    "read by a helper": "import config, helpers; config.UNITS = 64\ndef build(u): return helpers.far()",
    "two imports away": "import config, further; config.UNITS = 64; config.cfg.rate = 7\ndef build(u): return further.far()",
    "of a package": "from pack import cfg, use; cfg.X = 64\ndef build(u): return use.f()",
    "an import inside": "import config, helpers; config.UNITS = 64\ndef build(u):\n    import further\n    return further.far()",
    "not imported yet": "import config; config.UNITS = 64; config.settings['units'] = 7\n"
    "def build(u):\n    import dormant\n    return dormant.f()",
    "set before another's import": "import config; config.UNITS = 64; import helpers\ndef build(u): return helpers.far()",
    "an item": "import config, helpers; config.settings['units'] = 64\ndef build(u): return helpers.far(), config.both()",
    "an item further down": "import config; config.settings['deep']['units'].append(64)\ndef build(u): return config.settings",
    "a new dict": "import config; config.settings = {'units': 64}\ndef build(u): return config.settings, config.both()",
    "one that is read by its own name": "from config import settings; settings['units'] = 64\n"
    "import helpers\ndef build(u): return settings, helpers.far()",
    "a function": "import helpers\ndef mine(n=1): return n * 64\nhelpers.block = mine\ndef build(u): return helpers.blocks()",
    "a lambda": "import helpers; helpers.block = lambda n=64: n\ndef build(u): return helpers.blocks()",
    "another module's function": "import helpers, config; helpers.block = config.get; config.UNITS = 64\n"
    "def build(u): return helpers.block()",
    "a function's defaults": "import helpers; helpers.block.__defaults__ = (64,)\ndef build(u): return helpers.blocks()",
    "a function's code": "import helpers; helpers.block.__code__ = (lambda n=2: n * 64).__code__\n"
    "def build(u): return helpers.blocks()",
    "a function's attribute": "import helpers; helpers.block.x = 64\ndef build(u): return helpers.block.x",
    "a class's attribute": "import config, helpers; config.Plain.units = 64\n"
    "def build(u): return helpers.far(), helpers.Net().size(), config.plain.units",
    "a class's new attribute": "import config; config.Plain.new = 64\ndef build(u): return config.plain.new",
    "a method": "import helpers\ndef size(self): return 64, self.units\nhelpers.Net.size = size\n"
    "def build(u): return helpers.Net().size()",
    "a static method": "import helpers\nhelpers.Net.extra = staticmethod(lambda: 64)\ndef build(u): return helpers.Net().size()",
    "a property": "import helpers\nhelpers.Net.twice = property(lambda self: 64)\ndef build(u): return helpers.Net().twice",
    "a class's base": "import helpers\nclass Base:\n    units = 64\nhelpers.Net.__bases__ = (Base,)\n"
    "def build(u): return helpers.Net().size()",
    "a new class": "import helpers\n"
    "helpers.New = type('New', (helpers.Net,), {'__module__': 'helpers', 'units': 64})\n"
    "def build(u): return helpers.New().size()",
    "an enum": "import lookup, enum\nclass Kind(enum.Enum):\n    A = 64\nlookup.Kind = Kind\n"
    "def build(u): return lookup.Kind.A.value",
    "an object's attribute": "import config; config.plain.units = 64\ndef build(u): return config.plain.units",
    "an object with a lock": "import config, helpers; config.cfg.rate = 64\n"
    "def build(u): return helpers.far(), config.cfg.lock is not None",
    "an object by its own name": "from config import cfg; cfg.rate = 64; import helpers\n"
    "def build(u): return helpers.far(), cfg.rate",
    "what the function sets": "from config import plain, settings; import config, helpers\n"
    "def build(u):\n    plain.units = settings['units'] = u\n    return config.plain.units, helpers.far()",
    "what the function sets after it was set": "from config import settings; settings['x'] = 1; import helpers\n"
    "def build(u):\n    settings['units'] = u\n    return settings['x'], helpers.far()",
    "a closure of a module's": "import config; config.UNITS = 64; f = config.makes()\n"
    "def build(u):\n    config.set_units(u)\n    return f(1), config.inner(2)",
    "a registry": "import plug, config; config.UNITS = 64\n"
    "def build(u): return sorted((n, f()) for n, f in config.table.items())",
    "by a name in quotes": "import config; config.UNITS = 64\ndef build(u): return getattr(config, 'UNITS')",
    "by a name put together": "import config; config.UNITS = 64\ndef build(u): return getattr(config, 'UN' + 'ITS')",
    "by its dict": "import config; config.UNITS = 64\ndef build(u): return vars(config)['UNITS'], config.__dict__['UNITS']",
    "held by an object": "import config; config.UNITS = 64\nclass A: pass\na = A(); a.c = config\ndef build(u): return a.c.UNITS",
    "deleted": "import config; del config.UNITS\ndef build(u): return hasattr(config, 'UNITS')",
    "its function": "import config; config.UNITS = 64\nfrom helpers import far\nimport functools\n"
    "def call(f, u): return f()\nbuild = functools.partial(call, far)",
    "a method of its object": "import config; config.UNITS = 64\nclass B:\n    def make(self, u): return config.UNITS\n"
    "build = B().make",
    "an array": "import config, numpy; config.UNITS = numpy.arange(64)\ndef build(u): return config.UNITS.tolist()",
    "what a module looks up itself": "import lookup; lookup.table['units'] = 64\ndef build(u): return lookup.units",
    "a context variable": "import lookup; lookup.var.set(64)\ndef build(u): return lookup.read()",
    "a cached function": "import lookup; lookup.cached.x = 64\ndef build(u): return lookup.cached(1)",
    "an overwritten property": "import lookup; lookup.made.slow = 64\ndef build(u): return lookup.made.slow",
    "nothing": "import config, further\ndef build(u): return further.far(), config.lock.locked(), config.open_file.name[-9:]",
    "a lock that is read": "import config\nfrom config import lock, open_file\n"
    "def build(u): return lock is config.lock, open_file.closed",
}


def forget():
    for name in FILES:
        sys.modules.pop(name.removesuffix("/__init__").replace("/", "."), None)
    importlib.invalidate_caches()


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    for name, text in FILES.items():
        (folder / f"{name}.py").parent.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-B", "-c", WORKER, str(folder)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield folder, process
        process.stdin.close()


@pytest.fixture
def there(worker, monkeypatch):
    """What a worker makes of a function."""
    folder, process = worker
    monkeypatch.syspath_prepend(folder)
    forget()
    before = set(sys.modules)

    def ask(function):
        freezer = Freezer(Terms(Function.of(function), {}, Path(), Path(), 1, None, 0.0, 32, 0))
        for _ in range(5):
            job = __import__("cloudpickle").dumps(freezer.terms())
            process.stdin.write(base64.b64encode(job).decode() + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            if "differ" not in answer:
                return answer.get("result", answer), freezer
            freezer.add(answer["differ"])
        raise AssertionError("they never agree")

    yield ask
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize("case", CASES)
def test_a_worker_has_what_the_notebook_has(there, case):
    build = run(CASES[case])["build"]
    found, freezer = there(build)
    assert found == json.loads(json.dumps([build(u) for u in (1, 2)]))
    assert not freezer.notes
    if case in ("nothing", "a lock that is read"):
        assert not freezer._changed


@pytest.mark.parametrize("case", [case for case, text in CASES.items() if "64" in text and "lock" not in case])
def test_what_was_set_is_in_the_fingerprint(tmp_path, monkeypatch, case):
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in FILES.items():
        (tmp_path / f"{name}.py").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(text.replace("open(__file__)", "0").replace("threading.Lock()", "0"))

    def hashed(value):
        forget()
        hashes, notes = contents({"f": {"f": run(CASES[case].replace("64", str(value)))["build"]}})
        assert not notes
        return hashes["f"]["f"]

    assert hashed(64) == hashed(64)
    assert len({hashed(value) for value in (64, 65, 66)}) == 3
