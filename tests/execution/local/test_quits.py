"""Functions that end their process, or keep it from ending: each costs its own trial, and the search goes on."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from nbtune import UsageError, tune
from tests.conftest import dense


def stay(is_here=None):
    """As a child that a function has forked and forgotten."""
    Path(f"child-{os.getpid()}").touch()
    if is_here:
        os.write(is_here, b"!")
    time.sleep(600)
    os._exit(0)


def detach(twice):
    """Forks a child that no longer belongs to its worker's group; `twice`: nor has it a parent."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if twice and os.fork():
            os._exit(0)
        stay(writing)
    os.read(reading, 1)


def replace_the_files():
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3, 256):
        os.dup2(nothing, number)


ENDS = {
    "sys.exit": lambda: sys.exit(),
    "sys.exit with a word": lambda: sys.exit("enough"),
    "quit": lambda: exec("raise SystemExit(3)"),
    "interrupt": lambda: exec("raise KeyboardInterrupt"),
    "generator": lambda: exec("raise GeneratorExit"),
    "its own": lambda: exec("class Own(BaseException): pass\nraise Own('enough')"),
    "a group": lambda: exec("raise BaseExceptionGroup('all', [SystemExit()])"),
    "exit now": lambda: os._exit(0),
    "exit with a code": lambda: os._exit(255),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "kill the group": lambda: os.killpg(0, signal.SIGKILL),
    "terminate": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "abort": os.abort,
    "without streams": lambda: exec("sys.stdout = sys.stderr = None\nraise ValueError('in the dark')"),
    "close the files": lambda: os.closerange(3, 1000),
    "replace the files": replace_the_files,
    "thread": lambda: threading.Thread(target=time.sleep, args=[1000], daemon=False).start(),
    "halt itself": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "another program": lambda: os.execv("/bin/sleep", ["sleep", "600"]),
    "child": lambda: os.fork() == 0 and stay(),
    "child in a session of its own": lambda: detach(twice=False),
    "grandchild": lambda: detach(twice=True),
    "child that trains on": lambda: os.fork() and time.sleep(2),
    "child, then exit": lambda: (os.fork() == 0 and stay()) or os._exit(0),
    "nothing": lambda: None,
}
HARMLESS = {"thread", "halt itself", "child", "child in a session of its own", "grandchild", "child that trains on", "nothing"}
WORDS = {
    "sys.exit": "sys.exit() ends the trial, and nothing else",
    "sys.exit with a word": "SystemExit: enough",
    "interrupt": "raising KeyboardInterrupt ends the trial",
    "its own": "raising Own ends the trial",
    "generator": "raising GeneratorExit ends the trial",
    "exit now": "ended with exit code 0: the function, or what it calls, must not end its process",
    "exit with a code": "exit code 255",
    "kill": "SIGKILL",
    "terminate": "SIGTERM",
    "abort": "SIGABRT",
    "without streams": "ValueError: in the dark",
    "another program": "closed its line",
    "replace the files": "must not end its process, or close its files",
}


def build(how):
    ENDS[how]()
    return dense()


def test_each_costs_its_own_trial(flowers, here):
    ways = ["nothing", *(way for way in ENDS if way != "nothing")]
    began = time.monotonic()
    terms = {"epochs": 1, "workers": 2, "retries": 0, "dir": str(here)}
    search = tune(build, flowers, axis={"how": ways}, **terms)
    assert search.state == "finished"
    found = {trial.values["how"]: trial for trial in search.trials}
    assert {way for way, trial in found.items() if trial.status == "done"} == HARMLESS
    assert {way for way, trial in found.items() if trial.status == "failed"} == set(ENDS) - HARMLESS
    assert len({tuple(found[way].history["loss"]) for way in HARMLESS}) == 1, "no copy has a say"
    for way, words in WORDS.items():
        assert words in found[way].error
    assert "ENDS[how]()" in found["sys.exit"].error, "the user's own line"
    assert time.monotonic() - began < 150
    children = [int(file.name.partition("-")[2]) for file in here.glob("child-*")]
    assert len(children) == 4
    psutil.wait_procs([psutil.Process(child) for child in children if psutil.pid_exists(child)], timeout=5)
    assert not any(psutil.pid_exists(child) for child in children), "what a trial has started ends with its worker"


def fork_server():
    return psutil.Process(os.getppid())


OTHERS = {
    "kill the others": lambda: [each.kill() for each in fork_server().children() if each.pid != os.getpid()],
    "kill the others, and itself": lambda: [each.kill() for each in fork_server().children()] and time.sleep(60),
    "kill the fork server": lambda: fork_server().kill(),
    "kill the supervisor": lambda: fork_server().parent().kill(),
    "halt the fork server": lambda: fork_server().suspend(),
    "halt the supervisor": lambda: fork_server().parent().suspend(),
    "empty the temporary folder": lambda: shutil.rmtree(tempfile.gettempdir()),
    "terminate the supervisor's": lambda: [each.terminate() for each in fork_server().parent().children(recursive=True)],
    **{f"nothing {number}": lambda: time.sleep(1) for number in range(4)},
}


def among_others(how):
    OTHERS[how]()
    return dense()


@pytest.mark.slow
def test_who_kills_others_costs_them_nothing(flowers, here):
    search = tune(among_others, flowers, axis={"how": list(OTHERS)}, epochs=2, workers=2, retries=0, dir=str(here))
    assert search.state == "finished"
    found = {trial.values["how"]: trial for trial in search.trials}
    innocent = {"kill the others", *(how for how in OTHERS if how.startswith(("nothing", "halt")))}
    assert {how for how, trial in found.items() if trial.status == "done"} == innocent
    assert "SIGKILL" in found["kill the others, and itself"].error
    assert "the worker processes ended" in found["kill the supervisor"].error


def kills_in_the_first_look(units):
    if units == 8:
        fork_server().kill()
    return dense(units=units)


@pytest.mark.parametrize("units", [[4, 8, 12], pytest.param([8, 4, 12], marks=pytest.mark.slow)], ids=["in the middle", "first"])
def test_who_ends_all_workers_in_the_first_look_fails_alone(flowers, here, units):
    search = tune(kills_in_the_first_look, flowers, units=units, epochs=1, workers=2, retries=0, dir=str(here))
    assert {trial.values["units"]: trial.status for trial in search.trials} == {4: "done", 8: "failed", 12: "done"}


def test_who_is_killed_from_outside_is_not_charged(flowers, here):
    search = tune(dense, flowers, units=[4, 8, 12], epochs=300, patience=None, workers=2, retries=0, wait=False, dir=str(here))
    for only_workers in (True, False):
        until = time.monotonic() + 60
        while not any(trial.status == "running" and trial.epochs for trial in search.trials) and time.monotonic() < until:
            time.sleep(0.05)
        for process in psutil.Process().children()[0].children(recursive=True):
            if not only_workers or process.memory_info().rss > 300e6:
                process.kill()
    search.wait()
    assert [trial.status for trial in search.trials] == ["done"] * 3


def exits(units):
    sys.exit("not today")


def test_one_that_always_ends_its_process_is_refused_with_its_line(flowers, here):
    with pytest.raises(UsageError, match="not today") as caught:
        tune(exits, flowers, units=[4, 8], workers=1, dir=str(here))
    assert 'sys.exit("not today")' in str(caught.value)
    assert not list(here.iterdir())


def sleeps(units):
    time.sleep(1000)


def test_the_first_look_has_a_time_limit_too(flowers, here):
    began = time.monotonic()
    with pytest.raises(UsageError, match="longer than 3 s"):
        tune(sleeps, flowers, units=[4, 8], workers=1, trial_timeout=3, dir=str(here))
    assert time.monotonic() - began < 40
    assert not list(here.iterdir())


def test_without_workers_they_cost_a_trial_as_well(flowers, here):
    search = tune(build, flowers, axis={"how": ["nothing", "sys.exit", "generator"]}, epochs=1, workers=0, dir=str(here))
    assert [trial.status for trial in search.trials] == ["done", "failed", "failed"]
