"""The user's own callbacks, made anew for each trial."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from nbtune.ask.space import Value
from nbtune.errors import UsageError
from nbtune.record.job import Terms

# Where Keras's callbacks keep the path that they write to.
_PATHS = ("filename", "log_dir", "filepath", "backup_dir", "_backup_dir", "_log_dir")

# They ask of a model no more than a `fused.member.Member` has, when training and epochs begin and end.
_IN_STACKS = ("CSVLogger", "EarlyStopping", "LearningRateScheduler", "ReduceLROnPlateau", "TerminateOnNaN")


def made_callbacks(job: Terms, values: Mapping[str, Value], folder: Path | None = None) -> list[keras.callbacks.Callback]:
    """The callbacks of a trial with these values.

    Args:
        folder: what they write to a relative path goes below it; None where they are only looked at.

    Raises:
        UsageError: the factory returns something else.
    """
    if job.callbacks is None:
        return []
    takes = inspect.signature(job.callbacks).parameters
    made = job.callbacks(dict(job.resolved(values))) if takes else job.callbacks()
    made = [made] if isinstance(made, keras.callbacks.Callback) else made
    if not isinstance(made, (list, tuple)) or not all(isinstance(each, keras.callbacks.Callback) for each in made):
        raise UsageError(f"callbacks must return a list of Keras callbacks, not {type(made).__name__}")
    if folder is not None:
        for callback in made:
            _write_below(callback, folder)
    return list(made)


def stack_obstacle(job: Terms, values: Mapping[str, Value]) -> str | None:
    """Why a trial's own callbacks cannot watch it in a stack; None if they can."""
    known = [getattr(keras.callbacks, name) for name in _IN_STACKS]
    odd = next((kind for callback in made_callbacks(job, values) if (kind := type(callback)) not in known), None)
    return f"the callback {odd.__name__}" if odd else None


def _write_below(callback: Any, folder: Path) -> None:
    """Moves the paths of a callback, and those that it has made of them, below a trial's folder.

    Absolute ones are where their owner wants them; but for backups, of which a trial would go on from another one's.
    """
    backs_up = isinstance(callback, keras.callbacks.BackupAndRestore)
    given = {name: Path(path) for name in _PATHS if isinstance(path := vars(callback).get(name), (str, Path))}
    moved = {path for path in given.values() if backs_up or not path.is_absolute()}
    folders = moved - {Path()}  # every text would be a path below that
    for name, text in list(vars(callback).items()):
        if not isinstance(text, (str, Path)):
            continue
        path = Path(text)
        if (name in given and path in moved) or folders & set(path.parents):
            top = next((above.parent for above in folders & {path, *path.parents} if above.is_absolute()), Path())
            below = folder / path.relative_to(top)
            below.parent.mkdir(parents=True, exist_ok=True)
            setattr(callback, name, type(text)(below))
    if backs_up and folders:  # of a worker that was killed: the trial begins anew
        shutil.rmtree(callback.backup_dir, ignore_errors=True)
