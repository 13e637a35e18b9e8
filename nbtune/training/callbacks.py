"""The user's own callbacks, made anew for each trial."""

from __future__ import annotations

import inspect
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from nbtune.ask.space import Value
from nbtune.errors import UsageError
from nbtune.record.job import Job

# Where Keras's callbacks keep the path that they write to.
_PATHS = ("filename", "log_dir", "filepath", "backup_dir", "_backup_dir", "_log_dir")


def made_callbacks(job: Job, values: Mapping[str, Value]) -> list[keras.callbacks.Callback]:
    """The callbacks of a trial with these values; what they write to a relative path goes below the trial's folder.

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
    folder = job.project / "callbacks" / _name(values)
    for callback in made:
        _write_below(callback, folder)
    return list(made)


def _name(values: Mapping[str, Value]) -> str:
    """A folder's name that is equal for equal values."""
    text = "_".join(f"{name}-{value}" for name, value in values.items())
    plain = "".join(char if char.isalnum() or char in "-_." else "-" for char in text)[:80]
    return f"{plain}_{zlib.crc32(json.dumps(dict(values)).encode()):08x}"


def _write_below(callback: Any, folder: Path) -> None:
    for name in _PATHS:
        path = vars(callback).get(name)
        if isinstance(path, (str, Path)) and not Path(path).is_absolute():
            folder.mkdir(parents=True, exist_ok=True)
            setattr(callback, name, type(path)(folder / path))
