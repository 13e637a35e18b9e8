"""Weights & Biases: a run a trial, offline unless `WANDB_MODE` says otherwise (`wandb sync` sends such runs later)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb

from nbtune.record.events import DONE
from nbtune.record.progress import Progress, Trial
from nbtune.report.tracking.follow import plain


class WandB:
    """Writes below `folder`, in a folder `wandb` of its own."""

    def __init__(self, progress: Progress, name: str, folder: Path) -> None:
        self._objective, self._name, self._folder = progress.objective.name, name, folder
        self._runs: dict[str, Any] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, trial: Trial) -> None:
        self._runs[trial.id] = wandb.init(
            project=self._name,
            group=self._name,
            name=trial.label,
            config={"trial": trial.id, **plain(trial)},
            dir=self._folder,
            mode=os.environ.get("WANDB_MODE", "offline"),
            reinit="create_new",
            settings=wandb.Settings(silent=True, console="off", disable_git=True, save_code=False),
        )

    def epoch(self, trial: Trial, epoch: int, logs: Mapping[str, float]) -> None:
        self._runs[trial.id].log(dict(logs), step=epoch)

    def end(self, trial: Trial) -> None:
        run = self._runs.pop(trial.id)
        run.summary.update({"status": trial.status, f"best_{self._objective}": trial.score, "best_epoch": trial.best_epoch})
        run.finish(exit_code=0 if trial.status == DONE else 1)

    def close(self) -> None:
        for run in self._runs.values():
            run.finish(exit_code=1)
        self._runs.clear()
