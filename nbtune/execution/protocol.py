"""What a search asks of a backend."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Protocol

from nbtune.record.job import Terms


class Backend(Protocol):
    """Runs the tasks of `training.tasks` on a job.

    Events that a task emits while it runs reach the `emit` that the backend was made with. A task's outcome is its
    future's: its JSON-able result, or `errors.WorkerDied`, `errors.UsageError` or `errors.BuildError`.
    """

    @property
    def size(self) -> int:
        """How many tasks can run at once, now."""

    def submit(self, task: str, job: Terms, timeout: float | None = None, /, **arguments: Any) -> Future[Any]:
        """Queues a task, by its name and JSON-able arguments; one that takes longer than `timeout` seconds is killed."""

    def pause(self) -> None:
        """Halts what runs, where it is; returns when it stands still."""

    def resume(self) -> None: ...

    def finish_up(self) -> None:
        """Has what runs, halted or not, hand in what it has; what has not begun is not begun any more. Returns at once."""

    def close(self) -> None:
        """Ends everything at once; futures that have no result are cancelled."""
