"""Every order of what can happen to a search, against a world that does what it is told and checks that it can."""

from __future__ import annotations

import re

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import booleans, integers

from nbtune.errors import UsageError
from nbtune.run import life
from nbtune.run.life import Life, step


class Search(RuleBasedStateMachine):
    """Three trials, in a folder that can be locked, trained by workers that come, stand still, die and go."""

    def __init__(self):
        super().__init__()
        self.life = Life()
        self.locked = False
        self.workers, self.halted, self.under_way = life.NONE, False, False
        self.shown, self.settled = life.PLANNED, 0
        self.left, self.stopped, self.failed = 3, 0, 0
        self.concluded = self.handing_in = False

    def happens(self, event):
        before = self.life
        self.life, instructions = step(self.life, event, complete=not self.left and not self.stopped)
        for instruction in instructions:
            getattr(self, "do" + re.sub("(?=[A-Z])", "_", type(instruction).__name__).lower())(instruction)
        if self.concluded:
            self.concluded = False
            self.happens(life.AllDone())
        return before, instructions

    # ---- the world

    def do_acquire(self, _):
        assert not self.locked
        self.locked = True

    def do_reopen(self, what):
        if what.failed:
            self.left, self.failed = self.left + self.failed, 0
        else:
            self.left, self.stopped = self.left + self.stopped, 0

    def do_announce(self, what):
        self.shown = what.state

    def do_hire(self, _):
        assert self.locked
        assert self.workers == life.NONE, "nobody is hired twice"
        self.workers, self.halted = life.COMING, False

    def do_hand_out(self, _):
        assert self.workers == life.HERE
        assert not self.halted
        self.under_way, self.concluded = bool(self.left), not self.left

    def do_halt(self, _):
        assert self.workers == life.HERE
        self.halted = True

    def do_go_on(self, _):
        assert self.workers == life.HERE
        self.halted = False

    def do_finish_up(self, _):
        assert self.workers == life.HERE
        assert self.life.phase == life.STOPPING
        self.halted, self.handing_in = False, True

    def do_dismiss(self, _):
        assert self.workers != life.NONE
        self.workers, self.under_way, self.halted, self.handing_in = life.NONE, False, False, False

    def do_give_up(self, _):
        self.left, self.failed, self.concluded = 0, self.failed + self.left, True

    def do_settle(self, _):
        assert self.locked
        assert self.workers == life.NONE
        self.locked, self.shown, self.settled = False, self.life.phase, self.settled + 1
        if self.left:
            self.left, self.stopped = self.left - 1, self.stopped + 1  # one was under way

    # ---- what users ask for

    @rule()
    def resume(self):
        try:
            self.happens(life.Resume())
        except UsageError:
            assert self.handing_in
        assert self.life.phase != life.PAUSED

    @rule()
    def pause(self):
        try:
            self.happens(life.Pause())
        except UsageError:
            assert not self.life.active or self.handing_in
        else:
            assert self.life.phase == life.PAUSED
            assert not self.under_way or self.halted

    @rule()
    def stop(self):
        was_active = self.life.active
        self.happens(life.Stop("the time is over"))
        assert self.life.active == self.handing_in
        if was_active and not self.handing_in:
            assert self.life.phase == (life.FINISHED if not self.left and not self.stopped else life.STOPPED) or self.left

    @rule()
    def resume_and_stop(self):
        """The stop is never lost."""
        try:
            self.happens(life.Resume())
        except UsageError:
            assert self.handing_in
        self.happens(life.Stop())
        if self.life.active:
            assert self.handing_in
            self.all_is_handed_in()
        assert not self.life.active
        assert self.workers == life.NONE

    @rule()
    def retry(self):
        before = self.life
        try:
            self.happens(life.Retry(self.failed))
        except UsageError:
            assert before.active or not self.failed
            assert self.life == before

    # ---- what happens

    @precondition(lambda self: self.workers == life.COMING)
    @rule()
    def workers_come(self):
        self.workers = life.HERE
        self.happens(life.WorkersCame())

    @precondition(lambda self: self.under_way and not self.halted)
    @rule(fails=booleans())
    def a_trial_ends(self, fails):
        self.left, self.failed = self.left - 1, self.failed + fails
        self.under_way = bool(self.left)
        if not self.left and not self.handing_in:
            self.happens(life.AllDone())

    @precondition(lambda self: self.handing_in)
    @rule()
    def all_is_handed_in(self):
        """Or the time for it is over."""
        self.happens(life.HandedIn())
        assert not self.life.active
        assert self.shown in (life.STOPPED, life.FINISHED)

    @precondition(lambda self: self.workers == life.HERE)
    @rule(without_result=booleans())
    def workers_die(self, without_result):
        self.happens(life.WorkersDied("killed", without_result))

    @rule()
    def the_disk_is_full(self):
        self.happens(life.NoRoom("no space left"))
        assert self.life.phase not in (life.STARTING, life.RUNNING)

    @rule()
    def something_breaks(self):
        was_active = self.life.active
        self.happens(life.Broke("KeyError"))
        assert not self.life.active
        assert not was_active or self.shown == life.FAILED

    @rule(event=integers(0, 3))
    def something_comes_too_late(self, event):
        if not self.life.active:
            late = (life.WorkersCame(), life.WorkersDied("late", True), life.HandedIn(), life.Stop())[event]
            before, instructions = self.happens(late)
            assert self.life == before
            assert not instructions

    # ---- what always holds

    @invariant()
    def it_holds_its_folder_exactly_while_it_is_active(self):
        assert self.locked == self.life.active

    @invariant()
    def workers_are_as_it_believes(self):
        assert self.workers == self.life.workers
        assert self.life.active or self.workers == life.NONE

    @invariant()
    def what_is_shown_is_so(self):
        assert self.shown == {life.STARTING: life.RUNNING, life.STOPPING: life.RUNNING}.get(self.life.phase, self.life.phase)

    @invariant()
    def nothing_waits_for_nothing(self):
        """A running search trains; one that starts has workers on their way; one that stops waits for them."""
        assert (self.life.phase == life.STOPPING) == self.handing_in
        assert self.life.phase != life.RUNNING or self.under_way
        assert self.life.phase != life.STARTING or self.workers == life.COMING


Search.TestCase.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
TestEveryOrder = Search.TestCase


def test_all_workers_that_die_three_times_without_a_result_end_it():
    now, _ = step(Life(), life.Resume())
    for _ in range(2):
        now, _ = step(now, life.WorkersCame())
        now, instructions = step(now, life.WorkersDied("killed", True))
        assert instructions == (life.Dismiss(), life.Hire())
    now, _ = step(now, life.WorkersCame())
    now, instructions = step(now, life.WorkersDied("killed", True))
    assert instructions == (life.Dismiss(), life.GiveUp("killed"))


def test_a_result_between_starts_the_count_anew():
    now = Life(life.RUNNING, life.HERE, deaths=2)
    now, instructions = step(now, life.WorkersDied("killed", without_result=False))
    assert instructions == (life.Dismiss(), life.Hire())
    assert now.deaths == 1


def test_what_cannot_be_asked_for_is_said():
    with pytest.raises(UsageError, match="only a running search can be paused; this one is stopped"):
        step(Life(life.STOPPED), life.Pause())
    with pytest.raises(UsageError, match="nothing to retry"):
        step(Life(life.STOPPED), life.Retry(0))
    with pytest.raises(UsageError, match="still under way"):
        step(Life(life.RUNNING, life.HERE), life.Retry(1))


def test_a_stop_waits_for_what_is_handed_in_and_keeps_its_reason():
    now, instructions = step(Life(life.PAUSED, life.HERE), life.Stop("20 min are over"))
    assert instructions == (life.Announce(life.RUNNING, "stopping"), life.FinishUp())
    assert step(now, life.Stop()) == (now, ()), "a second one changes nothing"
    assert step(now, life.NoRoom("no space left")) == (now, ())
    now, instructions = step(now, life.HandedIn(), complete=False)
    assert (now, instructions) == (Life(life.STOPPED), (life.Dismiss(), life.Settle("20 min are over")))


def test_a_stop_does_not_outlive_the_workers_that_it_waits_for():
    now, _ = step(Life(life.RUNNING, life.HERE), life.Stop())
    now, instructions = step(now, life.WorkersDied("killed", True), complete=False)
    assert (now, instructions) == (Life(life.STOPPED), (life.Dismiss(), life.Settle()))
