"""`--workers 0`: everything in this process and thread, one task after another, so that a debugger can step in."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from nbtune.errors import UsageError, WorkerDied
from nbtune.execution.quitting import quit_message
from nbtune.record.events import Emit
from nbtune.record.job import Terms


class Inline:
    """A backend without processes: `submit` returns when the task is done. Ctrl-C is how it is interrupted."""

    size = 1

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    def submit(self, task: str, job: Terms, timeout: float | None = None, /, **arguments: Any) -> Future[Any]:
        from nbtune.training import tasks  # imports Keras: here that is what was asked for

        future: Future[Any] = Future()
        try:
            future.set_result(tasks.run(task, job, self._emit, arguments))
        except UsageError as error:
            future.set_exception(error)
        except (SystemExit, GeneratorExit) as error:  # KeyboardInterrupt is Ctrl-C here
            future.set_exception(WorkerDied(quit_message(error, job.function)))
        return future

    def pause(self) -> None:
        raise UsageError("with --workers 0 a search cannot be paused; interrupt the cell to stop it")

    def resume(self) -> None: ...

    def close(self) -> None: ...
