"""Where a run of a trial stands, in a file of its own: what it came to so far, and all that the trial goes on with.

A line of JSON, with its check as in the log, and behind it the arrays as NumPy's `.npz`, whose hash the line has. It is
written whole or not at all, so that whoever is killed leaves the last one.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nbtune.ask.space import Value
from nbtune.record import files, log
from nbtune.record.events import DONE, Checkpointed, TrialEnded

FILES = "unfinished*.state"
MOST_BYTES, MOST_IN_LINE = 2**33, 2**26
PARTS = ("weights", "others", "slots", "best", "draws")


@dataclass(frozen=True)
class Checkpoint:
    """A run of a trial after an epoch; a trial has one, or with repeats or folds several.

    Attributes:
        end: what it came to, as if it had been stopped there unless it has ended.
        wait: `EarlyStopping`'s count of epochs without improvement.
        weights, others, slots: the model's trainable variables, its other ones and those of its optimizer.
        best: the model's weights at the best epoch; empty where the run has ended, and the others are those.
        callbacks: the numbers that each of the other callbacks keeps.
        rate: the learning rate, where it is no schedule's.
        draws: states of the random generators that steps draw from and the model does not hold.
    """

    end: TrialEnded
    wait: int
    weights: Sequence[np.ndarray]
    others: Sequence[np.ndarray]
    slots: Sequence[np.ndarray]
    best: Sequence[np.ndarray]
    callbacks: Sequence[Mapping[str, float]] = ()
    rate: float | None = None
    draws: Sequence[np.ndarray] = ()

    @property
    def epochs(self) -> int:
        return max(map(len, self.end.history.values()), default=0)

    @property
    def has_ended(self) -> bool:
        """Nothing is left to train, but other runs of its trial are."""
        return self.end.status == DONE


def write(project: Path, values: Mapping[str, Value], checkpoint: Checkpoint, run: int = 0) -> None:
    """Of the run of this number. Raises OSError where it cannot be written; the one before stays then."""
    held = io.BytesIO()
    arrays = {f"{part}-{i}": value for part in PARTS for i, value in enumerate(getattr(checkpoint, part))}
    np.savez(held, **arrays)
    payload = held.getbuffer()
    others = [dict(state) for state in checkpoint.callbacks]
    facts = Checkpointed(checkpoint.end.trial, dict(values), checkpoint.wait, _stamp(payload), others, checkpoint.rate)
    lines = b"".join(log.checked([facts, checkpoint.end]))
    files.write(_path(project, checkpoint.end.trial, run), project, lines + payload)


def remove(project: Path, trial: str) -> None:
    """Those of all runs."""
    for path in _path(project, trial, 0).parent.glob(FILES):
        files.remove(path, project)


def ends_of(project: Path, trial: str, values: Mapping[str, Value], runs: int = 1) -> list[TrialEnded]:
    """What the runs of a combination had come to when this was written; without those whose file is not there, or damaged."""
    return [found[0] for run in range(runs) if (found := _head(project, trial, values, run))]


def read(project: Path, trial: str, values: Mapping[str, Value], run: int = 0) -> Checkpoint | None:
    """None where there is none of this run of the combination, or it is damaged."""
    found = _head(project, trial, values, run)
    if found is None:
        return None
    end, facts, start = found
    try:
        payload = files.read(_path(project, trial, run), project, MOST_BYTES)[start:]
        if _stamp(payload) != facts.stamp:
            return None
        with zipfile.ZipFile(io.BytesIO(payload)) as packed:
            if any(part.compress_type != zipfile.ZIP_STORED for part in packed.infolist()):  # which could fill the memory
                return None
        with np.load(io.BytesIO(payload), allow_pickle=False) as held:
            parts = {part: [held[name] for name in held.files if name.startswith(f"{part}-")] for part in PARTS}
    except (OSError, ValueError, MemoryError, zipfile.BadZipFile):
        return None
    return Checkpoint(end, facts.wait, **parts, callbacks=facts.callbacks, rate=facts.rate)


def _head(project: Path, trial: str, values: Mapping[str, Value], run: int) -> tuple[TrialEnded, Checkpointed, int] | None:
    """What it came to, what else is said, and where the arrays begin."""
    try:
        with os.fdopen(files.opened(_path(project, trial, run), project), "rb") as file:
            lines = [file.readline(MOST_IN_LINE) for _ in range(2)]
        match log.parsed(lines):
            case (Checkpointed() as facts, TrialEnded(status=("stopped" | "done")) as end) if facts.trial == end.trial == trial:
                return (end, facts, sum(map(len, lines))) if facts.values == dict(values) else None
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return None


def _path(project: Path, trial: str, run: int) -> Path:
    return project / f"trial_{trial}" / f"unfinished_{run}.state"


def _stamp(payload: Any) -> str:
    return hashlib.blake2b(payload, digest_size=16).hexdigest()
