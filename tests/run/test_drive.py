"""Stacks whose worker dies, against a backend that says when."""

from __future__ import annotations

import os
from concurrent.futures import Future

from nbtune import tune
from nbtune.errors import BackendDied, WorkerDied
from nbtune.record.events import DONE, FAILED, TrialEnded, to_dict
from nbtune.record.progress import Trial
from nbtune.run.drive import drive
from tests.conftest import dense


class Kills:
    """A backend whose worker dies whenever a culprit is trained; trials before it in its stack have ended by then."""

    def __init__(self, culprits, refuses=(), error=WorkerDied):
        self.culprits, self.refuses, self.error = culprits, refuses, error
        self.asked, self.ended = [], {}

    def submit(self, task, job, timeout=None, /, **arguments):
        trials = list(arguments.get("trials", [arguments.get("trial")]))
        self.asked.append((tuple(trials), timeout))
        future = Future()
        for trial in trials:
            if trial in self.culprits:
                future.set_exception(self.error("killed"))
                return future
            if trial not in self.refuses or len(trials) == 1:
                self.take(TrialEnded(trial, DONE, 0.5, 1, {"loss": [1.0]}))
        ends = [to_dict(self.ended[trial]) for trial in trials if trial in self.ended]
        future.set_result({"ended": ends, "refused": {}} if "trials" in arguments else ends[0])
        return future

    def take(self, event):
        self.ended.setdefault(event.trial, event)


def driven(backend, stacks, retries=0, timeout=None):
    work = [[Trial(id, {}) for id in stack] for stack in stacks]
    drive(backend, None, work, 1, retries, timeout, backend.take, backend.ended.__contains__)
    return {trial: end.status for trial, end in sorted(backend.ended.items())}


def test_a_stack_is_halved_until_the_culprit_stands_alone():
    backend = Kills({"c"})
    assert driven(backend, ["abcdefgh"]) == {**dict.fromkeys("abdefgh", DONE), "c": FAILED}
    assert [trials for trials, _ in backend.asked] == [tuple("abcdefgh"), tuple("cde"), tuple("fgh"), tuple("c"), tuple("de")]


def test_only_a_trial_alone_uses_up_its_retries():
    backend = Kills({"b"})
    assert driven(backend, ["abcd"], retries=2)["b"] == FAILED
    assert [trials for trials, _ in backend.asked].count(("b",)) == 3


def test_what_a_stack_refuses_is_trained_trial_by_trial():
    backend = Kills(set(), refuses={"b", "c"})
    assert driven(backend, ["abc"]) == dict.fromkeys("abc", DONE)
    assert [trials for trials, _ in backend.asked] == [("a", "b", "c"), ("b",), ("c",)]


def test_a_stack_has_the_seconds_of_its_trials():
    backend = Kills(set())
    driven(backend, ["abc", "d"], timeout=10)
    assert [timeout for _, timeout in backend.asked] == [30, 10]


def test_an_engine_that_died_is_for_the_caller():
    for stacks in ["ab"], ["a"]:
        backend = Kills({"a"}, error=BackendDied)
        try:
            driven(backend, stacks)
        except BackendDied:
            continue
        raise AssertionError("it has to be raised")


def deadly(learning_rate):
    if learning_rate == 0.02:
        os.kill(os.getpid(), 9)
    return dense()


def test_a_real_worker_that_dies_over_a_stack_costs_one_trial(flowers, here):
    rates = [0.01, 0.02, 0.03, 0.04]
    search = tune(deadly, flowers, learning_rate=rates, epochs=2, workers=1, retries=0, engine="fused", dir=str(here))
    assert [trial.status for trial in search.trials] == [DONE, FAILED, DONE, DONE]
    assert "SIGKILL" in search.trials[1].error
