"""A trial's weights in the project, where stock KerasTuner looks for them."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import keras

from nbtune.record import files
from nbtune.record.events import STOPPED, DiskFull, Emit, Stopping, TrialEnded
from nbtune.record.job import Job
from nbtune.training.stopping import never

SECONDS_BETWEEN_TRIES = 1


def keep(job: Job, emit: Emit, trial: str, model: keras.Model, stopping: Stopping = never, fold: int | None = None) -> str | None:
    """Saves a trial's weights in the project, or those of one of its folds; returns their stamp.

    Where the disk is full it says so and goes on trying, for they would be lost; None where it is to stop meanwhile.
    """
    path = job.weights(trial) if fold is None else job.weights_of_fold(trial, fold)
    while True:
        try:
            return save(model, path, job.project)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
        emit([DiskFull(trial, os.strerror(errno.ENOSPC))])
        if stopping():
            return None
        time.sleep(SECONDS_BETWEEN_TRIES)


def handed_in(ended: TrialEnded, stamp: str | None) -> TrialEnded:
    """A trial's end with the stamp of its weights. Where they found no room it is "stopped", so that it is trained again."""
    if stamp is not None:
        return replace(ended, weights=stamp)
    return replace(ended, status=STOPPED, error=ended.error or "there was no room on the disk for its weights")


def save(model: keras.Model, path: Path, project: Path) -> str:
    """Writes the weights whole or not at all, and beside them what stock KerasTuner needs to build the model.

    Returns:
        The stamp of the weights.
    """
    files.write(path.parent / "build_config.json", project, json.dumps(model.get_build_config()).encode())
    partial = path.with_name(f".{secrets.token_hex(8)}.weights.h5")  # in a folder that is none of ours it would fail before
    try:
        with tempfile.TemporaryDirectory() as folder:  # first: where a disk is full, HDF5 crashes at times
            model.save_weights(Path(folder, partial.name))
            shutil.copyfile(Path(folder, partial.name), partial)
        stamp = files.stamp(partial, project)
        files.put(partial, path, project)
    finally:
        partial.unlink(missing_ok=True)
    return stamp
