"""Stacks whose worker dies, against a backend that says when."""

from __future__ import annotations

import itertools
import os
from concurrent.futures import Future

import pytest

from nbtune import tune
from nbtune.errors import BackendDied, WorkerDied
from nbtune.record.events import DONE, FAILED, TrialEnded, to_dict
from nbtune.run.schedule import AHEAD, Outcome, Schedule, outcome_of
from tests.conftest import dense


class Kills:
    """A backend whose worker dies whenever a culprit is trained; trials before it in its stack have ended by then."""

    def __init__(self, culprits, refuses=(), error=WorkerDied):
        self.culprits, self.refuses, self.error = culprits, refuses, error
        self.asked, self.ended = [], {}

    def train(self, trials):
        self.asked.append("".join(trials))
        future = Future()
        for trial in trials:
            if trial in self.culprits:
                future.set_exception(self.error("killed"))
                return future
            if trial not in self.refuses or len(trials) == 1:
                self.take(TrialEnded(trial, DONE, 0.5, 1, {"loss": [1.0]}))
        ends = [to_dict(self.ended[trial]) for trial in trials if trial in self.ended]
        future.set_result({"ended": ends, "refused": {}} if len(trials) > 1 else ends[0])
        return future

    def take(self, event):
        self.ended.setdefault(event.trial, event)


def driven(backend, stacks, retries=0):
    schedule = Schedule(stacks, lambda: 1, retries, backend.ended.__contains__)
    while not schedule.over:
        for stack in list(schedule.due()):
            for end in schedule.take(stack, outcome_of(backend.train(stack.trials))):
                backend.take(end)
    return {trial: end.status for trial, end in sorted(backend.ended.items())}


def test_a_stack_is_halved_until_the_culprit_stands_alone():
    backend = Kills({"c"})
    assert driven(backend, ["abcdefgh"]) == {**dict.fromkeys("abdefgh", DONE), "c": FAILED}
    assert backend.asked == ["abcdefgh", "cde", "fgh", "c", "de"]


def test_only_a_trial_alone_uses_up_its_retries():
    backend = Kills({"b"})
    assert driven(backend, ["abcd"], retries=2)["b"] == FAILED
    assert backend.asked.count("b") == 3


def test_what_a_stack_refuses_is_trained_trial_by_trial():
    backend = Kills(set(), refuses={"b", "c"})
    assert driven(backend, ["abc"]) == dict.fromkeys("abc", DONE)
    assert backend.asked == ["abc", "b", "c"]


def test_few_stacks_are_handed_out_ahead():
    schedule = Schedule(["a", "b", "c", "d", "e", "f"], lambda: 2, 0, bool)
    first = list(schedule.due())
    assert len(first) == 2 * AHEAD
    assert not list(schedule.due())
    schedule.take(first[0], outcome_of(Kills(set()).train("a")))
    assert [stack.trials for stack in schedule.due()] == ["e"]


def test_a_backend_that_died_is_for_the_caller():
    for stacks in ["ab"], ["a"]:
        with pytest.raises(BackendDied):
            driven(Kills({"a"}, error=BackendDied), stacks)


def test_a_fault_of_nbtune_costs_its_trial_and_is_called_one():
    backend = Kills({"b"}, error=RuntimeError)
    assert driven(backend, ["abc"]) == {"a": DONE, "b": FAILED, "c": DONE}
    assert "a fault of nbtune" in backend.ended["b"].error


def handed_out(schedule):
    return [("".join(stack.trials), stack.alone) for stack in schedule.due()]


def test_one_that_was_killed_beside_others_is_given_again_alone_and_last():
    schedule = Schedule(["a", "b", "c"], lambda: 1, 0, lambda trial: False)
    a, b = schedule.due()
    assert schedule.take(a, Outcome(died="SIGKILL", killed=True)) == []
    assert handed_out(schedule) == [("c", False)]
    schedule.take(b, Outcome([TrialEnded("b", DONE)]))
    assert handed_out(schedule) == [], "c is still under way"
    (c,) = schedule.under_way
    schedule.take(c, Outcome([TrialEnded("c", DONE)]))
    assert handed_out(schedule) == [("a", True)]
    (end,) = schedule.take(*schedule.under_way, Outcome(died="SIGKILL", killed=True))
    assert (end.trial, end.status) == ("a", FAILED)
    assert "again when there was nothing beside it" in end.error
    assert schedule.over


def test_over_whom_all_workers_die_is_found_and_costs_nobody_else():
    ended = {}
    stacks, left, deaths = ["a", "bcdef", "g", "h"], [], 0
    while len(ended) < 8:
        pending = [[trial for trial in stack if trial not in ended] for stack in stacks]
        schedule = Schedule(pending, lambda: 2, 0, ended.__contains__, again=left)
        while not schedule.over:
            due = [*schedule.under_way, *schedule.due()]
            stack = next((stack for stack in due if "e" in stack.trials), due[0])
            if "e" in stack.trials:
                ended.update({end.trial: end.status for end in schedule.bury(stack, "all died")})
                left, deaths = schedule.left, deaths + 1
                break
            ended.update(
                {end.trial: end.status for end in schedule.take(stack, Outcome([TrialEnded(t, DONE) for t in stack.trials]))}
            )
    assert ended == {**dict.fromkeys("abcdfgh", DONE), "e": FAILED}
    assert deaths == 5, "with others, alone, in a half, in a quarter, by itself"


def deadly(learning_rate):
    if learning_rate == 0.02:
        os.kill(os.getpid(), 9)
    return dense()


def test_a_real_worker_that_dies_over_a_stack_costs_one_trial(flowers, here):
    rates = [0.01, 0.02, 0.03, 0.04]
    search = tune(deadly, flowers, learning_rate=rates, epochs=2, workers=1, retries=0, engine="fused", dir=str(here))
    assert [trial.status for trial in search.trials] == [DONE, FAILED, DONE, DONE]
    assert "SIGKILL" in search.trials[1].error


def test_stacks_are_made_as_they_are_due():
    """A million of them would hold up a stop."""
    read = []
    work = ([read.append(i) or str(i)] for i in itertools.count())
    schedule = Schedule(work, lambda: 2, 0, lambda trial: False)
    due = list(schedule.due())
    assert [stack.trials for stack in due] == [["0"], ["1"], ["2"], ["3"]]
    assert len(read) == 5
    assert not schedule.over


def test_a_trial_of_many_runs_is_a_stack_until_that_is_refused_or_kills_its_worker():
    for outcome in (Outcome(), Outcome(died="killed")):
        schedule = Schedule([["a"], ["b", "c"]], lambda: 1, 0, lambda trial: False, one_is_a_stack=True)
        first, second = schedule.due()
        assert first.together
        assert second.together
        assert schedule.take(first, outcome) == []
        assert schedule.take(second, Outcome()) == []
        again = list(schedule.due())
        assert [stack.trials for stack in again] == [["a"], ["b"]]
        assert not any(stack.together for stack in again)
        assert schedule.take(again[0], Outcome(died="killed"))[0].status == "failed"
