"""How far a search is, and how long it will still take."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

import pytest

from nbtune.ask.objective import Objective
from nbtune.ask.space import Axis, Space
from nbtune.record.events import EpochEnded, EpochUnderWay, StateChanged, TrialEnded, TrialStarted
from nbtune.record.progress import Progress, Unit
from nbtune.record.remaining import seconds_left, share_done

ACCURACY = Objective("val_accuracy", "max")
ERROR = Objective("val_loss", "min")
RUNNING = StateChanged("running", 100.0)


def reduced(events, n=4, workers=1, epochs=10, patience=None, runs=1, units=()):
    space = Space.product([Axis.of("units", range(1, n + 1))])
    progress = Progress(space, ACCURACY, epochs, workers, runs=runs)
    progress.patience, progress.units = patience, units
    for event in events:
        progress.apply(event)
    return progress


def done(trial, seconds=1.0, epochs=1):
    return TrialEnded(trial, "done", 0.5, 1, {"val_accuracy": [0.5] * epochs}, seconds)


def epochs(trial, count, start=100.0, each=2.0, first=5.0, value=0.1, at_once=1):
    """A trial that starts and trains some epochs, the first of which takes longer."""
    yield TrialStarted(trial, start, at_once=at_once)
    for epoch in range(1, count + 1):
        yield EpochEnded(trial, epoch, {"val_accuracy": value * epoch}, start + first + each * (epoch - 1))


# ---- by the clock


def test_time_left_is_unknown_before_a_trial_has_trained():
    assert seconds_left(reduced([RUNNING, TrialStarted("0", 100.0)]), 103) is None
    stack = [RUNNING, TrialStarted("0", 100.0), TrialStarted("1", 100.0), done("0", 0.0)]
    assert seconds_left(reduced(stack, n=2), 100) is None, "the first trial of the stack ended as it started"


@pytest.mark.parametrize(("workers", "left"), [(1, 30.0), (2, 20.0), (0, 30.0)])
def test_what_the_others_lasted_for_those_to_come(workers, left):
    """Three of 10 s each, in turn: two workers are done after two turns."""
    progress = reduced([RUNNING, done("0", 8.0), done("1", 12.0)], n=5, workers=workers)
    assert seconds_left(progress, 100) == pytest.approx(left)


def test_time_left_shrinks_while_a_trial_runs_and_never_below_nought():
    progress = reduced([RUNNING, done("0", 10.0), TrialStarted("1", 100.0)], n=2)
    left = [seconds_left(progress, now) for now in (100, 104, 109, 200)]
    assert left == [pytest.approx(10), pytest.approx(6), pytest.approx(1), 0]


def test_nothing_is_left_at_the_end():
    assert seconds_left(reduced([RUNNING, done("0", 10.0), done("1", 10.0)], n=2), 150) == 0


def test_a_stack_goes_by_its_epochs_from_the_second_on_since_the_first_is_compiled():
    both = [event for trial in "01" for event in epochs(trial, 4)]
    progress = reduced([RUNNING, *both], n=2)
    assert seconds_left(progress, 111.0) == pytest.approx(6 * 2.0)  # six epochs of both at once, the fourth just over
    assert seconds_left(progress, 112.0) == pytest.approx(11.0)
    assert seconds_left(reduced([RUNNING, *epochs("0", 1)], n=1), 105.0) is None


def test_parts_of_an_epoch_that_takes_long_tell_as_well():
    progress = reduced([RUNNING, TrialStarted("0", 100.0), EpochUnderWay(["0"], 1, 0.01, 160.0)], n=1)
    assert seconds_left(progress, 160.0) is None
    progress.apply(EpochUnderWay(["0"], 1, 0.11, 170.0))
    assert seconds_left(progress, 170.0) == pytest.approx(989)  # ten seconds a tenth of an epoch, 9.89 epochs


def test_a_pause_takes_no_time():
    before = [RUNNING, *epochs("0", 3), StateChanged("paused", 109.0), StateChanged("running", 1109.0)]
    progress = reduced([*before, EpochEnded("0", 4, {"val_accuracy": 0.9}, 1111.0)], n=1)
    assert seconds_left(progress, 1111.0) == pytest.approx(6 * 2.0)


# ---- what has not begun


def test_what_has_not_begun_counts():
    progress = reduced([RUNNING, *epochs("0", 5, first=2.0)], n=3)
    assert seconds_left(progress, 110.0) == pytest.approx(10 + 2 * 20)


def test_what_has_not_begun_takes_as_long_as_the_plan_says_in_proportion():
    """The second of 16 s, as it costs 0.2 + 0.6 where the first, of 20 s, costs 0.4 + 0.6; nothing is said of the third."""
    units = (Unit(("0",), 0.4, 0.6), Unit(("1",), 0.2, 0.6))
    progress = reduced([RUNNING, *epochs("0", 5, first=2.0)], n=2, units=units)
    assert seconds_left(progress, 110.0) == pytest.approx(10 + 16)


def test_before_anything_was_measured_it_goes_by_the_plan():
    units = (Unit(("0", "1"), 6.0, 4.0, measured=True), Unit(("2",), 2.0, 1.0, measured=True))
    started = [RUNNING, TrialStarted("0", 100.0), TrialStarted("1", 100.0)]
    assert seconds_left(reduced([RUNNING], n=3, units=units), 100.0) == pytest.approx(13)
    assert seconds_left(reduced([RUNNING], n=3, units=units), 102.0) == pytest.approx(11), "the first stack is being built"
    assert seconds_left(reduced(started, n=3, units=units), 103.0) == pytest.approx(7 + 3)
    assert seconds_left(reduced(started, n=3, units=units), 112.0) == pytest.approx(8 + 6), "all takes twice as long here"


def test_on_a_machine_that_has_not_trained_yet_nothing_is_told_before_something_was_measured():
    assert seconds_left(reduced([RUNNING], n=2, units=(Unit(("0", "1"), 6.0, 4.0),)), 100.0) is None


def test_a_stack_that_waits_is_one_turn():
    units = (Unit(("0",), 0.0, 1.0), Unit(("1", "2", "3"), 0.0, 3.0))
    one, two = (reduced([RUNNING, *epochs("0", 5, first=2.0)], units=units, workers=workers) for workers in (1, 2))
    assert seconds_left(one, 110.0) == pytest.approx(10 + 60)
    assert seconds_left(two, 110.0) == pytest.approx(60), "it begins at once, beside the first"


def test_repeats_in_turn_are_before_a_trial_and_those_side_by_side_are_not():
    in_turn = reduced([RUNNING, *epochs("0", 5, first=2.0)], n=1, runs=3)
    assert seconds_left(in_turn, 110.0) == pytest.approx(10 + 2 * 20)
    at_once = reduced([RUNNING, *epochs("0", 5, first=2.0, at_once=3)], n=1, runs=3)
    assert seconds_left(at_once, 110.0) == pytest.approx(10)
    second = EpochEnded("0", 1, {"val_accuracy": 0.5}, 112.0)
    assert seconds_left(reduced([RUNNING, *epochs("0", 5, first=2.0), second], n=1, runs=3), 112.0) > 18 + 20 - 5


# ---- real searches


RECORDED = json.loads((Path(__file__).parent / "recorded_times.json").read_text())


@pytest.mark.parametrize(("name", "share"), [*zip(RECORDED, (1.0, 0.8, 0.8, 0.8), strict=True)])
def test_time_left_of_recorded_searches_is_within_thirty_per_cent_once_a_tenth_is_done(name, share):
    """Start, end if it is not start + seconds, seconds and epochs of each trial of real searches with early stopping.

    They ran on two workers of a busy machine, and neither their epochs nor what they cost by the plan is known.

    In the first, trials cost about the same. In the others the cost grows along an axis, which nothing can know before.
    """
    record = RECORDED[name]
    epochs = {trial[-1] for trial in record["trials"]}
    assert len(epochs) > 5, "some stopped early"
    n = len(record["trials"])
    progress = Progress([{"trial": i} for i in range(n)], ERROR, max(epochs), record["workers"])
    moments = [(0.0, 0, StateChanged("running", 0.0))]
    for trial, (start, *end, seconds, _) in zip(progress.trials, record["trials"], strict=True):
        moments.append((start, 1, TrialStarted(trial.id, start)))
        moments.append((end[0] if end else start + seconds, 2, TrialEnded(trial.id, "done", 0.5, 1, {}, seconds)))
    good = []
    for now, _, event in sorted(moments, key=lambda moment: moment[:2]):
        progress.apply(event)
        left = record["ended"] - now
        if progress.ended >= 0.1 * n and left > 5:
            good.append(0.7 * left < seconds_left(progress, now) < 1.3 * left)
    assert sum(good) >= share * len(good) > 10


EVENTS = json.loads((Path(__file__).parent / "recorded_events.json").read_text())


def replayed(record):
    """The search as it was ten times a second, with the seconds that were really left."""
    objective, n = Objective(*record["objective"]), record["trials"]
    terms = objective, record["epochs"], record["workers"]
    progress = Progress([{"trial": i} for i in range(n)], *terms, [str(i) for i in range(n)], record["repeats"])
    progress.patience = record["patience"]
    progress.units = tuple(Unit(tuple(map(str, trials)), setup, all_epochs) for trials, setup, all_epochs in record["units"])
    progress.apply(StateChanged("running", 0.0001))
    events, now = [*record["events"]], 0.0
    while now < record["ended"]:
        while events and events[0][0] <= now:
            progress.apply(as_event(events.pop(0), objective.name))
        yield progress, now, record["ended"] - now
        now += 0.1


def as_event(recorded, objective):
    match recorded:
        case [_, "started", trial, at, at_once]:
            return TrialStarted(str(trial), at, at_once=at_once)
        case [_, "epoch", trial, epoch, value, at]:
            return EpochEnded(str(trial), epoch, {objective: value}, at)
        case [_, "part", trials, epoch, share, at]:
            return EpochUnderWay([str(trial) for trial in trials], epoch, share, at)
        case [_, "ended", trial, epochs, seconds]:
            return TrialEnded(str(trial), "done", 0.5, 1, {objective: [0.5] * epochs}, seconds)


@pytest.mark.parametrize("name", EVENTS)
def test_time_left_of_recorded_stacks_is_within_thirty_per_cent(name):
    """The events of the four benchmark grids, on two workers of a busy machine: early stopping, two stacks or four.

    Of the whole time, in every moment from a tenth of the training on, and as a rule within fifteen.
    """
    off = []
    for progress, now, left in replayed(EVENTS[name]):
        if share_done(progress) >= 0.1:
            found = seconds_left(progress, now)
            off.append((now + found) / (now + left) - 1)
    assert max(map(abs, off)) < 0.3
    assert median(map(abs, off)) < 0.15


# ---- how much of it is done


def test_the_share_that_is_done_counts_epochs():
    progress = reduced([RUNNING, *epochs("0", 5), *epochs("1", 2), done("2")], n=4)
    assert share_done(reduced([TrialStarted("0", 0.0)])) == 0
    assert 0.25 + (5 + 2) / 10 / 4 <= share_done(progress) < 1
    for trial in "013":
        progress.apply(done(trial))
    assert share_done(progress) == 1
