"""The same cell again: what was done is not done again, what changed is, and damage costs one trial."""

from __future__ import annotations

import shutil
import time

import keras
import numpy as np
import pytest

import nbtune
from nbtune import UsageError
from nbtune.record import log
from nbtune.record.events import TrialEnded, TrialStarted
from tests.cases import cases
from tests.conftest import dense, fill
from tests.test_search import wait_until

SIZE = 3


def tune(build, data, here, **options):
    return nbtune.tune(build, data, workers=0, dir=str(here), **{"epochs": 2, "retries": 0, **options})


def events(search, kind):
    return [event for event in log.read(search.directory).events if isinstance(event, kind)]


def test_the_same_cell_again_trains_nothing(flowers, here):
    first = tune(dense, flowers, here, units=[4, 6])
    again = tune(dense, flowers, here, units=[4, 6])
    assert again.directory == first.directory
    assert len(events(again, TrialEnded)) == 2
    assert again.trials == first.trials
    assert "2 of 2 done before; nothing left to train" in "".join(again._run.notes)
    assert again.best_model is not None


def test_a_new_value_trains_only_what_is_new(flowers, here):
    first = tune(dense, flowers, here, units=[4, 8])
    wider = tune(dense, flowers, here, units=[4, 6, 8], layers=[1])
    assert wider.directory == first.directory
    assert wider.coverage.done == 3
    more = tune(dense, flowers, here, units=[2, 4, 8])
    assert [trial.values["units"] for trial in more.trials] == [2, 4, 8]
    started = [event.trial for event in events(more, TrialStarted)]
    assert len(started) == len(set(started)), "none was trained twice"
    assert more.trials[1].history == first.trials[0].history
    assert "2 of 3 done before; going on" in "".join(more._run.notes)


@pytest.mark.slow
def test_an_axis_in_another_order_trains_nothing(flowers, here):
    """Of equal trials one keeps its weights, and it stays the same one."""
    for order in ([1, 2, 3], [3, 2, 1], [2, 3, 1]):
        search = tune(without_effect, flowers, here, axis={"n": order}, epochs=1, keep=1)
        assert search.coverage.done == 3
        assert len({trial.score for trial in search.trials}) == 1
        assert search.best_model is not None
    assert len(events(search, TrialStarted)) == 3


def without_effect(n):
    return dense()


def test_the_record_of_keras_tuner_has_each_trial_once(flowers, here):
    tune(dense, flowers, here, units=[4, 8])
    more = tune(dense, flowers, here, units=[2, 4, 8])
    assert sorted(t.hyperparameters.values["units"] for t in more.tuner.oracle.trials.values()) == [2, 4, 8]
    fewer = tune(dense, flowers, here, units=[8])
    assert [t.hyperparameters.values["units"] for t in fewer.tuner.oracle.trials.values()] == [8]


def other(layers=1, units=8):
    model = dense(layers, units)
    model.add(keras.layers.Dropout(0.1 * SIZE))
    return model


CHANGES = {
    "the function": {"build": other},
    "the data": {"data": lambda x, y: (x * 2, y)},
    "the terms of the fit": {"epochs": 1},
    "the terms of the fit by another seed": {"seed": 1},
}


@pytest.mark.parametrize("what", cases(CHANGES, ["the function", "the data"]))
def test_what_matters_trains_everything_anew_and_says_why(flowers, here, what):
    change = dict(CHANGES[what])
    first = tune(dense, flowers, here, units=[4])
    data = change.pop("data", lambda x, y: (x, y))(*flowers)
    again = tune(change.pop("build", dense), data, here, units=[4], **change)
    assert again.directory != first.directory
    assert first.directory.exists()
    assert f"Everything trains anew: {what.split(' by ')[0]}" in "".join(again._run.notes)


@pytest.mark.slow
def test_a_constant_that_the_function_reads_matters(flowers, here, monkeypatch):
    first = tune(other, flowers, here, units=[4])
    monkeypatch.setitem(globals(), "SIZE", 1)
    assert tune(other, flowers, here, units=[4]).directory != first.directory


@pytest.mark.slow
def test_fresh_ignores_what_is_there(flowers, here):
    first = tune(dense, flowers, here, units=[4])
    assert tune(dense, flowers, here, units=[4], fresh=True).directory != first.directory


def test_what_cannot_be_compared_is_said_and_not_reused(flowers, here):
    thing = (value for value in [1])

    def build(units):
        assert thing is not None
        return dense(1, units)

    first = tune(build, flowers, here, units=[4])
    again = tune(build, flowers, here, units=[4])
    assert again.directory != first.directory
    assert "No earlier result can be used: the function reads a generator" in "".join(again._run.notes)


def test_failed_trials_stay_failed_until_they_are_retried(flowers, here):
    (here / "broken").touch()

    def build(units):
        from pathlib import Path

        if units == 5 and Path("broken").exists():
            raise RuntimeError("no fives")
        return dense(1, units)

    tune(build, flowers, here, units=[4, 5])
    (here / "broken").unlink()
    again = tune(build, flowers, here, units=[4, 5])
    assert again.coverage.failed == 1
    assert "1 failed; %tune retry tries again" in "".join(again._run.notes)
    again.retry()
    assert again.wait()
    assert again.coverage.done == 2
    with pytest.raises(UsageError, match="nothing to retry"):
        again.retry()


def test_retries_are_counted(flowers, here):
    def build(units):
        from pathlib import Path

        tries = Path("tries").read_text()
        if units == 4 and len(tries) < 2:
            Path("tries").write_text(tries + "x")
            raise RuntimeError("not yet")
        return dense(1, units)

    # the first failure is met when the function is looked at, the second by the trial; its retry succeeds
    (here / "tries").write_text("")
    search = tune(build, flowers, here, units=[4, 6], retries=1)
    assert search.coverage.done == 2


DAMAGES = {
    "a damaged line": lambda p: rewrite(p / "events.jsonl", lambda lines: [*lines[:-2], "{%&!", lines[-1]]),
    "damaged weights": lambda p: best_weights(p).write_bytes(b"not HDF5"),
    "lost weights": lambda p: best_weights(p).unlink(),
    "a damaged trial file": lambda p: (p / "trial_0" / "trial.json").write_text("["),
    "a lost folder": lambda p: shutil.rmtree(p / "trial_1"),
}


def rewrite(path, change):
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


def best_weights(project):
    return max(project.glob("trial_*/checkpoint.weights.h5"))


@pytest.mark.parametrize("damage", cases(DAMAGES, ["a damaged line", "damaged weights"]))
def test_damage_costs_at_most_its_own_trial(flowers, here, damage):
    first = tune(dense, flowers, here, units=[4, 6, 8], keep=3)
    DAMAGES[damage](first.directory)
    again = tune(dense, flowers, here, units=[4, 6, 8], keep=3)
    assert again.directory == first.directory
    assert again.coverage.done == 3
    assert len(events(again, TrialStarted)) <= 4
    for one, two in zip(first.trials, again.trials, strict=True):
        assert two.score == pytest.approx(one.score)
    assert again.best_model is not None
    assert len(again.tuner.oracle.trials) == 3


def test_a_folder_in_the_place_of_a_file_is_said(flowers, here):
    log_of = tune(dense, flowers, here, units=[4]).directory / "events.jsonl"
    log_of.unlink()
    log_of.mkdir()
    with pytest.raises(UsageError, match=r"events\.jsonl.*directory"):
        tune(dense, flowers, here, units=[4])


def test_a_project_in_use_is_refused(flowers, here):
    project = nbtune.tune(dense, flowers, units=[4], epochs=1, workers=0, dir=str(here))._run.project
    project.acquire()
    with pytest.raises(UsageError, match="in use by a search in another notebook"):
        tune(dense, flowers, here, units=[4], epochs=1)
    project.release()
    assert tune(dense, flowers, here, units=[4], epochs=1).coverage.done == 1


def test_the_same_search_twice_in_one_process(flowers, here):
    again = [nbtune.tune(dense, flowers, units=units, epochs=1, workers=1, dir=str(here)) for units in ([4], [4], [4, 5])]
    assert [search.coverage.done for search in again] == [1, 1, 2]
    assert len({search.directory for search in again}) == 1


def test_a_full_disk_pauses_and_nothing_is_lost(flowers, small_disk):
    units = [6000, 7000]  # the weights of which take 190 kB and more
    search = nbtune.tune(dense, flowers, units=units, epochs=5, patience=None, workers=1, wait=False, dir=str(small_disk))
    wait_until(lambda: search.trials[0].epochs)
    fill(small_disk, 60_000)  # for the log, and not for the weights
    with pytest.raises(UsageError, match="No space left on device; make room, then resume"):
        search.wait()
    assert search.state == "paused"
    (small_disk / "filler").unlink()
    search.resume()
    assert search.wait()
    assert search.coverage.done == 2
    assert [event.trial for event in events(search, TrialEnded)] == ["0", "1"]
    assert [event.trial for event in events(search, TrialStarted)] == ["0", "1"], "what was trained is not trained again"
    assert search.best_model is not None


def test_a_folder_that_cannot_be_written_is_an_error_before_training(flowers, here):
    (here / "file").touch()
    with pytest.raises(UsageError, match="cannot write to"):
        tune(dense, flowers, here / "file" / "below", units=[4])


def test_an_endless_trial_is_ended(flowers, here):
    def build(units):
        if units == 5:
            import time

            time.sleep(1000)
        return dense(1, units)

    terms = {"epochs": 1, "workers": 1, "retries": 0, "trial_timeout": 8}  # the others need a second or two
    search = nbtune.tune(build, flowers, units=[4, 5, 6], **terms, wait=False, dir=str(here))
    wait_until(lambda: search.trials[1].status == "running")
    search.pause()
    time.sleep(9)
    assert search.trials[1].status == "running", "a pause does not count"
    search.resume()
    search.wait()
    assert [trial.status for trial in search.trials] == ["done", "failed", "done"]
    assert "--trial-timeout" in search.trials[1].error


ENDS = ["os._exit(3)", "os.kill(os.getpid(), 11)", "os.kill(os.getpid(), 9)"]


@pytest.mark.parametrize("how", cases(ENDS, ENDS[2:]))
def test_a_process_that_dies_costs_its_trial_alone(flowers, here, how):
    def build(units):
        import os

        if units == 5:
            exec(how, {"os": os})
        return dense(1, units)

    search = nbtune.tune(build, flowers, units=[4, 5, 6], epochs=1, workers=2, retries=1, dir=str(here))
    assert [trial.status for trial in search.trials] == ["done", "failed", "done"]
    assert ("exit code 3" if "exit" in how else "signal") in search.trials[1].error


@pytest.mark.slow
def test_scores_do_not_depend_on_the_detour(flowers, here):
    detour = tune(dense, flowers, here, units=[8, 4], seed=3)
    direct = tune(dense, flowers, here, units=[4, 8], seed=3, fresh=True)
    assert np.allclose([t.score for t in detour.trials], [t.score for t in reversed(direct.trials)])
