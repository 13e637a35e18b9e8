"""A worker as its supervisor sees it: a process, the line to it, and how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection, wait
from typing import Any

import psutil

from nbtune.execution.local.parent import rouse
from nbtune.machine import memory_mb

SECONDS_TO_END = 5
FATE_UNKNOWN = 255  # what multiprocessing makes of it, and an exit code like any other
FROM_OUTSIDE = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")  # what other processes send, or a system without memory


class WorkerProcess:
    """A new process that runs the tasks that it is sent, one after another.

    Args:
        settings: {"threads", "log", "environment", "clock"}.
    """

    def __init__(self, context: Any, settings: Mapping[str, Any]) -> None:
        self._line, theirs = context.Pipe()
        terms = {name: settings[name] for name in ("threads", "log", "environment", "clock")}
        self._process = context.Process(target=_serve, args=[theirs, terms], name="nbtune-worker")
        self._process.start()
        theirs.close()
        self._peak_mb = 0.0

    def send(self, message: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):  # of one that is gone `receive` tells
            self._line.send_bytes(json.dumps(message).encode())

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """Its next message; None if none comes in this time.

        Raises:
            EOFError: it has ended, and all that it sent has been received.
        """
        self._look_at_memory()
        ready = wait([self._line, self._process.sentinel], seconds)
        if self._line in ready:  # first: it may have ended since
            try:
                message = json.loads(self._line.recv_bytes())
            except OSError as error:
                raise EOFError from error
            assert isinstance(message, dict)
            return message
        if ready:  # its line can be held open by a process that it started
            raise EOFError
        return None

    def finish_up(self) -> None:
        """Asks for what its task has; it answers when it can, as at the task's end."""
        self.send({"finish_up": True})

    def halt(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(self._process.pid).suspend()

    def go_on(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(self._process.pid).resume()

    def rouse(self) -> None:
        rouse(self._process.pid)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kills it, whatever its threads still do, with the processes that its function has forked, and forgets it."""
        self.kill()
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):  # none of its group is left
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.join(SECONDS_TO_END)
        self._line.close()

    def is_fate_unknown(self) -> bool:
        """Whether the process that it was forked from may be gone, which knows how it ended; after `receive` said so."""
        self._process.join(SECONDS_TO_END)
        return self._process.exitcode in (None, FATE_UNKNOWN)

    def fate(self) -> dict[str, str]:
        """How it ended, as an outcome; after `receive` said so."""
        self._process.join(SECONDS_TO_END)
        code = self._process.exitcode
        killed = code is not None and code < 0 and _name(-code) in FROM_OUTSIDE
        return {"kind": "killed" if killed else "died", "error": self._cause(code)}

    def _cause(self, code: int | None) -> str:
        if code is None:
            return "the worker process closed its line: the function must not close files of others, or call os.exec"
        if code >= 0:
            advice = "the function, or what it calls, must not end its process, or close its files"
            return f"the worker process ended with exit code {code}: {advice}"
        name = _name(-code)
        guess = ", perhaps out of memory" if name == "SIGKILL" else ""
        held = f"; it held up to {self._peak_mb:,.0f} MB, and {memory_mb():,.0f} MB are free now" if self._peak_mb else ""
        return f"the worker process was killed by signal {-code} ({name}){guess}{held}"

    def _look_at_memory(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._peak_mb = max(self._peak_mb, psutil.Process(self._process.pid).memory_info().rss / 1e6)


def _name(number: int) -> str:
    return signal.Signals(number).name if number in {*signal.Signals} else f"signal {number}"  # real-time ones have none


def _serve(line: Connection, settings: dict[str, Any]) -> None:
    from nbtune.execution.local import worker  # imports Keras, which the supervisor itself never does

    worker.serve(line, **settings)
