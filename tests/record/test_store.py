"""The project on disk: stock KerasTuner reloads it, and its log brings every screen back."""

from __future__ import annotations

import json
import math

import keras
import keras_tuner
import numpy as np
import pytest

from nbtune.ask.objective import Objective
from nbtune.ask.space import Axis, Space
from nbtune.errors import UsageError
from nbtune.record import log
from nbtune.record.events import EpochEnded, EpochUnderWay, StateChanged, TrialEnded, TrialStarted
from nbtune.record.progress import Progress
from nbtune.record.store import Store
from tests.conftest import fill

SPACE = Space.product(
    [
        Axis.of("units", [4, 8, 16]),
        Axis.of("learning_rate", [0.1, 0.01]),
        Axis.of("loss", ["mse", "mae"]),
        Axis.of("norm", [True, False]),
    ]
)
ACCURACY = Objective("val_accuracy", "max")
SCORES = {"03": 0.5, "07": 0.9, "11": 0.7, "20": 0.8, "21": 0.2}


def model_of(values):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(values["units"]), keras.layers.Dense(2)])
    model.compile("adam", "mse", metrics=["accuracy"])
    return model


def history_of(score):
    """Two epochs, the first the better one."""
    return {"loss": [0.9, 0.8], "accuracy": [0.4, 0.6], "val_loss": [0.7, 0.9], "val_accuracy": [score, score / 2]}


def folder(parent):
    project = parent / "search"
    project.mkdir()
    return project


class Simulated:
    """A search whose events are applied by hand."""

    def __init__(self, project, space=SPACE, objective=ACCURACY, seed=0, keep=3, workers=1):
        self.project, self.objective = project, objective
        self.progress = Progress(space, objective, 2, workers)
        self.store = Store(project, space, self.progress, seed, keep)

    def take(self, *events):
        for event in events:
            self.progress.apply(event)
            self.store.record(event)

    def train(self, trial, score, weights=True):
        """A whole trial, as a worker reports it; its weights are written before it ends."""
        self.take(TrialStarted(trial, 10.0), EpochUnderWay([trial], 1, 0.5))
        for epoch in (0, 1):
            self.take(EpochEnded(trial, epoch + 1, {name: values[epoch] for name, values in history_of(score).items()}))
        if weights:
            path = self.project / f"trial_{trial}" / "checkpoint.weights.h5"
            path.parent.mkdir(exist_ok=True)
            model = model_of(self.progress.trial(trial).values)
            model.save_weights(path)
            (path.parent / "build_config.json").write_text(json.dumps(model.get_build_config()))
        self.take(TrialEnded(trial, "done", score, 1, history_of(score), 2.5))

    def weights(self):
        return sorted(path.parent.name for path in self.project.glob("trial_*/checkpoint.weights.h5"))


@pytest.fixture
def finished(tmp_path):
    """Five trials of 24 done, one of every other end, the rest never tried."""
    search = Simulated(folder(tmp_path))
    search.take(StateChanged("running", 5.0))
    for trial, score in SCORES.items():
        search.train(trial, score)
    search.take(TrialStarted("00", 10.0), TrialEnded("00", "failed", error="ValueError: no", seconds=0.1))
    search.take(TrialStarted("01", 10.0), TrialEnded("01", "diverged", history={"loss": [math.nan]}, error="NaN"))
    search.take(TrialStarted("02", 10.0), TrialEnded("02", "stopped", error="the search was stopped"))
    search.take(StateChanged("stopped", 60.0))
    search.store.write_oracle()
    return search


def reloaded(search):
    return keras_tuner.GridSearch(
        lambda hp: model_of(hp.values),
        objective=keras_tuner.Objective(search.objective.name, search.objective.direction),
        max_trials=len(search.progress.trials),
        directory=str(search.project.parent),
        project_name=search.project.name,
    )


# ---- KerasTuner reloads it


def test_keras_tuner_finds_the_trials_with_their_values_scores_and_statuses(finished):
    trials = reloaded(finished).oracle.trials
    ended = [trial for trial in finished.progress.trials if trial.ended]
    assert set(trials) == {trial.id for trial in ended}
    for trial in ended:
        assert trials[trial.id].hyperparameters.values == dict(trial.values)
        assert trials[trial.id].score == trial.score
    assert {id: str(trials[id].status) for id in ("00", "01", "02", "07")} == {
        "00": "FAILED",
        "01": "FAILED",
        "02": "STOPPED",
        "07": "COMPLETED",
    }
    assert trials["00"].message == "ValueError: no"


def test_keras_tuner_ranks_as_nbtune_does(finished):
    tuner = reloaded(finished)
    assert [trial.trial_id for trial in tuner.oracle.get_best_trials(5)] == ["07", "20", "11", "03", "21"]
    assert [trial.id for trial in finished.progress.ranking] == ["07", "20", "11", "03", "21"]
    assert tuner.get_best_hyperparameters()[0].values == dict(finished.progress.best.values)


def test_keras_tuner_ranks_a_minimised_objective_too(tmp_path):
    search = Simulated(folder(tmp_path), objective=Objective("val_loss", "min"))
    for trial, score in SCORES.items():
        search.take(TrialStarted(trial, 0.0), TrialEnded(trial, "done", score, 1, {"val_loss": [score]}))
    search.store.write_oracle()
    best = reloaded(search).oracle.get_best_trials(2)
    assert [(trial.trial_id, trial.score) for trial in best] == [("21", 0.2), ("03", 0.5)]


def test_keras_tuner_knows_the_metrics_of_the_best_epoch(finished):
    trial = reloaded(finished).oracle.trials["07"]
    assert trial.best_step == 0
    assert trial.metrics.get_best_value("val_accuracy") == 0.9
    assert trial.metrics.get_best_value("val_loss") == 0.7
    assert trial.metrics.get_direction("val_accuracy") == "max"
    assert trial.metrics.get_direction("accuracy") == "max"
    assert trial.metrics.get_direction("val_loss") == "min"


def test_keras_tuner_knows_the_space(finished):
    hyperparameters = reloaded(finished).oracle.get_space()
    assert {hp.name: list(hp.values) for hp in hyperparameters.space} == {axis.name: list(axis.values) for axis in SPACE.axes}


def test_keras_tuner_loads_the_best_models_with_their_weights(finished):
    models = reloaded(finished).get_best_models(3)
    for model, trial in zip(models, finished.progress.ranking, strict=False):
        own = model_of(trial.values)
        own.load_weights(finished.project / f"trial_{trial.id}" / "checkpoint.weights.h5")
        for found, expected in zip(model.get_weights(), own.get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_keras_tuner_prints_its_summary(finished, capsys):
    reloaded(finished).results_summary()
    printed = capsys.readouterr().out
    assert "Trial 07 summary" in printed
    assert "Score: 0.9" in printed


def test_an_unfinished_project_can_be_reloaded_as_well(tmp_path):
    search = Simulated(folder(tmp_path))
    search.train("05", 0.5)
    search.take(TrialStarted("06", 3.0))
    search.store.write_oracle()
    assert set(reloaded(search).oracle.trials) == {"05"}


def test_a_project_of_a_killed_kernel_can_be_reloaded(tmp_path):
    search = Simulated(folder(tmp_path))
    search.train("05", 0.5)  # and nothing is closed
    assert [trial.trial_id for trial in reloaded(search).oracle.get_best_trials(5)] == ["05"]


def test_conditional_values_are_reloaded(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["plain", "deep"])
    with hp.conditional_scope("kind", ["deep"]):
        hp.Int("units", 4, 8, step=4)
    combinations = [{"kind": "plain"}, {"kind": "deep", "units": 4}, {"kind": "deep", "units": 8}]
    search = Simulated(folder(tmp_path), Space.listed(combinations, hp.get_config()["space"]))
    for i, score in enumerate((0.1, 0.9, 0.5)):
        search.take(TrialStarted(str(i), 0.0), TrialEnded(str(i), "done", score, 1, {"val_accuracy": [score]}))
    search.store.write_oracle()
    tuner = reloaded(search)
    assert [tuner.oracle.trials[str(i)].hyperparameters.values for i in range(3)] == combinations
    assert tuner.get_best_hyperparameters()[0].values == {"kind": "deep", "units": 4}


# ---- the log


def test_the_log_replays_to_the_same_progress(finished):
    replayed = Progress(SPACE, ACCURACY, 2, 1)
    for event in log.read(finished.project).events:
        replayed.apply(event)
    assert repr(replayed.trials) == repr(finished.progress.trials)
    assert replayed.coverage == finished.progress.coverage
    assert replayed.state == finished.progress.state == "stopped"
    assert replayed.seconds_spent(1e9) == finished.progress.seconds_spent(1e9) == 55


def test_what_happened_is_on_disk_as_soon_as_it_is_known(tmp_path):
    search = Simulated(folder(tmp_path))
    for n, event in enumerate([StateChanged("running", 1.0), TrialStarted("00", 2.0), TrialEnded("00", "failed")], 1):
        search.take(event)
        assert len((search.project / "events.jsonl").read_text().splitlines()) == n


def test_text_in_any_script_survives(tmp_path):
    search = Simulated(folder(tmp_path))
    search.take(TrialEnded("00", "failed", error="Fehler: größer — 大きい\nzweite Zeile"))
    search.store.write_oracle()
    (event,) = log.read(search.project).events
    assert event.error == "Fehler: größer — 大きい\nzweite Zeile"
    assert reloaded(search).oracle.trials["00"].message == "Fehler: größer — 大きい\nzweite Zeile"


# ---- files


def test_only_the_best_trials_keep_their_weights(finished):
    assert finished.weights() == ["trial_07", "trial_11", "trial_20"]


@pytest.mark.parametrize("keep", [1, 2, 4, 99])
def test_as_many_as_were_asked_for_at_every_moment(tmp_path, keep):
    search = Simulated(folder(tmp_path), keep=keep)
    for n, (trial, score) in enumerate(SCORES.items(), 1):
        search.train(trial, score)
        ranked = sorted(list(SCORES)[:n], key=SCORES.get, reverse=True)
        assert search.weights() == sorted(f"trial_{trial}" for trial in ranked[:keep])


def test_no_half_written_file_is_left_and_every_json_is_whole(finished):
    files = [path for path in finished.project.rglob("*") if path.is_file()]
    assert not [path for path in files if "partial" in path.name]
    whole = [json.loads(path.read_text()) for path in files if path.suffix == ".json"]
    assert len(whole) == len(["tuner0", "oracle"]) + 8 + 5  # a trial.json for each that ended, a build_config.json for each model


def test_a_reader_never_sees_half_a_file(tmp_path, monkeypatch):
    search = Simulated(folder(tmp_path))
    search.train("05", 0.5, weights=False)
    before = (search.project / "oracle.json").read_text()
    monkeypatch.setattr("os.replace", lambda *_, **__: (_ for _ in ()).throw(OSError("killed here")))
    with pytest.raises(OSError, match="killed here"):
        search.store.write_oracle()
    assert (search.project / "oracle.json").read_text() == before
    assert json.loads(before)


@pytest.mark.parametrize("room", range(0, 65_537, 4096))
def test_a_disk_that_fills_at_any_step_loses_nothing(small_disk, room):
    search = Simulated(folder(small_disk))
    fill(small_disk, room)
    refused = 0
    for trial in [f"{i:02d}" for i in range(24)]:
        for event in (TrialStarted(trial, 10.0), TrialEnded(trial, "done", 0.9, 1, history_of(0.9), 2.5)):
            search.progress.apply(event)
            try:
                search.store.record(event)
            except OSError:
                refused += 1
    assert refused
    assert search.store.unwritten
    (small_disk / "filler").unlink()
    search.store.record()
    search.store.write_oracle()
    read = log.read(search.project)
    assert len(read.events) == 48
    assert not read.damaged
    assert not read.gaps
    assert len(reloaded(search).oracle.trials) == 24
    assert not list(search.project.rglob("*.partial"))


def test_nothing_is_pickled(finished):
    kinds = {path.suffix for path in finished.project.rglob("*") if path.is_file()}
    assert kinds == {".json", ".jsonl", ".h5"}


# ---- projects


def new_project(directory, name):
    from nbtune.record.project import Project

    return Project.open(directory, name, fingerprint=None, fresh=True).path


def test_a_new_project_never_writes_over_an_earlier_one(tmp_path):
    first = new_project(tmp_path / "runs" / "here", "search")
    (first / "mine.txt").write_text("keep me")
    others = [new_project(tmp_path / "runs" / "here", "search") for _ in range(3)]
    assert len({first, *others}) == 4
    assert (first / "mine.txt").read_text() == "keep me"
    assert [project.name for project in (first, *others)] == ["search", "search-2", "search-3", "search-4"]
    assert all(project.is_dir() and project.is_absolute() for project in others)
    assert not [path for project in others for path in project.glob("*.txt")]


def test_a_file_of_that_name_is_not_written_over(tmp_path):
    (tmp_path / "search").write_text("a file")
    assert new_project(tmp_path, "search").name == "search-2"
    assert (tmp_path / "search").read_text() == "a file"


@pytest.mark.parametrize("below", ["", "deeper", "deeper/still"])
def test_a_folder_that_cannot_be_written_is_a_mistake_in_one_line(tmp_path, below):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UsageError, match=r"cannot write to .*--dir") as error:
        new_project(tmp_path / "file" / below, "search")
    assert len(str(error.value).splitlines()) == 1
