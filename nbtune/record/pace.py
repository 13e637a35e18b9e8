"""How fast this machine makes and trains stacks, as its past searches found it: what the time left goes by until one is measured.

It is a few numbers in the user's cache folder. Whatever is wrong with them, `costs` alone is gone by.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from statistics import fmean, geometric_mean, median

from platformdirs import user_cache_path

from nbtune.record import files
from nbtune.record.events import DONE
from nbtune.record.progress import Progress, Unit
from nbtune.record.remaining import building

FILE = "pace.json"
OPERATIONS_A_SECOND = 3e10  # of the machine of `costs`
SLOWEST, MOST_KINDS = 1000.0, 300


class Pace:
    """How many times the seconds of `costs` stacks take here, by kind of network.

    Args:
        folder: where it is kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or user_cache_path("nbtune")
        self._known: dict[str, float] = {}
        with contextlib.suppress(OSError, ValueError):
            found = files.read_json(self._folder / FILE, self._folder)
            self._known = {kind: times for kind, times in found.items() if _is_sound(times)}

    @property
    def is_known(self) -> bool:
        """Whether a stack has trained here before."""
        return bool(self._known)

    def seconds(self, operations: float, kind: str) -> float:
        """For so many; a kind that has not been seen here takes as long as most do."""
        usual = median(self._known.values()) if self._known else 1.0
        return operations / OPERATIONS_A_SECOND * self._known.get(kind, usual)

    def learn(self, progress: Progress) -> None:
        """By the stacks that have ended in this search, each beside what was expected of it."""
        found: dict[str, list[float]] = {}
        for unit in progress.units:
            if times := _times(unit, progress):
                found.setdefault(unit.kind, []).append(times * self.seconds(OPERATIONS_A_SECOND, unit.kind))
        for kind, each in found.items():
            now = geometric_mean(each)
            before = self._known.pop(kind, now)
            self._known[kind] = min(max(geometric_mean([before, now]), 1 / SLOWEST), SLOWEST)
        latest = dict(list(self._known.items())[-MOST_KINDS:])
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.write(self._folder / FILE, self._folder, json.dumps(latest).encode())


def _is_sound(times: object) -> bool:
    return isinstance(times, float) and 1 / SLOWEST <= times <= SLOWEST


def _times(unit: Unit, progress: Progress) -> float | None:
    """How many times the seconds that were expected a stack has taken; None if it did not train to its end in this run."""
    trials = [progress.trial(id) for id in unit.trials]
    if not all(trial.status == DONE and trial.started is not None and trial.alone is None for trial in trials):
        return None
    expected = unit.setup + unit.epochs * fmean(trial.epochs for trial in trials) / progress.epochs
    took = max(trial.last or 0.0 for trial in trials) - min(trial.since for trial in trials) + building(progress)
    return took / expected if expected and took > 0 else None
