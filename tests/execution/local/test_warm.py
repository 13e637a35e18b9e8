"""Workers that are ready before they are needed, and those that nobody needed."""

from __future__ import annotations

import ast
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from nbtune import costs, machine
from nbtune.ask.options import Options
from nbtune.errors import UsageError
from nbtune.execution.local import bootstrap
from nbtune.execution.local.parent import Parent
from nbtune.execution.local.warm import SupervisorProcess, WarmPool, reserve
from nbtune.launch import launch
from nbtune.run.request import Request
from tests.conftest import dense, workers


@pytest.fixture
def pool():
    """One whose `SupervisorProcess` is ended after the test."""
    made = WarmPool()
    yield made
    if made._ready:
        made._ready.end()


def is_over(pid, folder):
    """Whether a process ends within some seconds, and leaves nothing."""
    until = time.monotonic() + 20
    while time.monotonic() < until and (psutil.pid_exists(pid) or folder.exists()):
        time.sleep(0.1)
    return not psutil.pid_exists(pid) and not folder.exists()


def test_what_is_in_reserve_is_taken_once(pool):
    pool.refill()
    ready = pool._ready
    pool.refill()
    assert pool._ready is ready, "one is enough"
    assert pool.held_mb() == costs.SHARED_MB
    assert pool.take() is ready
    assert pool.held_mb() == 0
    other = pool.take()
    assert other is not ready
    for start in (ready, other):
        start.end()
        assert is_over(start.process.pid, start.scratch)


def test_a_pool_that_keeps_none_ends_the_one_that_waits(pool):
    pool.refill()
    ready = pool._ready
    pool.keep(False)
    assert is_over(ready.process.pid, ready.scratch)
    pool.refill()
    assert pool._ready is None
    pool.keep(True)
    pool.refill()
    assert pool._ready is not None


def test_tensorflow_that_was_imported_otherwise_is_not_used(pool, monkeypatch):
    pool.refill()
    before = pool._ready
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    start = pool.take()
    assert start is not before
    assert start.fits()
    assert is_over(before.process.pid, before.scratch)
    start.end()


def test_importing_scikit_learn_meanwhile_is_no_reason_to_import_tensorflow_anew(pool, monkeypatch):
    for name in ("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"):
        monkeypatch.delenv(name, raising=False)
    pool.refill()
    before = pool._ready
    importing = "import os; old = dict(os.environ); import sklearn; print(dict(os.environ.items() - old.items()))"
    done = subprocess.run([sys.executable, "-c", importing], capture_output=True, text=True, check=True)
    for name, value in ast.literal_eval(done.stdout).items():
        monkeypatch.setenv(name, value)
    start = pool.take()
    start.end()
    assert start is before


def test_one_that_has_ended_is_replaced(pool):
    pool.refill()
    before = pool._ready
    before.process.kill()
    before.process.wait()
    pool.refill()
    assert pool._ready is not before
    assert pool._ready.fits()


def test_none_is_kept_where_memory_is_short(pool, monkeypatch):
    monkeypatch.setattr(machine, "memory_mb", lambda: 1000.0)
    pool.refill()
    assert pool._ready is None


@pytest.mark.parametrize(
    ("system", "processor", "package"),
    [
        ("linux", "x86_64", "tensorflow-cpu"),
        ("win32", "AMD64", "tensorflow-cpu"),
        ("darwin", "x86_64", "tensorflow"),
        ("linux", "aarch64", "tensorflow"),
    ],
)
def test_where_there_is_no_tensorflow_a_package_that_exists_is_named(system, processor, package, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: processor)
    with pytest.raises(UsageError, match=rf"^TensorFlow is not installed; run %pip install {package}, or"):
        SupervisorProcess()


def test_a_supervisor_waits_for_its_work_only_so_long(monkeypatch):
    reading, writing = os.pipe()
    monkeypatch.setattr(bootstrap, "SECONDS_IN_RESERVE", 0.1)
    with os.fdopen(reading) as line:
        monkeypatch.setattr(sys, "stdin", line)
        assert bootstrap._settings(Parent()) is None
        os.write(writing, b'{"workers": 2}\n')
        assert bootstrap._settings(Parent()) == {"workers": 2}
        os.close(writing)
        assert bootstrap._settings(Parent()) is None, "the kernel is gone"


@pytest.mark.parametrize("halted", [False, pytest.param(True, marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux"))])
def test_none_survives_a_kernel_that_is_killed(halted):
    code = """
import os, psutil, signal, sys
from nbtune.execution.local.warm import SupervisorProcess

start = SupervisorProcess()
if sys.argv[1] == "True":
    while not psutil.Process(start.process.pid).children():  # its own process that workers are forked from
        pass
    start.process.send_signal(signal.SIGSTOP)
print(start.process.pid, start.scratch, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code, str(halted)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    pid, folder = done.stdout.split()
    assert is_over(int(pid), Path(folder))


def build(units):
    """Only where the kernel is by now."""
    import helper_of_a_later_folder

    print("a word in the log")
    assert os.environ["SET_LATER"] == "yes"
    assert "UNSET_LATER" not in os.environ
    assert Path("here.txt").exists()
    return dense(units=helper_of_a_later_folder.UNITS * units)


def test_a_search_finds_everything_as_it_is_when_it_begins(pool, flowers, tmp_path, monkeypatch):
    monkeypatch.setenv("UNSET_LATER", "yes")
    pool.refill()
    ready = pool._ready
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "helper_of_a_later_folder.py").write_text("UNITS = 2")
    (tmp_path / "here.txt").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "later")
    monkeypatch.setenv("SET_LATER", "yes")
    monkeypatch.delenv("UNSET_LATER")
    options = Options.of(build=build, data=flowers, units=[4], epochs=1, workers=1, engine="trial")
    taken = []
    search = launch(Request.of(options), "search", pool, lambda search: taken.append(pool._ready))
    assert taken == [None]
    search.wait()
    assert search.coverage.done == 1, search.trials[0].error
    assert "a word in the log" in (search.directory / "workers.log").read_text()
    assert pool._ready is ready, "it is there for the next one"
    assert ready.fits()


def test_one_search_after_another_has_the_same_supervisor_and_nothing_else_in_common(flowers, tmp_path):
    def ask(units):
        os.environ["SET_IN_A_WORKER"] = "yes"
        return dense(units=units)

    pool, seen = WarmPool(ahead=False), []
    try:
        for name in ("first", "second"):
            options = Options.of(build=ask, data=flowers, units=[4, 8], epochs=1, workers=2, engine="trial", dir=str(tmp_path))
            search = launch(Request.of(options), name, pool, lambda search: seen.append(search._run.crew._site.scratch))
            search.wait()
            assert search.coverage.done == 2
            supervisor = pool._ready
            seen.append(supervisor)
            assert workers() == []
        (first, one), (second, other) = seen[:2], seen[2:]
        assert one is other
        assert first != second
        assert not first.exists(), "the data of a search goes with it"
        assert list(supervisor.scratch.rglob("*")) == [supervisor.scratch / "tmp"]
        assert "second" not in (tmp_path / "first" / "workers.log").read_text()
    finally:
        pool.keep(False)


def test_a_search_that_is_stopped_while_it_is_paused_gives_its_supervisor_back(flowers, here):
    pool = WarmPool(ahead=False)
    options = Options.of(build=dense, data=flowers, units=[4, 8], epochs=3000, patience=None, workers=2, engine="trial")
    search = launch(Request.of(options), "search", pool)
    wait_for(lambda: search.best_so_far)
    search.pause()
    search.stop()
    taken = pool._ready
    assert taken is not None
    options = Options.of(build=dense, data=flowers, units=[4, 8], epochs=1, workers=2, engine="trial")
    again = launch(Request.of(options), "again", pool)
    again.wait()
    assert again.coverage.done == 2
    assert pool._ready is taken
    pool.keep(False)


def test_one_that_is_forked_from_the_kernel_has_workers_of_its_own(pool):
    pool.refill()
    ready = pool._ready
    number = os.fork()
    if number == 0:
        taken = pool.take()
        fine = taken is not ready and psutil.pid_exists(ready.process.pid)
        taken.end()
        os._exit(0 if fine else 1)
    assert os.waitpid(number, 0)[1] == 0
    assert pool.take() is ready
    assert ready.process.poll() is None
    ready.end()


def test_this_process_has_one_reserve_and_none_where_that_is_not_wanted(nothing_in_reserve):
    assert reserve() is reserve()
    taken = reserve().take()
    reserve().give_back(taken)
    assert is_over(taken.process.pid, taken.scratch)


def wait_for(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_a_supervisor_says_before_it_knows_its_log_is_kept():
    start = SupervisorProcess()
    start.process.stdin.write("this is not JSON\n")
    start.process.stdin.close()
    start.process.wait(30)
    assert "JSONDecodeError" in start.words()
    start.end()
