import os
import shlex
import subprocess
import sys

import pytest
import tensorflow as tf

from nbtune.training.private import xlacache

SEARCH = """
import nbtune, numpy as np
rng = np.random.default_rng(0)
y = np.repeat([0, 1], 100)
x = (rng.normal(size=(200, 4)) + y[:, None]).astype("float32")

def build(units):
    import keras
    hidden = [keras.layers.Dense(units), keras.layers.BatchNormalization(), keras.layers.ReLU()]
    return keras.Sequential([keras.Input((4,)), *hidden, keras.layers.Dense(2, "softmax")])

options = {"units": [4], "learning_rate": [0.01, 0.003, 0.001], "epochs": 3, "workers": 1, "engine": "fused", "fresh": True}
search = nbtune.tune(build, (x, y), **options)
print([trial.history for trial in search.trials])
assert "one by one" not in (search.directory / "workers.log").read_text()
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user who has no cache yet."""
    monkeypatch.setattr(xlacache, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.delenv("TF_XLA_FLAGS", raising=False)
    return tmp_path


def folder_in(flags):
    return next(part.split("=")[1] for part in shlex.split(flags) if part.startswith("--tf_xla_persistent_cache_directory="))


def test_the_folder_is_the_users_own(home):
    folder = folder_in(xlacache.environment()["TF_XLA_FLAGS"])
    assert folder.startswith(str(home))
    assert os.stat(folder).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", ["nbtune", "nbtune/xla"])
def test_a_folder_that_others_may_write_to_is_closed(home, place):
    (home / "nbtune" / "xla").mkdir(parents=True)
    (home / place).chmod(0o777)
    assert xlacache.environment()
    assert os.stat(home / place).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", ["nbtune", "nbtune/xla"])
def test_what_somebody_else_has_put_there_is_not_run(home, place, monkeypatch):
    (home / "elsewhere").mkdir()
    (home / place).parent.mkdir(exist_ok=True)
    (home / place).symlink_to(home / "elsewhere")
    assert xlacache.environment() == {}
    (home / place).unlink()
    assert xlacache.environment()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert xlacache.environment() == {}


def test_other_machines_have_another_folder(home, monkeypatch):
    here = xlacache.environment()
    monkeypatch.setattr(xlacache, "_cpu", lambda: "flags: fpu sse")
    assert xlacache.environment() != here


def test_flags_that_are_set_are_kept(home, monkeypatch):
    monkeypatch.setenv("TF_XLA_FLAGS", "--tf_xla_auto_jit=0")
    assert xlacache.environment()["TF_XLA_FLAGS"].startswith("--tf_xla_auto_jit=0 ")
    monkeypatch.setenv("TF_XLA_FLAGS", "--tf_xla_persistent_cache_directory=/elsewhere")
    assert xlacache.environment() == {}


COMPILES = """
import tensorflow as tf
tf.function(lambda x: x @ x, jit_compile=True)(tf.ones((2, 2)))

import sys
from pathlib import Path
from nbtune.training.private import xlacache
print(len(list(Path(sys.argv[1]).rglob("*.pb"))))
xlacache.clear()
"""


def test_any_name_of_a_folder_will_do(home, monkeypatch):
    name = """Jane's "home" back\\slash"""
    monkeypatch.setattr(xlacache, "user_cache_path", lambda app: home / name / app)
    flags = xlacache.environment()
    command = [sys.executable, "-c", COMPILES, str(home / name)]
    environment = {**os.environ, **flags, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "1", "what was compiled lies there"
    assert not list((home / name).rglob("*.pb")), "and can be removed"


def test_without_a_folder_there_is_no_cache(home, monkeypatch):
    (home / "nbtune").write_text("in the way")
    assert xlacache.environment() == {}


def test_the_oldest_entries_make_room(home, monkeypatch):
    folder = home / "nbtune" / "xla" / "other"
    folder.mkdir(parents=True)
    for i in range(5):
        path = folder / f"xla_compile_cache__{i}.pb"
        path.write_bytes(bytes(100))
        os.utime(path, (i, i))
    monkeypatch.setattr(xlacache, "MOST_BYTES", 250)
    xlacache.environment()
    assert sorted(path.name for path in folder.iterdir()) == ["xla_compile_cache__3.pb", "xla_compile_cache__4.pb"]


def test_a_second_run_compiles_nothing_and_damage_costs_nothing_but_time(tmp_path):
    def run():
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)}
        environment.pop("TF_XLA_FLAGS", None)
        command = [sys.executable, "-c", SEARCH]
        out = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
        return out, {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.pb")}

    first, entries = run()
    assert entries
    assert run() == (first, entries)
    for path in entries:
        path.write_bytes(b"")
    again, anew = run()
    assert again == first
    assert all(path.stat().st_size for path in anew)


@pytest.mark.parametrize(
    ("error", "damaged"),
    [
        (tf.errors.InvalidArgumentError(None, None, "Serialized cache key does not match."), True),  # an empty file
        (tf.errors.OutOfRangeError(None, None, "Read less bytes than requested"), True),  # half of one
        (tf.errors.DataLossError(None, None, "Can't parse a.pb as binary proto"), True),
        (tf.errors.InvalidArgumentError(None, None, "TensorListReserve is not supported"), False),
    ],
)
def test_what_tensorflow_says_of_damage(error, damaged):
    assert xlacache.is_damaged(error) == damaged
