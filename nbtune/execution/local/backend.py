"""Worker processes on this machine, as the kernel sees them."""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import json
import os
import re
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psutil

from nbtune import machine
from nbtune.errors import BackendDied
from nbtune.execution.local import pickling
from nbtune.execution.local.parent import rouse
from nbtune.execution.local.warm import SECONDS_TO_END, SupervisorProcess, import_path
from nbtune.execution.outcome import abandon, settle
from nbtune.record.events import Emit, from_dict
from nbtune.record.job import Terms

SECONDS_BETWEEN_LOOKS = 1
_CHATTER = re.compile(
    r"[IW]\d{4} |\d{4}-\d\d-\d\d \S+ [IW] |WARNING: All log messages"
)  # of TensorFlow, which say nothing of an end
SECONDS_TO_DISMISS = 2  # longer, and a new supervisor is there sooner


class Workers:
    """A backend of `count` worker processes with `threads` threads each.

    Args:
        supervisor: has no search under way. It is the caller's, and can have another one when this is closed, or has ended.
        log: where their prints and TensorFlow's messages go.

    Attributes:
        size: their number.
    """

    def __init__(self, count: int, threads: int, supervisor: SupervisorProcess, log: Path, emit: Emit) -> None:
        self.size = count
        self._supervisor, self._process, self._log, self._emit = supervisor, supervisor.process, log, emit
        self._ids = itertools.count()
        self._futures: dict[int, Future[Any]] = {}
        self._begun: set[int] = set()
        self._jobs: list[tuple[Terms, str]] = []
        self._done = {"pause": threading.Event(), "resume": threading.Event(), "dismiss": threading.Event()}
        self._sending, self._settling = threading.Lock(), threading.Lock()
        self._closing = self._dismissed = False
        self._ended = threading.Event()
        self._stand_still: list[psutil.Process] = []
        where = {"log": str(log), "folder": os.getcwd(), "path": import_path(), "environment": supervisor.environment()}
        told = {"workers": count, "threads": threads, "gpus": machine.gpus(), "clock": machine.clock()}
        self._send({**told, **where})
        # a copied context: on ipykernel 7.0 a bare thread cannot reach the cell's output
        self._listener = threading.Thread(target=contextvars.copy_context().run, args=[self._listen], daemon=True)
        self._listener.start()
        threading.Thread(target=self._keep_awake, name="nbtune-awake", daemon=True).start()

    def submit(self, task: str, job: Terms, timeout: float | None = None, /, **arguments: Any) -> Future[Any]:
        return self.submit_file(task, self._file_of(job), timeout, arguments)

    def submit_file(self, task: str, path: str, timeout: float | None, arguments: dict[str, Any]) -> Future[Any]:
        """As `submit`, with a job that is in a file."""
        id = next(self._ids)
        future: Future[Any] = Future()
        with self._settling:
            self._futures[id] = future
        self._send({"id": id, "task": task, "job": path, "arguments": arguments, "timeout": timeout})
        if self._ended.is_set() or self._closing:
            self._give_up()
        return future

    def pause(self) -> None:
        self._do("pause")
        with contextlib.suppress(psutil.Error):
            self._stand_still = psutil.Process(self._process.pid).children(recursive=True)

    def resume(self) -> None:
        self._stand_still = []
        self._do("resume")

    def finish_up(self) -> None:
        self._send({"do": "finish_up"})

    def close(self) -> None:
        self._closing = True
        self._do("dismiss", SECONDS_TO_DISMISS)
        if not self._dismissed:
            self._supervisor.end()
        self._give_up()

    def _do(self, what: str, seconds: float = SECONDS_TO_END) -> None:
        self._done[what].clear()
        self._send({"do": what})
        if not self._ended.is_set():
            self._done[what].wait(seconds)

    def _file_of(self, job: Terms) -> str:
        for known, path in self._jobs:
            if known is job:
                return path
        path = str(self._supervisor.scratch / f"job-{len(self._jobs)}.pickle")
        try:
            content = pickling.dumps(job)
        except Exception as error:  # pickling a user's objects can raise anything
            raise pickling.refusal(job.function, error) from None
        with contextlib.suppress(FileNotFoundError):  # the folder was removed, which the workers miss, too
            Path(path).write_bytes(content)
        self._jobs.append((job, path))
        return path

    def _send(self, message: dict[str, Any]) -> None:
        with self._sending, contextlib.suppress(OSError, ValueError):  # _listen notices a closed line
            assert self._process.stdin
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout
        try:
            for message in map(json.loads, self._process.stdout):
                self._take(message)
                if self._dismissed:  # what comes next is for another search
                    break
        finally:  # also where a message cannot be understood: nobody would listen to the next
            self._ended.set()
            if not self._dismissed:
                self._process.stdout.close()
                for process in self._stand_still:  # outside of Linux nobody ends them when the supervisor is killed
                    with contextlib.suppress(psutil.Error):
                        process.kill()
            self._give_up()

    def _keep_awake(self) -> None:
        """Another process, or the user's function, can halt the supervisor; everybody would wait for it."""
        while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
            rouse(self._process.pid)

    def _take(self, message: dict[str, Any]) -> None:
        if "events" in message:
            self._emit([from_dict(event) for event in message["events"]])
        elif "done" in message:
            self._dismissed = message["done"] == "dismiss"
            if message["done"] in self._done:
                self._done[message["done"]].set()
        elif "begun" in message:
            self._begun.add(message["begun"])
        else:
            self._begun.discard(message["id"])
            future = self._futures.pop(message["id"], None)  # gone if `close` was faster
            if future:
                settle(future, message)

    def _give_up(self) -> None:
        """Settles what will never have a result, or a reply."""
        for reply in self._done.values():
            reply.set()
        with self._settling:
            abandon(self._futures, None if self._closing else self._why())

    def _why(self) -> BackendDied:
        said = self._log.read_text(errors="replace").strip() if self._log.exists() else ""
        lines = [line for line in (said or self._supervisor.words().strip()).splitlines() if not _CHATTER.match(line)]
        said = f"; their last words: {lines[-1]}" if lines else ""
        return BackendDied(f"the worker processes ended{said}", begun=bool(self._begun))
