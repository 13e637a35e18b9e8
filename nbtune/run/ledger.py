"""What is known of a search, and written down as it comes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from nbtune.record.events import DiskFull, Event, StateChanged, TrialEnded
from nbtune.record.progress import Progress
from nbtune.record.store import Store
from nbtune.run.endings import blame, stopped, unwritten


class Ledger:
    """Progress and store, which take the same events. For one thread at a time."""

    def __init__(self, progress: Progress, store: Store, project: Path) -> None:
        self._progress, self._store, self._project = progress, store, project

    def take(self, *events: Event) -> str:
        """Applies events and writes them down; why the disk takes no more, with all of it in memory, or ""."""
        events = tuple(event for event in events if not self._is_known(event))
        for event in events:
            self._progress.apply(event)
        why = self._written(lambda: self._store.record(*events))
        told = [unwritten(self._project, OSError(event.reason)) for event in events if isinstance(event, DiskFull)]
        return why or next(iter(told), "")

    def complete(self) -> str:
        """Writes all that there is, and the search as a whole; why that cannot be written, or ""."""
        return self._written(self._store.record) or self._written(self._store.write_oracle)

    def settle(self, phase: str, at: float, reason: str) -> str:
        """Notes the end, with what was under way; each step may fail where the disk is full, and the end comes all the same.

        Returns:
            `reason`, or else what went wrong here.
        """
        steps: list[Callable[[], object]] = [
            lambda: self.take(*stopped(self._progress, at)),
            lambda: self.take(StateChanged(phase, at, reason)),
            self._store.record,
            self._store.write_oracle,
        ]
        for step in steps:
            try:
                step()
            except Exception as error:
                reason = reason or (unwritten(self._project, error) if isinstance(error, OSError) else blame(error))
        with contextlib.suppress(Exception):  # this may be what is broken
            self._progress.apply(StateChanged(phase, at, reason))
        return reason

    def _written(self, write: Callable[[], object]) -> str:
        try:
            write()
        except OSError as error:
            return unwritten(self._project, error)
        return ""

    def _is_known(self, event: Event) -> bool:
        """The end of a trial of a stack comes when it ends, and once more with the stack's result."""
        return isinstance(event, TrialEnded) and self._progress.trial(event.trial).ended
