"""The reducer from events to what is known of a search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtune.ask.objective import Objective
from nbtune.ask.space import Axis, Space
from nbtune.record.events import (
    EpochEnded,
    EpochUnderWay,
    StateChanged,
    TrialEnded,
    TrialReopened,
    TrialStarted,
    from_dict,
    to_dict,
)
from nbtune.record.progress import Progress, duration, show

ACCURACY = Objective("val_accuracy", "max")
ERROR = Objective("val_loss", "min")


def progress_of(n=4, objective=ACCURACY, workers=1, epochs=10):
    return Progress(Space.product([Axis.of("units", range(1, n + 1))]), objective, epochs, workers)


def reduced(events, **settings):
    progress = progress_of(**settings)
    for event in events:
        progress.apply(event)
    return progress


def done(trial, score, seconds=1.0, best=1):
    return TrialEnded(trial, "done", score, best, {"val_accuracy": [score]}, seconds)


def state(progress):
    """All that can be read, as text, where NaN equals itself."""
    return repr((progress.trials, progress.coverage, progress.ranking, progress.state, progress.seconds_spent(1000.0)))


# ---- trials


def test_trials_are_the_combinations_in_grid_order_with_ids_of_one_width():
    progress = progress_of(12)
    assert [trial.values for trial in progress.trials] == [{"units": n} for n in range(1, 13)]
    assert [trial.id for trial in progress.trials] == [f"{i:02d}" for i in range(12)]
    assert {trial.status for trial in progress.trials} == {"pending"}
    assert progress.trial("07").values == {"units": 8}


def test_a_trial_is_followed_from_start_to_end():
    progress = progress_of()
    progress.apply(TrialStarted("1", 5.0))
    assert (progress.trial("1").status, progress.trial("1").started, progress.trial("1").ended) == ("running", 5.0, False)
    progress.apply(EpochEnded("1", 1, {"loss": 0.9, "val_accuracy": 0.5}))
    progress.apply(EpochEnded("1", 2, {"loss": 0.7, "val_accuracy": 0.6}))
    trial = progress.trial("1")
    assert trial.epochs == 2
    assert {name: list(values) for name, values in trial.history.items()} == {"loss": [0.9, 0.7], "val_accuracy": [0.5, 0.6]}
    progress.apply(TrialEnded("1", "done", 0.6, 2, {"loss": [0.9, 0.7], "val_accuracy": [0.5, 0.6]}, 3.5))
    trial = progress.trial("1")
    assert (trial.status, trial.score, trial.best_epoch, trial.epochs, trial.seconds) == ("done", 0.6, 2, 2, 3.5)
    assert trial.ended
    assert trial.values == {"units": 2}


def test_how_far_a_long_epoch_is():
    progress = reduced([TrialStarted("0", 0), TrialStarted("1", 0), done("1", 0.9), EpochUnderWay(["0", "1"], 3, 0.4)])
    assert [(trial.epochs, trial.share) for trial in progress.trials[:2]] == [(2, 0.4), (progress.trial("1").epochs, 0.0)]
    progress.apply(EpochEnded("0", 3, {"loss": 1.0}))
    assert (progress.trial("0").epochs, progress.trial("0").share) == (3, 0.0)


def test_a_metric_that_is_logged_once_in_a_while_keeps_what_it_has():
    progress = reduced([TrialStarted("0", 0), EpochEnded("0", 1, {"loss": 3.0}), EpochEnded("0", 2, {"loss": 2.0, "lr": 0.1})])
    assert list(progress.trial("0").history["loss"]) == [3.0, 2.0]
    assert list(progress.trial("0").history["lr"]) == [0.1]


def test_a_failed_trial_keeps_the_epochs_that_it_had():
    progress = reduced([TrialStarted("0", 0), EpochEnded("0", 1, {"loss": 1.0}), TrialEnded("0", "failed", error="E: no")])
    trial = progress.trial("0")
    assert (trial.status, trial.score, trial.error, trial.epochs) == ("failed", None, "E: no", 1)
    assert list(trial.history["loss"]) == [1.0]


def test_a_trial_may_fail_before_it_starts():
    assert reduced([TrialEnded("2", "failed", error="killed")]).trial("2").status == "failed"


@pytest.mark.parametrize(
    "late",
    [
        EpochEnded("0", 2, {"loss": 9.0}),
        TrialEnded("0", "failed", error="late"),
        TrialEnded("0", "stopped"),
        TrialEnded("0", "done", 0.1, 1),
        TrialStarted("0", 9.0),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_comes_late_changes_nothing(late):
    events = [TrialStarted("0", 0), EpochEnded("0", 1, {"loss": 1.0}), done("0", 0.9)]
    assert reduced([*events, late]).trials == reduced(events).trials


def test_an_epoch_of_a_trial_that_never_started_changes_nothing():
    assert reduced([EpochEnded("0", 1, {"loss": 1.0})]).trials == progress_of().trials


def test_a_view_can_see_that_something_happened():
    progress = progress_of()
    versions = [progress.version]
    for event in [StateChanged("running", 0), TrialStarted("0", 0), EpochEnded("0", 1, {}), done("0", 0.5)]:
        progress.apply(event)
        versions.append(progress.version)
    assert versions == sorted(set(versions))


def test_what_a_reader_holds_is_not_changed_under_it():
    progress = reduced([TrialStarted("0", 0), EpochEnded("0", 1, {"loss": 1.0})])
    held, trials = progress.trial("0"), progress.trials
    progress.apply(EpochEnded("0", 2, {"loss": 0.5}))
    assert held.epochs == 1
    assert list(held.history["loss"]) == [1.0]
    assert trials[0] is held


# ---- any sequence of events

ids = st.sampled_from("01234")
scores = st.sampled_from([0.1, 0.5, 0.5, 0.9])
any_event = st.one_of(
    st.builds(TrialStarted, ids, st.floats(0, 100)),
    st.builds(EpochEnded, ids, st.integers(1, 5), st.just({"loss": 0.5})),
    st.builds(TrialEnded, ids, st.just("done"), scores, st.just(1), st.just({"val_accuracy": [0.5]}), st.floats(0, 9)),
    st.builds(TrialEnded, ids, st.sampled_from(["failed", "diverged", "stopped"])),
    st.builds(StateChanged, st.sampled_from(["running", "paused", "stopped", "finished"]), st.floats(0, 100)),
)
sequences = st.lists(any_event, max_size=40)


@given(sequences)
def test_coverage_adds_up_after_every_event(events):
    progress = progress_of(5)
    for event in events:
        progress.apply(event)
        c = progress.coverage
        assert c.total == 5 == c.done + c.failed + c.diverged + c.stopped + c.pending
        assert progress.ended == c.total - c.pending
        assert c.done == len(progress.ranking) == sum(trial.status == "done" for trial in progress.trials)


@given(sequences)
def test_replaying_the_events_gives_the_same_state(events):
    replayed = reduced([from_dict(to_dict(event)) for event in events], n=5)
    assert state(replayed) == state(reduced(events, n=5))


@given(sequences)
def test_a_trial_that_is_done_stays_as_it_was(events):
    progress, first = progress_of(5), {}
    for event in events:
        progress.apply(event)
        for trial in progress.trials:
            if trial.status == "done":
                assert first.setdefault(trial.id, trial) == trial
        assert all(progress.trial(id).status == "done" for id in first)


# ---- coverage and ranking


def test_coverage_counts_by_status_and_names_what_was_never_tried():
    events = [
        done("0", 0.5),
        TrialEnded("1", "failed"),
        TrialEnded("2", "diverged"),
        TrialEnded("3", "stopped"),
        TrialStarted("4", 0),
    ]
    coverage = reduced(events, n=6).coverage
    assert (coverage.done, coverage.failed, coverage.diverged, coverage.stopped, coverage.pending) == (1, 1, 1, 1, 2)
    assert list(coverage.untried) == [{"units": 6}]
    assert str(coverage) == "6 combinations: 1 done, 1 failed, 1 diverged, 1 stopped, 2 pending"


def test_coverage_in_words_leaves_out_what_is_nought_except_done():
    assert str(progress_of(3).coverage) == "3 combinations: 0 done, 3 pending"
    assert str(reduced([done(i, 0.5) for i in "01"], n=2).coverage) == "2 combinations: 2 done"


@pytest.mark.parametrize(("objective", "order"), [(ACCURACY, "2013"), (ERROR, "3012")])
def test_ranking_follows_the_direction_and_ties_are_in_grid_order(objective, order):
    scores = {"1": 0.5, "0": 0.5, "3": 0.1, "2": 0.9}
    progress = reduced([done(trial, score) for trial, score in scores.items()], n=5, objective=objective)
    assert "".join(trial.id for trial in progress.ranking) == order
    assert progress.best.id == order[0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9), st.sampled_from([ACCURACY, ERROR]))
def test_nothing_is_better_than_the_best(scores, objective):
    progress = reduced([done(str(i), score) for i, score in enumerate(scores)], n=9, objective=objective)
    assert progress.best.score == (max(scores) if objective is ACCURACY else min(scores))
    assert progress.best.id == str(scores.index(progress.best.score))


def test_without_a_score_there_is_no_best():
    progress = reduced([TrialEnded("0", "failed"), TrialStarted("1", 0), EpochEnded("1", 1, {"val_accuracy": 0.9})])
    assert progress.best is None
    assert progress.ranking == []


# ---- time


def test_pauses_are_not_time_spent():
    progress = reduced([StateChanged("running", 100), StateChanged("paused", 110), StateChanged("running", 500)])
    assert progress.seconds_spent(505) == pytest.approx(15)
    progress.apply(StateChanged("finished", 520))
    assert progress.seconds_spent(9999) == pytest.approx(30)
    assert progress.state == "finished"


def test_a_paused_search_spends_no_time():
    progress = reduced([StateChanged("running", 100), StateChanged("paused", 110)])
    assert progress.seconds_spent(110) == progress.seconds_spent(1e6) == pytest.approx(10)


def test_a_search_that_never_ran_spent_nothing():
    assert progress_of().seconds_spent(1e9) == 0


# ---- in words


def test_a_trial_in_a_line():
    progress = Progress([{"layers": 2, "learning_rate": 0.001}], ACCURACY, 10, 1)
    assert str(progress.trials[0]) == "trial 0: layers 2, learning_rate 0.001; pending"
    progress.apply(done("0", 0.98333, best=7))
    assert str(progress.trials[0]) == "trial 0: layers 2, learning_rate 0.001; done, score 0.9833 in epoch 7"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"), (3599.7, "1 h 00 min"), (4320, "1 h 12 min")],
)
def test_durations_as_people_say_them(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(0.001, "0.001"), (1e-5, "1e-05"), (16, "16"), ("relu", "relu"), (True, "True")])
def test_values_as_people_write_them(value, text):
    assert show(value) == text


# ---- while trials are under way


def epochs(trial, count, start=100.0, each=2.0, first=5.0, value=0.1):
    """A trial that starts and trains some epochs, the first of which takes longer."""
    yield TrialStarted(trial, start)
    for epoch in range(1, count + 1):
        yield EpochEnded(trial, epoch, {"val_accuracy": value * epoch}, start + first + each * (epoch - 1))


def test_a_trial_under_way_stands_with_its_best_epoch_so_far():
    scores = [0.5, 0.7, float("nan"), 0.6]
    progress = reduced([done("1", 0.6), TrialStarted("0", 0)])
    for epoch, score in enumerate(scores, 1):
        progress.apply(EpochEnded("0", epoch, {"val_accuracy": score}))
    trial = progress.trial("0")
    assert (trial.score, trial.best_epoch, trial.provisional) == (0.7, 2, True)
    assert [trial.id for trial in progress.standing] == ["0", "1"]
    assert (progress.best.id, progress.best_so_far.id) == ("1", "0")
    progress.apply(TrialEnded("0", "failed", error="killed"))
    assert progress.trial("0").score is None
    assert progress.best_so_far.id == "1"


def test_each_run_of_a_trial_begins_anew():
    progress = reduced([*epochs("0", 3), EpochEnded("0", 1, {"val_accuracy": 0.05}, 120.0)])
    trial = progress.trial("0")
    assert (trial.run, trial.epochs, trial.score, trial.history) == (1, 1, 0.05, {"val_accuracy": (0.05,)})


def test_what_was_stopped_early_is_ranked_and_stays_until_it_goes_on():
    progress = progress_of(2)
    early = TrialEnded("0", "stopped", 0.8, 2, {"val_accuracy": [0.7, 0.8]}, 3.0, "stopped early", weights="w")
    for event in (TrialStarted("0", 1.0), early):
        progress.apply(event)
    best = progress.best
    assert (best.id, best.score, best.provisional) == ("0", 0.8, True)
    assert (progress.coverage.done, progress.coverage.stopped, progress.coverage.pending) == (0, 1, 1)
    progress.apply(TrialReopened("0"))
    assert progress.best is None, "it has not ended"
    waiting = progress.best_so_far
    assert (waiting.status, waiting.score, waiting.provisional, waiting.weights) == ("pending", 0.8, True, "w")
    progress.apply(TrialStarted("0", 5.0, {"val_accuracy": [0.7]}))
    going = progress.trial("0")
    assert (going.status, going.epochs, going.score, going.best_epoch) == ("running", 1, 0.7, 1)
    progress.apply(EpochEnded("0", 2, {"val_accuracy": 0.9}))
    assert progress.trial("0").history["val_accuracy"] == (0.7, 0.9)
    assert progress.trial("0").best_epoch == 2
