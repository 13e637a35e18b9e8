"""MLflow: an experiment a search, a run a trial."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from nbtune.record.events import DONE
from nbtune.record.progress import Progress, Trial
from nbtune.report.tracking.follow import plain


class MLflow:
    """Writes to a tracking server (`place` has `://`) or to a database in a file, which is made if there is none."""

    def __init__(self, progress: Progress, name: str, place: Path | str) -> None:
        self._objective = progress.objective.name
        if "://" not in str(place):
            Path(place).parent.mkdir(parents=True, exist_ok=True)
        self._client = MlflowClient(address(place))
        found = self._client.get_experiment_by_name(name)
        artifacts = None if "://" in str(place) else Path(place).absolute().with_suffix(".artifacts").as_uri()
        self._experiment = found.experiment_id if found else self._client.create_experiment(name, artifacts)
        self._runs: dict[str, str] = {}

    def begin(self, trial: Trial) -> None:
        started = int((trial.started or time.time()) * 1000)
        run = self._client.create_run(self._experiment, start_time=started, run_name=trial.label, tags={"trial": trial.id})
        self._runs[trial.id] = run.info.run_id
        self._client.log_batch(run.info.run_id, params=[Param(name, str(value)) for name, value in plain(trial).items()])

    def epoch(self, trial: Trial, epoch: int, logs: Mapping[str, float]) -> None:
        now = int(time.time() * 1000)
        self._client.log_batch(self._runs[trial.id], metrics=[Metric(name, value, now, epoch) for name, value in logs.items()])

    def end(self, trial: Trial) -> None:
        run = self._runs.pop(trial.id)
        if trial.score is not None:
            self._client.log_metric(run, f"best_{self._objective}", trial.score)
        if trial.error:
            self._client.set_tag(run, "error", trial.error.strip().rpartition("\n")[2][:500])
        self._client.set_terminated(run, "FINISHED" if trial.status == DONE else "FAILED")

    def close(self) -> None:
        for run in self._runs.values():
            self._client.set_terminated(run, "KILLED")
        self._runs.clear()


def address(place: Path | str) -> str:
    """MLflow's address of a database in a file; of a server the one that was given."""
    return str(place) if "://" in str(place) else f"sqlite:///{Path(place).absolute()}"
