"""TensorBoard with its HParams page: a run a trial, written without TensorFlow.

The format of the HParams page: tensorboard.plugins.hparams, api.proto and plugin_data.proto.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.api_pb2 import Status
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric, hparams_config_pb, hparams_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from nbtune.record.events import DONE
from nbtune.record.progress import Progress, Trial
from nbtune.report.tracking.follow import plain


class TensorBoard:
    """Writes below `folder`; `tensorboard --logdir FOLDER` shows it."""

    def __init__(self, progress: Progress, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        root = _File(folder)
        root.write(summary=_experiment(progress))
        root.close()

    def begin(self, trial: Trial) -> None:
        self._files[trial.id] = _File(self._folder / trial.id)
        self._files[trial.id].write(summary=hparams_pb(plain(trial), trial_id=trial.id, start_time_secs=trial.started))

    def epoch(self, trial: Trial, epoch: int, logs: Mapping[str, float]) -> None:
        values = [Summary.Value(tag=name, simple_value=value) for name, value in logs.items()]
        self._files[trial.id].write(step=epoch, summary=Summary(value=values))

    def end(self, trial: Trial) -> None:
        file = self._files.pop(trial.id)
        status = Status.STATUS_SUCCESS if trial.status == DONE else Status.STATUS_FAILURE
        end = HParamsPluginData(session_end_info=SessionEndInfo(status=status, end_time_secs=time.time()))
        about = metadata.create_summary_metadata(end)
        ended = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR)
        file.write(summary=Summary(value=[ended]))
        file.close()

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()


class _File:
    """The one file of a run: what an earlier writing of the same run left is removed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for earlier in folder.glob("events.out.tfevents.*.nbtune"):
            earlier.unlink()
        self._file = (folder / f"events.out.tfevents.{int(time.time())}.{os.getpid()}.nbtune").open("wb")
        self._writer = RecordWriter(self._file)
        self.write(file_version="brain.Event:2")

    def write(self, **fields: Any) -> None:
        self._writer.write(Event(wall_time=time.time(), **fields).SerializeToString())
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def _experiment(progress: Progress) -> Summary:
    """What the HParams page offers as columns: each hyperparameter with its values, and the objective."""
    columns: dict[str, dict[Any, None]] = {}
    for trial in progress.trials:
        for name, value in plain(trial).items():
            columns.setdefault(name, {})[value] = None
    hyperparameters = [HParam(name, _domain(list(values))) for name, values in columns.items()]
    return hparams_config_pb(hyperparameters, [Metric(progress.objective.name)])


def _domain(values: list[Any]) -> Discrete | None:
    """The values of an axis of one kind; TensorBoard knows no axis of several."""
    return Discrete(values) if len({type(value) for value in values}) == 1 else None
