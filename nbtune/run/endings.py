"""How a search, a trial or a request ends before its time, in words."""

from __future__ import annotations

from pathlib import Path

from nbtune.errors import UsageError
from nbtune.record.events import STOPPED, TrialEnded
from nbtune.record.progress import Trial
from nbtune.run.opening import LOG


class Refused(Exception):
    """What the user asked for is not possible now; nothing has changed."""


def stopped(trial: Trial, at: float) -> TrialEnded:
    return TrialEnded(trial.id, STOPPED, seconds=at - (trial.started or at), error="the search was stopped")


def blame(error: BaseException) -> str:
    if isinstance(error, UsageError):
        return str(error)
    if isinstance(error, OSError):
        return f"cannot use {error.filename or 'the disk'}: {error.strerror or error}"
    return f"a fault of nbtune, not of your function: {type(error).__name__}: {error}; its traceback is in {LOG}"


def unwritten(project: Path, error: OSError) -> str:
    return f"cannot write to {project}: {error.strerror or error}; make room, then resume"
