"""An Optuna study in a SQLite file, which `optuna-dashboard` opens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from nbtune.record.events import DONE
from nbtune.record.progress import Progress, Trial
from nbtune.report.tracking.follow import plain


class Study:
    """Adds each trial when it ends: a study takes trials whole."""

    def __init__(self, progress: Progress, name: str, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        axes: dict[str, dict[Any, None]] = {}
        for trial in progress.trials:
            for axis, value in plain(trial).items():
                axes.setdefault(axis, {})[value] = None
        self._axes = {axis: CategoricalDistribution(list(values)) for axis, values in axes.items()}
        self._objective = progress.objective
        direction = {"max": "maximize", "min": "minimize"}[progress.objective.direction]
        storage = f"sqlite:///{file.absolute()}"
        if name in optuna.get_all_study_names(storage):
            optuna.delete_study(study_name=name, storage=storage)
        self._study = optuna.create_study(study_name=name, storage=storage, direction=direction)

    def begin(self, trial: Trial) -> None: ...

    def epoch(self, trial: Trial, epoch: int, logs: Mapping[str, float]) -> None: ...

    def end(self, trial: Trial) -> None:
        values = plain(trial)
        history = self._objective.by_epoch(self._objective.name, trial.history)
        done = trial.status == DONE and trial.score is not None
        self._study.add_trial(
            create_trial(
                state=TrialState.COMPLETE if done else TrialState.FAIL,
                value=trial.score if done else None,
                params=values,
                distributions={name: self._axes[name] for name in values},
                intermediate_values={epoch: value for epoch, value in enumerate(history, 1) if self._objective.validates(epoch)},
                user_attrs={"trial": trial.id, "status": trial.status, "best_epoch": trial.best_epoch, "seconds": trial.seconds},
            )
        )

    def close(self) -> None: ...
