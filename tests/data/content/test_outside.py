"""Files and environment variables that the code reads count with what is in them; what shows only when it runs is said."""

from __future__ import annotations

import os

import pytest

from nbtune.data.content.objects import Contents, NoFingerprint
from tests.data.content.test_objects import run

READS_A_FILE = {
    "a literal": "def build(): return open('w.txt').read()",
    "a global": "P = 'w.txt'\ndef build():\n    with open(P) as file: return file.read()",
    "a path": "from pathlib import Path\nP = Path('w.txt')\ndef build(): return P.read_text()",
    "a path made in the function": "def build():\n    from pathlib import Path\n    return (Path('.') / 'w.txt').open().read()",
    "a path in a folder": "from pathlib import Path\nD = Path('d')\ndef build():\n    p = D / 'w.txt'\n    return p.read_text()",
    "joined": "import os\nD = 'd'\ndef build(): return open(os.path.join(D, 'w.txt'))",
    "an f-string": "N = 'w'\ndef build(): return open(f'{N}.txt')",
    "a local variable": "def build():\n    p = 'w'\n    q = p + '.txt'\n    return open(q)",
    "NumPy": "import numpy as np\ndef build(): return np.loadtxt('w.txt')",
    "pandas by keyword": "def build():\n    import pandas as pd\n    return pd.read_csv(filepath_or_buffer='w.txt')",
    "an imported reader": "from numpy import loadtxt\ndef build(): return loadtxt('w.txt')",
    "JSON": "import json\ndef build(): return json.load(open('w.txt'))",
    "weights": "def build(model=None): model.load_weights('w.txt')",
    "a vocabulary": "def build(layers=None): return layers.TextVectorization(vocabulary='w.txt')",
    "HDF5": "def build(h5py=None): return h5py.File('w.txt', 'r')",
    "a helper": "def load(path): return open(path).read()\ndef build(): return load('w.txt')",
    "a default": "def load(path='w.txt'): return open(path).read()\ndef build(): return load()",
    "an attribute": "class C: pass\nc = C()\nc.path = 'w.txt'\ndef build(): return open(c.path)",
    "a method's own": "class B:\n    def __init__(s): s.p = 'w.txt'\n    def make(s): return open(s.p)\nbuild = B().make",
    "one of a list": "ALL = [f'{i}.txt' for i in range(20)] + ['w.txt']\ndef build(): return [open(p) for p in ALL]",
    "a folder": "import os\ndef build(): return [open('d/' + name) for name in os.listdir('d')]",
    "a variable's": "import os\nos.environ['OWN_FILE'] = 'w.txt'\ndef build(): return open(os.environ['OWN_FILE'])",
    "each file of a folder": (
        "from pathlib import Path\ndef read(path): return path.read_bytes()\n"
        "def build(): return [read(path) for path in Path('d').glob('*.txt')]"
    ),
    "a pattern": "import glob\ndef build():\n    for name in sorted(glob.glob('d/*.txt')): open(name)",
    "an open file": "import numpy as np\ndef build():\n    with open('w.txt', 'rb') as file: return np.load(file)",
    "a program": "import runpy\ndef build(): return runpy.run_path('w.txt')",
    "settings": "import configparser\ndef build(): return configparser.ConfigParser().read('w.txt')",
    "several": "import configparser\ndef build(): return configparser.ConfigParser().read(['d/none.txt', 'w.txt'])",
    "lines": "import linecache\ndef build(): return linecache.getline('w.txt', 1)",
    "lines of all files": "import fileinput\ndef build(): return list(fileinput.input('w.txt'))",
    "a database": "import sqlite3\ndef build(): return sqlite3.connect('w.txt')",
    "XML": "from xml.etree import ElementTree as ET\ndef build(): return ET.parse('w.txt')",
    "a module at its import": "def build():\n    import own_reader",
    "a module's function": "def build():\n    import own_reader\n    return own_reader.f()",
}


def hashed(text):
    """What is known of a function, with what it reads."""
    contents = Contents()
    return contents(run(text)["build"]), contents.outside()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OWN_FILE", "nothing")
    (tmp_path / "d").mkdir()
    return tmp_path


def fill(text):
    for name in ("w.txt", "d/w.txt"):
        with open(name, "w") as file:
            file.write(text)


@pytest.mark.parametrize("way", READS_A_FILE)
def test_a_file_that_is_read_counts(here, own, way):
    reads = "P = 'w.txt'\ndef f(): return open(P)\n" if "function" in way else "X = open('w.txt').read()"
    own(own_reader=reads)
    fill("1")
    before = hashed(READS_A_FILE[way])
    os.utime("w.txt", (0, 0))
    assert hashed(READS_A_FILE[way]) == before
    fill("22")
    after = hashed(READS_A_FILE[way])
    assert after[1] != before[1]
    assert after[0] == before[0], "so that it can be named"


@pytest.mark.parametrize(
    "text",
    [
        "def build(): open('w.txt', 'w').write('x')",
        "def build():\n    with open('w.txt', mode='ab') as file: file.write(b'x')",
        "from pathlib import Path\ndef build(): Path('w.txt').open('w').write('x')",
        "from pathlib import Path\ndef build(): Path('w.txt').write_text('x')",
        "def build(keras=None): keras.utils.plot_model(None, 'w.txt')",
        "def build(): return 'w.txt'",
        "import os\ndef build():\n    os.environ['OWN_OTHER'] = 'w.txt'\n    os.environ.update(A='1')",
        "def build(parse=str): return parse('w.txt')",
        "from own_reader import f\ndef build(): return f()",
        "import io, pandas as pd\ndef build(): return pd.read_csv(io.StringIO('a,b'))",
        "import json\ndef build(path): return json.loads(path), json.load(path)",
    ],
)
def test_a_file_that_is_not_read_does_not_count(here, own, text):
    own(own_reader="def f(): return 1\ndef load(path): return open(path).read()")
    fill("1")
    before = hashed(text)
    fill("22")
    assert hashed(text) == before


@pytest.mark.parametrize(
    "text",
    [
        "import os\ndef build(): return os.environ['OWN_FILE']",
        "import os\ndef build(): return os.environ.get('OWN_FILE', 3)",
        "import os\nNAME = 'OWN_FILE'\ndef build(): return os.getenv(NAME)",
        "from os import environ\ndef build(): return environ['OWN_FILE']",
        "def build():\n    from os import getenv\n    return getenv('OWN_FILE')",
        "import os\ndef build(): return 'OWN_FILE' in os.environ",
        "import os\nENV = os.environ\ndef build(): return ENV['OWN_FILE']",
        "import os\ndef build():\n    env = os.environ\n    return env.get('OWN_FILE')",
        "import os\ndef build(): return os.path.expandvars('${OWN_FILE}/x')",
    ],
)
def test_an_environment_variable_counts(here, monkeypatch, text):
    before = hashed(text)
    monkeypatch.setenv("OWN_OTHER", "1")
    assert hashed(text) == before
    monkeypatch.delenv("OWN_FILE")
    assert hashed(text) != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def build(units): return open(f'{units}.txt')", "open(f'{units}.txt')"),
        ("def build(path): return open(path)", "open(path)"),
        ("def build(u):\n    open('w.txt')\n    return open(u)", "open(u)"),
        ("import numpy as np\ndef build(path): return np.load(path)", "np.load(path)"),
        ("import os\ndef build(): return {name: os.environ[name] for name in 'ab'}", "os.environ[name]"),
        ("import os\ndef build(): return dict(os.environ)", "dict(os.environ)"),
        ("import os\ndef build(): return {**os.environ}", "{**os.environ}"),
        ("import os\ndef build(path): return os.path.expandvars(path)", "os.path.expandvars(path)"),
        ("import subprocess\ndef build(): return subprocess.check_output(['date'])", "subprocess.check_output(['date'])"),
        ("import pkgutil\ndef build(): return pkgutil.get_data('own_reader', 'w.txt')", "get_data('own_reader', 'w.txt')"),
        ("def build(kind):\n    import importlib\n    return importlib.import_module(kind)", "import_module(kind)"),
        ("def build(): return eval('1')", "eval('1')"),
        ("def build():\n    import own_reader\n    return own_reader.f('a')", "open(path)"),
    ],
)
def test_what_shows_only_when_it_runs_is_said(here, own, text, said):
    own(own_reader="def f(path): return open(path)")
    fill("1")
    with pytest.raises(NoFingerprint, match="shows only when it runs") as error:
        hashed(text)
    assert said in str(error.value)


def test_what_is_no_file_is_said(here):
    os.mkfifo("w.txt")
    with pytest.raises(NoFingerprint, match=r"w\.txt is neither a file nor a folder"):
        hashed(READS_A_FILE["a literal"])


@pytest.mark.parametrize("name", ["numpy.random.normal", "random.random", "scipy.stats.norm(0, 1).rvs"])
def test_the_state_of_random_numbers_does_not_count(name):
    """Each trial seeds it, as `model.fit` under `keras.utils.set_random_seed` has it."""
    top = name.partition("(")[0].rpartition(".")[0]
    text = f"import {top}, numpy, random\ndraw = {name}\ndef build(): return draw()"
    before = hashed(text)
    run("import numpy, random\nnumpy.random.normal()\nrandom.random()")
    assert hashed(text) == before


def test_a_module_that_is_imported_by_a_variable_counts(own):
    text = "import importlib\nNAME = 'own_reader'\ndef build(): return importlib.import_module(NAME).X"
    own(own_reader="X = 1")
    before = hashed(text)
    own(own_reader="X = 2")
    assert hashed(text) != before


def test_the_folder_that_we_are_in_is_said(here):
    with pytest.raises(NoFingerprint, match=r"all of \., where the search itself writes"):
        hashed("import os\ndef build(): return os.listdir('.')")
