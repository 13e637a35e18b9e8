import threading
import time

import pytest

from nbtune.ask.options import Options
from nbtune.errors import UsageError
from nbtune.execution.local.warm import reserve
from nbtune.run import estimate
from nbtune.run.estimate import Estimator
from tests.conftest import dense


class Told:
    """What an estimator told."""

    def __init__(self):
        self.found, self.came = [], threading.Event()

    def __call__(self, found):
        self.found.append(found)
        self.came.set()


@pytest.fixture
def told():
    return Told()


def options(flowers, **more):
    return Options.of(build=dense, data=flowers, epochs=5, workers=1, **more)


def test_the_estimate_is_that_of_a_plan_and_leaves_nothing_behind(flowers, told, here):
    estimator = Estimator(told, reserve(), settled=0.0)
    estimator.ask(options(flowers, layers=[1, 2], units=[4, 8]))
    estimator_thread = estimator._thread
    assert told.came.wait(60)
    [found] = told.found
    assert found.plan.trials == 4
    assert found.plan.seconds > 0
    assert found.plan.peak_mb > 0
    assert [axis.name for axis in found.space.axes] == ["layers", "units"]
    assert list(here.iterdir()) == []
    estimator_thread.join(5)
    assert not estimator_thread.is_alive(), "nothing goes on when nobody asks"


def test_a_mistake_that_shows_only_with_the_data_is_told(flowers, told):
    Estimator(told, reserve(), settled=0.0).ask(
        options(flowers, layers=[1], units=[4], loss=["binary_crossentropy"], axis={"no": [1]})
    )
    assert told.came.wait(10)
    assert isinstance(told.found[0], UsageError)
    assert "no parameter 'no'" in str(told.found[0])


def test_only_the_latest_options_are_estimated(flowers, told, monkeypatch):
    asked = []
    monkeypatch.setattr(estimate, "_estimate", lambda options, pool, cancel: asked.append(options.epochs) or options.epochs)
    estimator = Estimator(told, reserve(), settled=0.2)
    for epochs in range(1, 6):
        estimator.ask(Options.of(build=dense, data=flowers, epochs=epochs))
    assert told.came.wait(5)
    estimator.end()
    assert asked == told.found == [5]


def endless(layers):
    import time

    time.sleep(300)


def test_an_estimate_that_takes_long_can_be_given_up(flowers, told, nothing_in_reserve):
    estimator = Estimator(told, reserve(), settled=0.0)
    estimator.ask(Options.of(build=endless, data=flowers, layers=[1, 2], epochs=5, workers=1))
    until = time.monotonic() + 30
    while estimator._cancel._site is None and time.monotonic() < until:
        time.sleep(0.05)
    process = estimator._cancel._site.backend._process
    time.sleep(1)  # well under way
    began = time.monotonic()
    estimator.end()
    assert time.monotonic() - began < 15, "it does not wait for the function, nor for the workers of a busy machine"
    assert process.poll() is not None
    assert told.found == []


def test_what_was_forgotten_is_not_told(flowers, told, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(estimate, "_estimate", lambda options, pool, cancel: begun.set() or go_on.wait(5))
    estimator = Estimator(told, reserve(), settled=0.0)
    estimator.ask(options(flowers))
    assert begun.wait(5)
    estimator.forget()
    go_on.set()
    estimator.end()
    assert told.found == []
