"""How a search, a trial or a request ends before its time, in words."""

from __future__ import annotations

from pathlib import Path

from nbtune.errors import FilesGone, NoRoom, UsageError
from nbtune.record.events import PENDING, RUNNING, STOPPED, TrialEnded
from nbtune.record.progress import Progress, Trial
from nbtune.run.opening import LOG


class Refused(Exception):
    """What the user asked for is not possible now; nothing has changed."""


def hands_in(trial: Trial) -> bool:
    """Whether something is to be had of a trial when it is stopped: nothing before its first epoch of this run has ended."""
    return trial.status == RUNNING and trial.last is not None and (trial.epochs > 0 or trial.run > 0)


def stopped(progress: Progress, at: float) -> list[TrialEnded]:
    """The ends of all trials that have begun, now or before they were to be trained further, with what is known of them."""
    return [
        _stopped(trial, at)
        for trial in progress.trials
        if trial.status == RUNNING or (trial.status == PENDING and trial.score is not None)
    ]


def _stopped(trial: Trial, at: float) -> TrialEnded:
    """Of one that was under way and handed nothing in the weights are lost."""
    return TrialEnded(
        trial.id,
        STOPPED,
        trial.score,
        trial.best_epoch,
        {name: list(values) for name, values in trial.history.items()},
        trial.seconds if trial.status == PENDING else at - (trial.started or at),
        trial.error or "the search was stopped",
        list(trial.scores),
        trial.weights,
        list(trial.rates),
        trial.size,
    )


def blame(error: BaseException) -> str:
    if isinstance(error, (UsageError, NoRoom)):
        return str(error)
    if isinstance(error, FilesGone):
        return f"{error}; when you resume, it is written again"
    if isinstance(error, OSError):
        return f"cannot use {error.filename or 'the disk'}: {error.strerror or error}"
    return f"a fault of nbtune, not of your function: {type(error).__name__}: {error}; its traceback is in {LOG}"


def unwritten(project: Path, error: OSError) -> str:
    if not project.is_dir():
        return f"{project} was removed while the search wrote to it; stop the search and run it again"
    return f"cannot write to {project}: {error.strerror or error}; make room, then resume"
