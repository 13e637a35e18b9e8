"""What the process between a kernel and its workers does (`bootstrap` is how it starts).

It reads commands from its standard input and writes messages to its standard output, one JSON object a line. Being a
process of its own it gives the workers a clean parent (the kernel may be multi-threaded, have TensorFlow running, or be
a script without a `__main__` guard), and ends them all when the kernel is gone, however the kernel went.

It serves one search after another. The first line of each are the settings: {"workers", "threads", "gpus", "log", "folder",
"path", "environment", "clock"}.

Commands: {"id", "task", "job", "arguments", "timeout"}, {"do": "pause" | "resume" | "finish_up" | "dismiss"}; after "dismiss"
come the settings of the next search. The end of the input means: end everything.
Messages: {"begun": id}, {"events": [...]}, {"id", "result"}, {"id", "error", "kind"}, {"done": "pause" | "resume" | "dismiss"}.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from typing import Any, TextIO

import psutil

from nbtune.execution.local.parent import bury_orphans, end_children, rouse
from nbtune.execution.local.workerprocess import WorkerProcess

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_TO_DIE = 1
SECONDS_TO_END = 5
MOST_STARTS = 3  # of a worker: somebody may have killed it, who had others in mind
TASKS_A_PROCESS = 25  # where a process is dear; then a fresh one: TensorFlow never gives all memory back


class _Over(Exception):
    """The workers have been dismissed."""


class Supervisor:
    """The workers of one search, as many as there are to be, each with a thread here that hands it one task after another."""

    def __init__(self, out: TextIO, context: Any, settings: dict[str, Any]) -> None:
        self._out, self._context = out, context
        self._writing, self._steering = threading.Lock(), threading.Lock()
        self._tasks: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._workers: set[WorkerProcess] = set()
        self._paused = self._finishing = self._over = False
        self._forkserver, self._own = _forkserver(), {child.pid for child in psutil.Process().children()}
        each = [settings_of(number, settings) for number in range(settings["workers"])]
        self._threads = [threading.Thread(target=self._employ, args=[own], daemon=True) for own in each]
        for thread in self._threads:
            thread.start()

    def serve(self, commands: Iterable[str]) -> bool:
        """Obeys until the search is over; whether it was dismissed, and may be followed by another one."""
        for line in commands:
            command = json.loads(line)
            if command.get("do") == "dismiss":
                return True
            self._obey(command)
        return False

    def _obey(self, command: dict[str, Any]) -> None:
        if "do" not in command:
            self._tasks.put(command)
            return
        with self._steering:
            self._paused = command["do"] == "pause"
            self._finishing |= command["do"] == "finish_up"
            for worker in self._workers:
                if self._finishing:
                    worker.finish_up()
                worker.halt() if self._paused else worker.go_on()
        self._send({"done": command["do"]})

    def look_after(self) -> None:
        """A function can halt its worker, or what that was forked from; then none could be started, or end."""
        if self._forkserver:
            rouse(self._forkserver.pid)
        if self._steering.acquire(blocking=False):  # whoever has it may wait for the fork server
            try:
                for worker in () if self._paused else self._workers:
                    worker.rouse()
            finally:
                self._steering.release()
        bury_orphans(self._own)

    def end(self) -> None:
        """Kills the workers where they stand, with what functions have detached from them. What they had to say is lost."""
        self._kill()
        for thread in self._threads:
            self._tasks.put(None)
            thread.join(SECONDS_TO_END)
        end_children(self._own)

    def _kill(self) -> None:
        with self._writing:
            self._over = True
        with self._steering:  # no other one is started
            for worker in self._workers:
                worker.kill()

    def _employ(self, settings: dict[str, Any]) -> None:
        """Has a worker ready at any time, each for some tasks."""
        try:
            task = None
            while True:
                worker = self._hire(settings)
                try:
                    task = self._occupy(worker, task)
                finally:
                    self._dismiss(worker)
        except _Over:
            pass
        except Exception:
            self._give_up(traceback.format_exc())

    def _occupy(self, worker: WorkerProcess, task: dict[str, Any] | None) -> dict[str, Any] | None:
        """Has a worker do a task, and more where a process is dear; the one that it had died before it was asked."""
        for _ in range(1 if self._forkserver else TASKS_A_PROCESS):
            task = task or self._next_task()
            outcome = self._outcome(worker, task)
            if outcome is None:
                return task
            self._send({"id": task["id"], **outcome})
            task = None
            if outcome.get("kind") in ("died", "killed"):
                break
        return None

    def _next_task(self) -> dict[str, Any]:
        """What is to be done next; nothing where what runs is the last."""
        while task := self._tasks.get():
            if not self._finishing:
                return task
        raise _Over

    def _hire(self, settings: dict[str, Any]) -> WorkerProcess:
        for _ in range(MOST_STARTS):
            with self._steering:
                if self._over:
                    raise _Over
                worker = WorkerProcess(self._context, settings)
                self._workers.add(worker)
                if self._paused:
                    worker.halt()
            with contextlib.suppress(EOFError):
                while worker.receive(SECONDS_BETWEEN_LOOKS) is None:  # its first word is that it is ready
                    pass
                return worker
            why = worker.fate()["error"]
            self._dismiss(worker)
        self._give_up(f"a worker did not start: {why}")
        raise AssertionError("unreachable")

    def _dismiss(self, worker: WorkerProcess) -> None:
        with self._steering:
            self._workers.discard(worker)
        worker.end()

    def _outcome(self, worker: WorkerProcess, task: dict[str, Any]) -> dict[str, Any] | None:
        """What came of a task, and its events meanwhile passed on; None where it never began."""
        worker.send({name: task[name] for name in ("task", "job", "arguments")})
        has_begun, left, looked = False, task["timeout"], time.monotonic()
        try:
            while True:
                message = worker.receive(SECONDS_BETWEEN_LOOKS)
                before, looked = looked, time.monotonic()
                if left is not None and not self._paused:
                    left -= looked - before
                    if left < 0:
                        worker.kill()
                        return {"kind": "died", "error": _overdue(task["timeout"])}
                if message is None:
                    continue
                if not has_begun:
                    has_begun = True
                    self._send({"begun": task["id"]})
                if "events" in message:
                    self._send(message)
                elif message.get("kind") == "gone":  # the kernel writes the files again
                    self._give_up(message["error"])
                elif "begun" not in message:
                    return message
        except EOFError:
            if self._over:
                raise _Over from None
            if self._forkserver and worker.is_fate_unknown() and not _lives(self._forkserver):
                self._give_up("the fork server died, and its workers with it")
            return worker.fate() if has_begun else None

    def _give_up(self, why: str) -> None:
        """Ends this process with its workers, where no other one can be started; the kernel begins anew."""
        print(why, file=sys.stderr, flush=True)
        self._kill()
        end_children()
        os._exit(1)

    def _send(self, message: dict[str, Any]) -> None:
        with self._writing:
            if not self._over:
                tell(self._out, message)


def tell(out: TextIO, message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the kernel is gone, and so are we, soon
        out.write(json.dumps(message) + "\n")
        out.flush()


def settings_of(number: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Those of one worker, which sees a single GPU; with more workers than GPUs some share one."""
    gpus = settings["gpus"]
    own = {"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if gpus else {}
    return {**settings, "environment": {**settings["environment"], **own}}


def _overdue(limit: float) -> str:
    return f"it took longer than {limit:g} s, and was ended; --trial-timeout sets the limit"


def _forkserver() -> psutil.Process | None:
    """The process that workers are forked from; None where they are not."""
    return next((child for child in psutil.Process().children() if "forkserver" in " ".join(child.cmdline())), None)


def _lives(process: psutil.Process) -> bool:
    """Whether it still does a moment later: of one that dies, files close first."""
    until = time.monotonic() + SECONDS_TO_DIE
    with contextlib.suppress(psutil.NoSuchProcess):
        while process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > until:
                return True
            time.sleep(0.02)
    return False
