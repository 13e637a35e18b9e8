"""Where a trial stands that has not ended, in a file of its own: what it came to so far, and all that it goes on with.

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
from nbtune.record.events import STOPPED, Checkpointed, TrialEnded

FILE = "unfinished.state"
MOST_BYTES, MOST_IN_LINE = 2**33, 2**26
PARTS = ("weights", "others", "slots", "best")


@dataclass(frozen=True)
class Checkpoint:
    """A trial after an epoch.

    Attributes:
        end: what it came to so far, as if it had been stopped there.
        wait: `EarlyStopping`'s count of epochs without improvement.
        weights, others, slots: the model's trainable variables, its other ones and those of its optimizer.
        best: the model's weights at the best epoch.
        callbacks: the numbers that each of the other callbacks keeps.
        rate: the learning rate, where it is no schedule's.
    """

    end: TrialEnded
    wait: int
    weights: Sequence[np.ndarray]
    others: Sequence[np.ndarray]
    slots: Sequence[np.ndarray]
    best: Sequence[np.ndarray]
    callbacks: Sequence[Mapping[str, float]] = ()
    rate: float | None = None

    @property
    def epochs(self) -> int:
        return max(map(len, self.end.history.values()), default=0)


def write(project: Path, values: Mapping[str, Value], checkpoint: Checkpoint) -> None:
    """Raises OSError where it cannot be written; the one before stays then."""
    held = io.BytesIO()
    arrays = {f"{part}-{i}": value for part in PARTS for i, value in enumerate(getattr(checkpoint, part))}
    np.savez(held, **arrays)
    payload = held.getbuffer()
    others = [dict(state) for state in checkpoint.callbacks]
    facts = Checkpointed(checkpoint.end.trial, dict(values), checkpoint.wait, _stamp(payload), others, checkpoint.rate)
    lines = b"".join(log.checked([facts, checkpoint.end]))
    files.write(_path(project, checkpoint.end.trial), project, lines + payload)


def remove(project: Path, trial: str) -> None:
    files.remove(_path(project, trial), project)


def end_of(project: Path, trial: str, values: Mapping[str, Value]) -> TrialEnded | None:
    """What a combination had come to when this was written; None where there is no such file, or it is damaged."""
    found = _head(project, trial, values)
    return found and found[0]


def read(project: Path, trial: str, values: Mapping[str, Value]) -> Checkpoint | None:
    """None where there is none of this combination, or it is damaged."""
    found = _head(project, trial, values)
    if found is None:
        return None
    end, facts, start = found
    try:
        payload = files.read(_path(project, trial), project, MOST_BYTES)[start:]
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


def _head(project: Path, trial: str, values: Mapping[str, Value]) -> tuple[TrialEnded, Checkpointed, int] | None:
    """What it came to, what else is said, and where the arrays begin."""
    try:
        with os.fdopen(files.opened(_path(project, trial), project), "rb") as file:
            lines = [file.readline(MOST_IN_LINE) for _ in range(2)]
        match log.parsed(lines):
            case (Checkpointed() as facts, TrialEnded() as end) if facts.trial == end.trial == trial and end.status == STOPPED:
                return (end, facts, sum(map(len, lines))) if facts.values == dict(values) else None
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return None


def _path(project: Path, trial: str) -> Path:
    return project / f"trial_{trial}" / FILE


def _stamp(payload: Any) -> str:
    return hashlib.blake2b(payload, digest_size=16).hexdigest()
