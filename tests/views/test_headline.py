import pytest

from nbtune.ask.objective import Objective
from nbtune.record.events import FAILED, STOPPED, EpochEnded, EpochUnderWay, StateChanged, TrialEnded, TrialStarted
from nbtune.record.progress import Progress, Unit
from nbtune.views.headline import headline, spoken

from .conftest import done, product, search

RUN = StateChanged("running", 1000.0)
FOUR = product(units=[8, 16], layers=[1, 2])


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], "planned: 4 combinations, nothing trained yet"),
        ([RUN], "running: 0 of 4, starting"),
        ([RUN, TrialStarted("0", 1000.0)], "running: 0 of 4, compiling the first network"),
        (
            [RUN, TrialStarted("0", 1000.0), TrialStarted("1", 1000.0), EpochEnded("0", 1, {}, 1000.0), EpochEnded("0", 2, {})],
            "running: 0 of 4, 2 under way, 2 of 10 epochs",
        ),
        (
            [RUN, TrialStarted("0", 1000.0), EpochUnderWay(["0"], 4, 0.4, 1000.0)],
            "running: 0 of 4, 1 under way, 3.4 of 10 epochs",
        ),
        (
            [RUN, done("0", 0.98333, seconds=40)],
            "running: 1 of 4, about 1 min 20 s left; best val_accuracy 0.9833 (units 8, layers 1)",
        ),
        ([RUN, TrialEnded("0", FAILED, seconds=1.0)], "running: 1 of 4, 1 failed, a few seconds left"),
        ([RUN, StateChanged("paused", 1010.0)], "paused: 0 of 4, resume when you like"),
        ([RUN, StateChanged("stopped", 1010.0)], "stopped: 0 of 4 in 10 s"),
        (
            [RUN, done("0", 0.5), TrialEnded("1", STOPPED, 0.9, 1, {"val_accuracy": [0.9]}), StateChanged("stopped", 1010.0)],
            "stopped: 1 done, 1 stopped early, 2 not reached of 4 in 10 s; best so far val_accuracy 0.9000 (units 8, layers 2)",
        ),
        ([RUN, StateChanged("running", 1010.0, "stopping")], "running: 0 of 4, stopping"),
        (
            [RUN, *(done(str(i), 0.5) for i in range(4)), StateChanged("finished", 1080.0)],
            "finished: 4 of 4 in 1 min 20 s; best val_accuracy 0.5000 (units 8, layers 1)",
        ),
    ],
)
def test_wording(events, expected):
    assert headline(search(FOUR, events=events), 1000.0) == expected


STACKS = (Unit(("0", "1", "2"), 6.0, 4.0, measured=True), Unit(("3",), 2.0, 1.0, measured=True))


@pytest.mark.parametrize(
    ("events", "workers", "now", "expected"),
    [
        ([], 1, 1000.0, "building the first stack: 3 networks, about 15 s left"),
        ([], 2, 1000.0, "building the first 2 stacks: 4 networks, about 10 s left"),
        ([TrialStarted(i, 1000.0) for i in "012"], 1, 1003.0, "compiling the first stack: 3 networks, about 10 s left"),
        ([TrialStarted(i, 1000.0) for i in "012"], 1, 1012.0, "compiling the first stack: 3 networks, about 15 s left"),
        ([*map(done, "012", [0.5] * 3), TrialStarted("3", 1000.0)], 1, 1001.0, "compiling the first network, a few seconds left"),
    ],
)
def test_before_anything_trains_it_says_what_goes_on_and_counts_it(events, workers, now, expected):
    """Stacks that are expected to take ten seconds, of which six to compile, and three; in the fourth case it takes twelve."""
    progress = Progress(FOUR, Objective.of("val_accuracy"), epochs=10, workers=workers)
    progress.units = STACKS
    for event in [RUN, *events]:
        progress.apply(event)
    assert headline(progress, now).split(";")[0].endswith(f" of 4, {expected}")


def test_a_stack_that_is_compiled_later_is_the_next():
    progress = search(FOUR, events=[RUN, TrialStarted("0", 1000.0), done("0", 0.5), *(TrialStarted(i, 1002.0) for i in "12")])
    assert "compiling the next stack: 2 networks, a few" in headline(progress, 1002.0)


def test_a_search_in_which_everything_failed_says_so_and_why():
    ends = [TrialEnded(str(i), FAILED, error="Traceback\nValueError: no such loss") for i in range(4)]
    progress = search(FOUR, events=[RUN, *ends, StateChanged("finished", 1003.0)])
    expected = "finished: 4 of 4 in 3 s, 4 failed; no network could be trained: ValueError: no such loss"
    assert headline(progress, 1003.0) == expected


def test_the_best_epoch_so_far_leads():
    progress = search(FOUR, events=[RUN, TrialStarted("1", 1000.0), EpochEnded("1", 1, {"val_accuracy": 0.7}, 1004.0)])
    assert headline(progress, 1004.0).endswith("1 of 10 epochs; best so far val_accuracy 0.7000 (units 8, layers 2)")


def test_one_combination():
    assert headline(search(product(units=[8])), 0.0) == "planned: 1 combination, nothing trained yet"


def test_a_search_that_goes_on_says_what_was_done_before():
    progress = search(FOUR, events=[done("0", 0.5)])
    assert headline(progress, 0.0) == "planned: 4 combinations, 1 done before; best val_accuracy 0.5000 (units 8, layers 1)"


def test_what_is_spoken_changes_with_the_state_and_with_each_tenth():
    progress = search(product(units=range(40)), events=[RUN])
    told = [spoken(progress)]
    for i in range(40):
        progress.apply(done(f"{i:02d}", 0.5))
        told.append(spoken(progress))
    assert len(dict.fromkeys(told)) == 11
    assert told[4] == "Search running, 10 % done"
    progress.apply(StateChanged("finished", 1080.0))
    assert spoken(progress) == "Search finished, 100 % done, best val_accuracy 0.5000"
