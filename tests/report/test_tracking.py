"""What TensorBoard, MLflow, Weights & Biases and Optuna read of a search, by their own readers."""

from __future__ import annotations

import importlib.util
import sys
from subprocess import run
from zipfile import ZipFile

import pytest

import nbtune
from nbtune.errors import UsageError
from nbtune.report.export import export
from tests.views.conftest import fifty_four, product, search  # noqa: F401 - a fixture among them


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / ".nbtune" / "digits"
    folder.mkdir(parents=True)
    (folder / "events.jsonl").write_text("{}\n")
    return folder


def exported(progress, project, kind, path):
    if importlib.util.find_spec(kind) is None:
        pytest.skip(f"{kind} is not installed")
    return export(progress, project, kind, path)


def scalars(folder, trial):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(folder / trial))
    reader.Reload()
    return reader


def test_tensorboard_reads_each_epoch_and_the_hyperparameters(fifty_four, project, tmp_path):  # noqa: F811
    folder = exported(fifty_four, project, "tensorboard", tmp_path / "runs")
    best = fifty_four.best
    reader = scalars(folder, best.id)
    found = [(event.step, event.value) for event in reader.Scalars("val_accuracy")]
    assert found == [(i + 1, pytest.approx(value)) for i, value in enumerate(best.history["val_accuracy"])]

    from tensorboard.plugins.hparams import metadata

    plugin = reader.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data
    start = metadata.parse_session_start_info_plugin_data(plugin.content)
    assert start.hparams["units"].number_value == best.values["units"]
    assert len(list(folder.glob("*/events.out.tfevents.*"))) == sum(bool(t.history) or t.ended for t in fifty_four.trials)


def test_tensorboard_is_written_without_tensorflow(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tests.views.conftest import done, product, search\n"
        "from nbtune.report.export import export\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "export(search(product(units=[1]), events=[done('0', 0.5)]), folder, 'tensorboard', folder)\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_optuna_study_has_every_trial_that_ended(fifty_four, project, tmp_path):  # noqa: F811
    for _ in range(2):  # written once more, it is replaced
        file = exported(fifty_four, project, "optuna", tmp_path / "study.db")
    import optuna

    study = optuna.load_study(study_name="digits", storage=f"sqlite:///{file}")
    assert study.best_value == fifty_four.best.score
    assert study.best_params == dict(fifty_four.best.values)
    assert len(study.trials) == fifty_four.ended


def test_mlflow_has_a_run_a_trial(fifty_four, project, tmp_path):  # noqa: F811
    file = exported(fifty_four, project, "mlflow", tmp_path / "runs.db")
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{file}")
    runs = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    best = next(r for r in runs if r.data.tags["trial"] == fifty_four.best.id)
    assert best.data.metrics["best_val_accuracy"] == fifty_four.best.score
    assert best.data.params["units"] == str(fifty_four.best.values["units"])
    assert len(client.get_metric_history(best.info.run_id, "val_accuracy")) == fifty_four.best.epochs


def test_a_zip_unpacks_to_the_project(project, tmp_path):
    file = export(search(product(units=[1])), project, "zip", tmp_path / "digits.zip")
    assert ZipFile(file).namelist() == [".nbtune/digits/events.jsonl"]


def test_a_tracker_that_is_not_installed_is_a_mistake_of_one_line(project, tmp_path, monkeypatch):
    monkeypatch.setattr("nbtune.ask.names.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="mlflow is not installed here; run %pip install mlflow"):
        export(search(product(units=[1])), project, "mlflow", tmp_path / "m.db")


def test_a_log_that_cannot_be_written_is_told_before_anything_is_trained(flowers, tmp_path, monkeypatch):
    monkeypatch.setattr("nbtune.ask.names.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="wandb is not installed here"):
        nbtune.tune(build, data=flowers, units=[2], workers=0, dir=tmp_path, log=["wandb"])
    assert list(tmp_path.iterdir()) == []


def test_a_search_is_logged_while_it_runs(flowers, tmp_path):
    x, y = flowers
    asked = {"data": (x, y), "units": [2, 4], "epochs": 2, "workers": 0, "dir": tmp_path, "log": "tensorboard"}
    found = nbtune.tune(build, **asked)
    folder = found.directory / "logs" / "tensorboard"
    for trial in found.trials:
        assert len(scalars(folder, trial.id).Scalars("val_loss")) == 2
    before = sorted(folder.rglob("*"))
    nbtune.tune(build, **asked)
    assert sorted(path for path in folder.rglob("*") if path.parent != folder) == [p for p in before if p.parent != folder]


def build(units):
    import keras

    layers = [keras.Input((4,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    return keras.Sequential(layers)
