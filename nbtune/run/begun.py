"""The user's function as it was when the search began, which may have changed in the notebook since."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace

from nbtune.data.content import thaw
from nbtune.data.fingerprint import function_of
from nbtune.execution.local import pickling
from nbtune.record.job import Job
from nbtune.run.request import Request


def as_begun(job: Job, request: Request) -> Job:
    """The job with the user's function as it was when the search began, where it, or what it reads, has changed since."""
    begun = request.fingerprint and request.fingerprint["function"]
    if begun and begun == function_of(request.function, request.patches.things):
        return job
    if job.frozen:
        return replace(job, **thaw.again(job.frozen, modules_too=False))
    if begun:
        warnings.warn(f"{request.function.name}, or something that it reads, has changed since the search began", stacklevel=4)
    return job


def apart(job: Job) -> Job:
    """The job with layers of its own, where folds adapt some that are around the user's function: theirs stay as they are."""
    if job.look.adapted and (job.folds > 1 or job.fold is not None):
        return replace(job, function=pickle.loads(pickling.dumps(job.function)))
    return job
