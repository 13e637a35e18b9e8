"""`--workers 0`: everything in this process and thread, one task after another, so that a debugger can step in."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from nbtune.errors import FilesGone, NoRoom, UsageError, WorkerDied
from nbtune.execution.quitting import quit_message
from nbtune.record.events import Emit, Event, from_dict
from nbtune.record.job import Terms

_HAND_IN = ("fit", "fit_stack")  # what they have when they are interrupted


class Inline:
    """A backend without processes: `submit` returns when the task is done. Ctrl-C is how it is interrupted."""

    size = 1

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._stopping = threading.Event()

    def submit(self, task: str, job: Terms, timeout: float | None = None, /, **arguments: Any) -> Future[Any]:
        from nbtune.training import tasks  # imports Keras: here that is what was asked for

        future: Future[Any] = Future()
        with self._interruptible(task in _HAND_IN) as interrupted:
            try:
                future.set_result(tasks.run(task, job, self._emit, arguments, self._stopping.is_set))
            except UsageError as error:
                future.set_exception(error)
            except (Exception, KeyboardInterrupt, NoRoom, FilesGone):  # the second one is Ctrl-C here
                raise
            except BaseException as error:
                future.set_exception(WorkerDied(quit_message(error, job.function)))
        if interrupted.is_set():
            if not future.exception():
                self._emit(_ends(future.result()))
            raise KeyboardInterrupt
        return future

    @contextlib.contextmanager
    def _interruptible(self, hands_in: bool) -> Iterator[threading.Event]:
        """Has the first Ctrl-C wait for what the task hands in, and the next one break it off."""
        interrupted = threading.Event()
        if not hands_in or threading.current_thread() is not threading.main_thread():
            yield interrupted
            return

        def interrupt(number: int, frame: Any) -> None:
            signal.signal(signal.SIGINT, before or signal.SIG_DFL)
            interrupted.set()
            self._stopping.set()

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield interrupted
        finally:
            signal.signal(signal.SIGINT, before or signal.SIG_DFL)

    def pause(self) -> None:
        raise UsageError("with --workers 0 a search cannot be paused; interrupt the cell to stop it")

    def resume(self) -> None: ...

    def finish_up(self) -> None:
        self._stopping.set()

    def close(self) -> None: ...


def _ends(result: dict[str, Any]) -> list[Event]:
    """The ends of trials that a task's result tells of."""
    told = result.get("ended", [result] if "trial" in result else [])
    return [from_dict(end) for end in told]
