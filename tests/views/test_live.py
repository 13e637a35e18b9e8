import itertools
import threading
import time

import pytest

from nbtune.record.events import EpochEnded, StateChanged, TrialStarted
from nbtune.views.live import Live

from .conftest import done, product, search


class Clock:
    """Each look takes a twentieth of a second."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        self.now += 0.05
        return self.now


class Surface:
    """Notes what is asked of it, and when."""

    def __init__(self, cost=0.0, broken=False):
        self.calls, self.reports, self.spent, self.cost, self.broken = [], [], 0.0, cost, broken
        self.drawn = lambda: None

    def open(self, progress, controls):
        self.calls.append(("open", 0.0))

    def _draw(self, kind, now):
        self.calls.append((kind, now))
        self.spent += self.cost
        self.drawn()
        if self.broken:
            raise RuntimeError("no fonts")

    def line(self, now):
        self._draw("line", now)

    def whole(self, now):
        self._draw("whole", now)

    def rest(self, now):
        self._draw("rest", now)

    def close(self, now):
        self._draw("close", now)

    def report(self, problem):
        self.reports.append(problem)

    def when(self, kind):
        return [now for name, now in self.calls if name == kind]


@pytest.fixture
def progress():
    return search(product(units=[1, 2]), events=[StateChanged("running", 1000.0), TrialStarted("0", 1000.0)])


def live_on(progress, surface):
    return Live(progress, None, surface, Clock(), lambda: surface.spent, tick=0.0005)


def until(condition):
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("it never came")


def feed(progress, surface, kind, times):
    """Epochs, until there are so many drawings."""
    for epoch in range(1, 100_000):
        if len(surface.when(kind)) >= times:
            return
        progress.apply(EpochEnded("0", epoch, {"val_accuracy": 0.5}))
        time.sleep(0.0005)
    raise AssertionError("it never drew so often")


def test_draws_at_the_start_and_at_the_end(progress):
    surface = Surface()
    live = live_on(progress, surface)
    live.start()
    until(lambda: surface.when("whole"))
    progress.apply(done("0", 0.9))
    progress.apply(StateChanged("finished", 1010.0))
    live.finish()
    kinds = [kind for kind, _ in surface.calls]
    assert kinds[0] == "open"
    assert kinds[-1] == "close"
    assert kinds.count("close") == 1


@pytest.mark.parametrize(("cost", "apart"), [(0.0, 1.0), (0.1, 2.0)])
def test_draws_seldom(progress, cost, apart):
    surface = Surface(cost)
    surface.drawn = lambda: progress.apply(EpochEnded("0", 1, {"val_accuracy": 0.5}))  # so that there is always news
    live = live_on(progress, surface)
    live.start()
    until(lambda: len(surface.when("whole")) >= 5)
    live.finish()
    first, *later = surface.when("whole")
    assert later[0] - first < 0.5  # the first cost is forgiven
    assert all(b - a >= apart for a, b in itertools.pairwise(later))


def test_draws_only_what_is_new(progress):
    surface = Surface()
    live = live_on(progress, surface)
    live.start()
    until(lambda: live._clock.now > 1030)
    live.finish()
    assert len(surface.when("whole")) == 1


def test_time_left_alone_redraws_the_line():
    events = [StateChanged("running", 1000.0), done("0", 0.9, seconds=100.0), TrialStarted("1", 1000.0)]
    surface = Surface()
    live = live_on(search(product(units=[1, 2]), events=events), surface)
    live.start()
    until(lambda: len(surface.when("line")) >= 3)
    live.finish()
    assert len(surface.when("whole")) == 1


def test_a_pause_leaves_what_may_be_saved_and_resuming_goes_on(progress):
    surface = Surface()
    live = live_on(progress, surface)
    live.start()
    until(lambda: surface.when("whole"))
    progress.apply(StateChanged("paused", 1010.0))
    until(lambda: surface.when("rest"))
    progress.apply(StateChanged("running", 1020.0))
    until(lambda: len(surface.when("whole")) == 2)
    live.finish()


def test_a_drawing_that_fails_is_reported_once_and_tried_again(progress):
    surface = Surface(broken=True)
    live = live_on(progress, surface)
    live.start()
    feed(progress, surface, "whole", 3)
    progress.apply(StateChanged("stopped", 1010.0))
    live.finish()
    assert surface.reports == ["The display has a problem, the search goes on: RuntimeError: no fonts"]
    assert surface.when("close")


def test_starts_again_after_a_stop(progress):
    surface = Surface()
    live = live_on(progress, surface)
    live.start()
    progress.apply(StateChanged("stopped", 1010.0))
    live.finish()
    progress.apply(StateChanged("running", 1020.0))
    live.start()
    until(lambda: surface.when("whole"))
    progress.apply(StateChanged("finished", 1030.0))
    live.finish()
    kinds = [kind for kind, _ in surface.calls]
    assert kinds.count("open") == 1
    assert kinds.count("close") == 2


def test_starting_twice_is_starting_once(progress):
    before = threading.active_count()
    live = live_on(progress, Surface())
    live.start()
    live.start()
    assert threading.active_count() == before + 1
    live.finish()
    assert threading.active_count() == before


def test_finishing_before_starting_is_nothing(progress):
    before, surface = threading.active_count(), Surface()
    live_on(progress, surface).finish()
    assert not surface.calls
    assert threading.active_count() == before
