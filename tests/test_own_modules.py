"""What a notebook sets in the user's own modules reaches the workers, here and on a cluster, as `model.fit` has it."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest

from nbtune import tune
from tests.cases import cases
from tests.data.content.test_objects import run

FILES = {
    "own_config": "import threading\nUNITS = 4\nsettings = {'activation': 'relu'}\nlock = threading.Lock()\n"
    "class Rate:\n    value = 0.01\n    def __init__(self): self.seed = 0\nrate = Rate()\n",
    "own_blocks": "import keras\nimport own_config\n"
    "def block(): return keras.layers.Dense(own_config.UNITS, activation=own_config.settings['activation'])\n"
    "def last(): return keras.layers.Dense(3, activation='softmax')\n",
    "own_nets": "import keras\nimport own_blocks\nfrom own_config import Rate, rate\n"
    "def net(more):\n"
    "    hidden = keras.layers.Dense(more + rate.seed)\n"
    "    model = keras.Sequential([keras.Input((4,)), own_blocks.block(), hidden, own_blocks.last()])\n"
    "    model.compile(keras.optimizers.SGD(Rate.value), 'sparse_categorical_crossentropy', metrics=['accuracy'])\n"
    "    return model\n",
}
CELL = """
import own_config, own_nets, own_blocks
from own_config import settings
own_config.UNITS = 9
settings["activation"] = "tanh"
own_config.Rate.value = 0.3
own_config.rate.seed = 2
def sharp():
    import keras
    return keras.layers.Dense(3, activation="softmax", kernel_initializer="ones")
own_blocks.last = sharp
def build(units):
    return own_nets.net(units)
"""


@pytest.fixture
def modules(tmp_path, monkeypatch):
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    for name, text in FILES.items():
        (folder / f"{name}.py").write_text(text)
    importlib.invalidate_caches()
    yield folder
    for name in FILES:
        sys.modules.pop(name, None)


def by_fit(build, x, y, **values):
    import keras

    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    model = build(**values)
    keras.utils.set_random_seed(0)
    return model.fit(x, y, epochs=2, validation_data=(x, y), verbose=0).history


def assert_as_by_fit(search, build, flowers):
    for trial in search.trials:
        assert trial.status == "done", trial.error
        for name, values in by_fit(build, *flowers, **trial.values).items():
            np.testing.assert_allclose(trial.history[name], values, rtol=2e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("place", cases(["here", "on a cluster"], ["here"]))
def test_what_was_set_in_modules_reaches_the_workers(modules, flowers, here, place):
    build = run(CELL)["build"]
    grid = {"units": [3, 5], "epochs": 2, "patience": None, "validation_data": flowers, "dir": str(here), "engine": "trial"}
    if place == "here":
        search = tune(build, flowers, workers=1, **grid)
    else:
        distributed = pytest.importorskip("distributed")
        with distributed.LocalCluster(n_workers=1, dashboard_address=":0", silence_logs=50) as cluster:
            search = tune(build, flowers, dask=cluster, **grid)
    assert_as_by_fit(search, build, flowers)
    again = tune(build, flowers, workers=1, **grid)
    assert again.directory == search.directory, "nothing has changed"
    sys.modules["own_config"].rate.seed = 1
    other = tune(build, flowers, workers=1, plan=True, **grid)
    assert other.directory != search.directory


def test_what_cannot_be_sent_is_said(modules, flowers, here, capsys):
    cell = "import own_config\nown_config.lines = (i for i in range(3))\nfrom tests.conftest import dense\n"
    build = run(f"{cell}def build(units): return dense(units=units + hasattr(own_config, 'lines'))")["build"]
    tune(build, flowers, units=[3, 5], epochs=1, workers=1, dir=str(here), engine="trial")
    assert "own_config.lines, which was set in the notebook, is a generator and cannot be sent" in capsys.readouterr().err


def test_what_later_cells_change_is_for_the_next_search(modules, flowers, here):
    space = run(f"{CELL}\nMORE = 1\ndef build(units): return own_nets.net(units + MORE)")
    build, config = space["build"], sys.modules["own_config"]
    grid = {"units": [3, 5], "epochs": 2, "patience": None, "validation_data": flowers, "dir": str(here), "engine": "trial"}
    search = tune(build, flowers, workers=1, wait=False, **grid)
    space["MORE"], config.UNITS = 4, 2
    search.stop()
    search.resume()
    assert search.wait(120)
    space["MORE"], config.UNITS = 1, 9
    assert_as_by_fit(search, build, flowers)
