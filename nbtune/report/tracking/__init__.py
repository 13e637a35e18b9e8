"""A search as TensorBoard, MLflow, Weights & Biases and Optuna keep it. Each module imports the package that it writes for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from nbtune.ask.names import check_installed
from nbtune.record.progress import Progress
from nbtune.report.tracking.follow import Follower, Tracker

KINDS = ("tensorboard", "mlflow", "wandb", "optuna")


def tracker(kind: str, progress: Progress, name: str, place: Path | str) -> Tracker:
    """One of `KINDS`, which writes a search called `name` to `place`.

    Raises:
        UsageError: its package is not installed.
    """
    check_installed(kind)
    match kind:
        case "tensorboard":
            from nbtune.report.tracking.tensorboard import TensorBoard

            return TensorBoard(progress, Path(place))
        case "mlflow":
            from nbtune.report.tracking.mlflow import MLflow

            return MLflow(progress, name, place)
        case "wandb":
            from nbtune.report.tracking.wandb import WandB

            return WandB(progress, name, Path(place))
        case _:
            from nbtune.report.tracking.optuna import Study

            return Study(progress, name, Path(place))


def followers(progress: Progress, project: Path, kinds: Iterable[str]) -> list[Follower]:
    """What `--log` asks for, below the project: `logs/tensorboard`, `logs/mlflow.db` (or MLFLOW_TRACKING_URI), `logs/wandb`."""
    logs = project / "logs"
    places: dict[str, Path | str] = {
        "tensorboard": logs / "tensorboard",
        "mlflow": os.environ.get("MLFLOW_TRACKING_URI") or logs / "mlflow.db",
        "wandb": logs,
    }
    return [Follower(progress, kind, partial(tracker, kind, progress, project.name, places[kind])) for kind in kinds]
