"""What the process between a kernel and its workers does (`bootstrap` is how it starts).

It reads commands from its standard input and writes messages to its standard output, one JSON object a line. Being a
process of its own it gives the workers a clean parent (the kernel may be multi-threaded, have TensorFlow running, or be
a script without a `__main__` guard), and ends them all when the kernel is gone, however the kernel went.

Its first line are the settings: {"workers", "threads", "log", "folder", "path", "environment"}.

Commands: {"id", "task", "job", "arguments", "timeout"}, {"do": "pause" | "resume"}. The end of the input means: end everything.
Messages: {"id", "result"}, {"id", "error", "kind"}, {"events": [...]}, {"done": "pause" | "resume"}.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from typing import Any, TextIO

import psutil
from pebble import ProcessExpired, ProcessPool

from nbtune.errors import BuildError, UsageError
from nbtune.machine import memory_mb

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_TO_HEAR = 5
TASKS_A_PROCESS = 25  # where a process is dear; then a fresh one: TensorFlow never gives all memory back


class Supervisor:
    """One pool of workers, the lines to them, and the line to the kernel."""

    def __init__(self, out: TextIO, context: Any, settings: dict[str, Any]) -> None:
        self._out = out
        self._writing, self._timing = threading.Lock(), threading.Lock()
        self._alive: set[int] = set()
        self._peaks: dict[int, float] = {}  # process to the most memory that it was seen to hold, in MB
        self._seconds: dict[int, float] = {}  # task to the time that it still may take, pauses left out
        self._overdue: set[int] = set()
        self._paused = False
        key = os.urandom(32)
        self._listener = Listener(authkey=key)
        threading.Thread(target=self._welcome, daemon=True).start()
        self._pool = ProcessPool(
            max_workers=settings["workers"],
            max_tasks=1 if context.get_start_method() == "forkserver" else TASKS_A_PROCESS,
            context=context,
            initializer=_connect,
            initargs=[self._listener.address, key, settings["threads"], settings["log"], settings["environment"]],
        )

    def obey(self, command: dict[str, Any]) -> None:
        if "do" in command:
            self._paused = command["do"] == "pause"
            for pid in list(self._alive):
                self._halt_or_go_on(pid)
            self._send({"done": command["do"]})
            return
        if command["timeout"]:
            self._seconds[command["id"]] = command["timeout"]
        future = self._pool.schedule(_run, args=[command[name] for name in ("id", "task", "job", "arguments")])
        future.add_done_callback(lambda done: self._report(command["id"], done))

    def end(self) -> None:
        """Kills the workers where they stand."""
        for pid in list(self._alive):
            _kill(pid)

    def _give_up(self, why: str) -> None:
        """Ends this process with its workers, when no result of theirs can be trusted to arrive; the kernel starts anew."""
        print(why, file=sys.stderr, flush=True)
        self.end()
        os._exit(1)

    def _report(self, id: int, done: Future[Any]) -> None:
        with self._timing:
            self._seconds.pop(id, None)
        if not done.cancelled() and done.exception():
            self._hear_out_the_dead()
        try:
            self._send({"id": id, "result": done.result()})
        except CancelledError:
            return
        except BrokenProcessPool as error:
            self._give_up(f"the process pool broke: {error}")
        except ProcessExpired as error:
            if psutil.pid_exists(error.pid or 0):
                self._give_up("the fork server died, and its workers were left without a parent")
            overdue = "it took longer than --trial-timeout allows, and was ended"
            self._send({"id": id, "kind": "died", "error": overdue if id in self._overdue else self._cause(error)})
        except BuildError as error:
            self._send({"id": id, "kind": "build", "error": str(error)})
        except UsageError as error:
            self._send({"id": id, "kind": "usage", "error": str(error)})
        except Exception as error:
            self._send({"id": id, "kind": "internal", "error": "".join(traceback.format_exception(error))})

    def _hear_out_the_dead(self) -> None:
        """Passes on what workers sent before they died: a trial that ended is not to be trained again."""
        until = time.monotonic() + SECONDS_TO_HEAR
        while time.monotonic() < until and not all(map(psutil.pid_exists, list(self._alive))):
            time.sleep(0.01)

    def _cause(self, error: ProcessExpired) -> str:
        if error.exitcode is None or error.exitcode >= 0:
            return f"the worker process ended with exit code {error.exitcode}"
        name = signal.Signals(-error.exitcode).name
        guess = ", perhaps out of memory" if name == "SIGKILL" else ""
        peak = self._peaks.get(error.pid or 0)
        held = f"; it held up to {peak:,.0f} MB, and {memory_mb():,.0f} MB are free now" if peak else ""
        return f"the worker process was killed by signal {-error.exitcode} ({name}){guess}{held}"

    def _welcome(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError, AuthenticationError):  # that worker died before it had said hello
                continue
            threading.Thread(target=self._listen, args=[connection], daemon=True).start()

    def _listen(self, connection: Connection) -> None:
        pid = 0
        with contextlib.suppress(EOFError, OSError):
            pid = json.loads(connection.recv_bytes())["pid"]
            self._alive.add(pid)
            self._halt_or_go_on(pid)
            task, looked = -1, time.monotonic()
            while True:
                if connection.poll(SECONDS_BETWEEN_LOOKS):
                    message = json.loads(connection.recv_bytes())
                    task = message.get("begun", task)
                    if "events" in message:
                        self._send(message)
                self._look_at_memory(pid)
                before, looked = looked, time.monotonic()
                self._look_at_time(pid, task, looked - before)
        self._alive.discard(pid)

    def _look_at_memory(self, pid: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._peaks[pid] = max(self._peaks.get(pid, 0.0), psutil.Process(pid).memory_info().rss / 1e6)

    def _look_at_time(self, pid: int, task: int, passed: float) -> None:
        with self._timing:
            if self._paused or task not in self._seconds:
                return
            self._seconds[task] -= passed
            if self._seconds[task] < 0:
                self._overdue.add(task)
                _kill(pid)

    def _halt_or_go_on(self, pid: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.suspend() if self._paused else process.resume()

    def _send(self, message: dict[str, Any]) -> None:
        with self._writing, contextlib.suppress(BrokenPipeError):  # the kernel is gone, and so are we, soon
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()


def _kill(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).kill()


def _connect(*arguments: Any) -> None:
    from nbtune.execution.local import worker  # imports Keras, which this process itself never does

    worker.connect(*arguments)


def _run(*arguments: Any) -> dict[str, Any]:
    from nbtune.execution.local import worker

    return worker.run(*arguments)
