"""Tells a tracker what a search has done, all at once or while it goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from nbtune.errors import shortened
from nbtune.record.progress import Progress, Trial, show
from nbtune.views.surface import OVER

APART = 1.0  # seconds between two looks at a search that runs
Plain = bool | int | float | str


class Tracker(Protocol):
    """Where trials are written. Each is begun once, told its epochs in order, and ended."""

    def begin(self, trial: Trial) -> None: ...

    def epoch(self, trial: Trial, epoch: int, logs: Mapping[str, float]) -> None:
        """`epoch` counts from 1."""

    def end(self, trial: Trial) -> None: ...
    def close(self) -> None: ...


class Telling:
    """What a tracker was told so far. `left_out`: ids of trials that it shall not hear of."""

    def __init__(self, progress: Progress, tracker: Tracker, left_out: Iterable[str] = ()) -> None:
        self._progress, self._tracker = progress, tracker
        self._ended = set(left_out)
        self._epochs: dict[str, int] = {}

    def catch_up(self) -> None:
        """Tells all that is new."""
        for trial in self._progress.trials:
            begun = trial.history or trial.ended
            if trial.id in self._ended and not trial.ended:  # it is trained once more
                self._ended.discard(trial.id)
                self._epochs.pop(trial.id, None)
            if begun and trial.id not in self._ended:
                self._tell(trial)

    def close(self) -> None:
        """What is under way is left as it is; it may be told once more."""
        self._epochs = {id: epochs for id, epochs in self._epochs.items() if id in self._ended}
        self._tracker.close()

    def _tell(self, trial: Trial) -> None:
        if trial.id not in self._epochs:
            self._tracker.begin(trial)
        told = self._epochs.get(trial.id, 0)
        length, at = max(map(len, trial.history.values()), default=0), self._progress.objective.at
        for epoch in range(told + 1, length + 1):
            logs = {name: at(epoch, name, trial.history) for name in trial.history}
            self._tracker.epoch(trial, epoch, {name: value for name, value in logs.items() if value is not None})
        self._epochs[trial.id] = max(told, length)
        if trial.ended:
            self._tracker.end(trial)
            self._ended.add(trial.id)


def tell_all(progress: Progress, tracker: Tracker) -> None:
    """Tells a tracker every trial that has begun."""
    telling = Telling(progress, tracker)
    telling.catch_up()
    telling.close()


class Follower:
    """Tells a tracker while a search goes on, from a thread of its own: a slow one costs the search nothing.

    Trials that had ended before are left out: the run of the cell that trained them has told them.
    """

    def __init__(self, progress: Progress, kind: str, open_tracker: Callable[[], Tracker]) -> None:
        """`open_tracker` makes the tracker, whose package may take seconds to import: that happens in the thread."""
        self._progress, self._kind, self._open = progress, kind, open_tracker
        self._left_out = [trial.id for trial in progress.trials if trial.ended]
        self._telling: Telling | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Follows until the search is over; again after it was resumed."""
        self.join()
        self._thread = threading.Thread(target=self._follow, name=f"nbtune-{self._kind}", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Returns when the tracker knows all of a search that is over."""
        if self._thread is not None:
            self._thread.join()

    def _follow(self) -> None:
        try:
            self._telling = self._telling or Telling(self._progress, self._open(), self._left_out)
            while True:
                over = self._progress.state in OVER
                self._telling.catch_up()
                if over:
                    return self._telling.close()
                time.sleep(APART)
        except Exception as error:  # a search must not suffer from who watches it
            note = shortened(f"--log {self._kind} has ended: {type(error).__name__}: {error}", 300)
            self._progress.notes = (*self._progress.notes, note)


def plain(trial: Trial) -> dict[str, Plain]:
    """A trial's values as every tracker takes them: what is no number and no text goes by its name."""
    return {name: value if isinstance(value, (bool, int, float, str)) else show(value) for name, value in trial.values.items()}
