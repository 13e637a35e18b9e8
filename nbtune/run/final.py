"""What the final model is made of: for how many epochs, on which rows, of which layers."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace
from statistics import median_high

from nbtune.data import arrays
from nbtune.data.content import live
from nbtune.data.fingerprint import function_of
from nbtune.data.rows import Data, Inputs
from nbtune.data.tree import map_leaves
from nbtune.execution.local import pickling
from nbtune.record.job import Job
from nbtune.record.progress import Trial
from nbtune.run.prepare import Request


def usual_epochs(job: Job, trial: Trial) -> int:
    """A trial's best epoch; with folds the median of theirs, the later one of two in the middle."""
    return median_high(trial.best_epochs) if job.folds > 1 and trial.best_epochs else trial.best_epoch or 1


def rows_of_run(job: Job, run: Job, data: Data) -> Inputs:
    """The features that a run of a job trains on where it is of a fold, to which layers are adapted; else all."""
    if run.fold is None:
        return data.x
    rows = arrays.folds_of(data, job.targets, job.seed)[run.fold].train
    return map_leaves(lambda leaf: leaf[rows], data.x)


def as_begun(job: Job, request: Request) -> Job:
    """The job with the user's function as it was when the search began, where it, or what it reads, has changed since."""
    begun = request.fingerprint and request.fingerprint["function"]
    if begun and begun == function_of(request.function, request.patches.things):
        return job
    if job.frozen:
        return replace(job, **live.again(job.frozen, modules_too=False))
    if begun:
        warnings.warn(f"{request.function.name}, or something that it reads, has changed since the search began", stacklevel=3)
    return job


def apart(job: Job) -> Job:
    """The job with layers of its own, where folds adapt some that are around the user's function: theirs stay as they are."""
    if job.look.adapted and (job.folds > 1 or job.fold is not None):
        return replace(job, function=pickle.loads(pickling.dumps(job.function)))
    return job
