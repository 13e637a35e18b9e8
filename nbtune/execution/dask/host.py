"""What runs in a Dask worker: for each search a `Host`, which has a local backend with one worker process.

TensorFlow is imported in that process alone. The kernel calls the functions below by `Client.run`, and Dask's scheduler `run`;
what the host has to tell goes to the search's topic, in this order: {"begun"}, {"events"} …, {"outcome"}. In the folder of a
job, besides what its parcel brought, are the files that training leaves: "files" names those that are ready to be collected.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from distributed import Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from nbtune.costs import SHARED_MB, WORKER_MB
from nbtune.errors import BackendDied
from nbtune.execution.dask.message import RESOURCE, packed, versions
from nbtune.execution.local.backend import Workers
from nbtune.execution.local.warm import SupervisorProcess
from nbtune.execution.outcome import message_of
from nbtune.record.events import Event, TrialEnded, to_dict

GONE = "gone"  # what comes of a task where its search has no host
SECONDS_BETWEEN_MESSAGES = 0.25
SECONDS_WITHOUT_KERNEL = 60
SECONDS_BETWEEN_LOOKS = 5
MOST_LOG = 20_000  # bytes of what a task prints


async def attend(name: str, told: dict[str, Any], dask_worker: Worker) -> dict[str, Any]:
    """Called again and again: makes this worker one of the search's, keeps it that, and tells it what holds now.

    Args:
        told: "versions", as they have to be; "paused"; "finishing"; "dropped", the tasks that nobody waits for any more.

    Returns:
        What the worker has: {"memory_mb", "gpu"}, or {"versions"} where these do not fit, or {"error"}.
    """
    found = versions()
    if found != told["versions"]:
        return {"versions": found}
    if name not in dask_worker.plugins:
        added = await dask_worker.plugin_add(Host(name), name=name)
        if added["status"] != "OK":
            del dask_worker.plugins[name]
            return {"error": str(added.get("exception_text", added))}
    host = _host(name, dask_worker)
    assert host
    await host.obey(told)
    limit = dask_worker.memory_manager.memory_limit
    return {
        "memory_mb": limit and max(limit / 1e6 - SHARED_MB, WORKER_MB),
        "gpu": "GPU" in dask_worker.state.total_resources,
    }


def _host(name: str, worker: Worker) -> Host | None:
    found = worker.plugins.get(name)
    return found if isinstance(found, Host) else None


async def dismiss(name: str, dask_worker: Worker) -> None:
    """Ends what the search has on this worker."""
    if name in dask_worker.plugins:
        await dask_worker.plugin_remove(name)


def receive(name: str, job: str, pieces: list[tuple[str, int, bytes]], last: bool, dask_worker: Worker) -> None:
    """Takes a part of a job's parcel; with the `last` one its tasks can begin."""
    if host := _host(name, dask_worker):
        host.receive(job, pieces, last)


def hand_over(name: str, job: str, files: list[str], dask_worker: Worker) -> dict[str, bytes]:
    """The content of files that training left, which go from here with that."""
    host = _host(name, dask_worker)
    return host.hand_over(job, files) if host else {}


async def run(name: str, id: int, job: str, task: str, arguments: dict[str, Any], timeout: float | None) -> str | None:
    """The Dask task: its result is told by the host."""
    host = _host(name, get_worker())
    return await host.run(id, job, task, arguments, timeout) if host else GONE


class Host(WorkerPlugin):
    """One search on one Dask worker. All of it happens in the thread of the worker's event loop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._arrived: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._told: dict[str, Any] = {"paused": False, "finishing": False, "dropped": []}
        self._heard = time.monotonic()
        self._running: tuple[int, str] | None = None  # task, job
        self._events: list[Event] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._steering = asyncio.Lock()

    async def setup(self, worker: Worker) -> None:
        self._worker, self._loop = worker, asyncio.get_running_loop()
        self._employ()
        self._watching = asyncio.create_task(self._watch())
        await worker.set_resources(**{RESOURCE: 1})

    async def teardown(self, worker: Worker) -> None:
        self._watching.cancel()
        if self._running and worker.status.name != "running":
            self._tell(left=True)  # the worker leaves, and means to: the task has no part in that
        self._running = None
        await self._dismiss()
        if worker.status.name == "running" and not any(isinstance(other, Host) for other in worker.plugins.values()):
            await worker.set_resources(**{RESOURCE: 0})

    def _employ(self) -> None:
        self._supervisor = SupervisorProcess()
        self._jobs = self._supervisor.scratch / "jobs"  # gone with the supervisor, however this worker ends
        self._log = self._supervisor.scratch / "workers.log"
        self._local = Workers(1, self._worker.state.nthreads, self._supervisor, self._log, self._emit)

    def _emit(self, events: list[Event]) -> None:
        self._loop.call_soon_threadsafe(self._note, events)

    async def _dismiss(self) -> None:
        await asyncio.to_thread(self._local.close)
        await asyncio.to_thread(self._supervisor.end)

    # ---- what the kernel says

    async def obey(self, told: dict[str, Any]) -> None:
        self._heard = time.monotonic()
        async with self._steering:
            before, self._told = self._told, told
            if self._running and self._running[0] in told["dropped"]:
                await self._renew()
            if told["paused"] != before["paused"]:
                await asyncio.to_thread(self._local.pause if told["paused"] else self._local.resume)
            if told["finishing"] and not before["finishing"]:
                self._local.finish_up()

    def receive(self, job: str, pieces: list[tuple[str, int, bytes]], last: bool) -> None:
        for name, offset, content in pieces:
            path = self._jobs / job / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            with path.open("r+b") as file:
                file.seek(offset)
                file.write(content)
        if last:
            (self._jobs / job / "project").mkdir(exist_ok=True)
            self._arrived[job].set()

    def hand_over(self, job: str, files: list[str]) -> dict[str, bytes]:
        project, found = self._jobs / job / "project", {}
        for name in files:
            found[name] = (project / name).read_bytes()
            (project / name).unlink()
        return found

    async def _watch(self) -> None:
        """Ends this where the kernel is gone: nobody would collect what is trained."""
        while time.monotonic() - self._heard < SECONDS_WITHOUT_KERNEL:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        self._leaving = self._loop.create_task(dismiss(self.name, self._worker))

    # ---- a task

    async def run(self, id: int, job: str, task: str, arguments: dict[str, Any], timeout: float | None) -> str | None:
        self._running = (id, job)
        try:
            if not self._arrived[job].is_set():
                self._tell(needs=True)
            await self._arrived[job].wait()
            if self._is_unwanted(id):
                return None
            self._tell(begun=True)
            path = str(self._jobs / job / "job.pickle")
            outcome = await self._outcome(self._local.submit_file(task, path, timeout, arguments))
            if outcome is None:
                return GONE
            self._tell(outcome=outcome, log=self._said())
            return None
        finally:
            self._running = None

    def _is_unwanted(self, id: int) -> bool:
        return id in self._told["dropped"] or self._told["finishing"]

    async def _outcome(self, future: Any) -> dict[str, Any] | None:
        """The message of what came of it; None where it was broken off."""
        try:
            return {"result": await asyncio.wrap_future(future)}
        except asyncio.CancelledError:
            return None
        except Exception as error:
            if isinstance(error, BackendDied):
                await self._renew()
            return message_of(error)

    async def _renew(self) -> None:
        """A new process, which has to import TensorFlow; what the old one had is asked for again."""
        await self._dismiss()
        self._arrived.clear()
        self._employ()

    def _said(self) -> str:
        """What was printed since the last task."""
        with contextlib.suppress(OSError):
            said = self._log.read_bytes()[-MOST_LOG:].decode(errors="replace")
            self._log.write_bytes(b"")
            return said
        return ""

    # ---- what it tells

    def _note(self, events: list[Event]) -> None:
        """Keeps events for a moment, so that they travel together; the end of a trial at once."""
        self._events += events
        if any(isinstance(event, TrialEnded) for event in events):
            self._flush()
        elif self._flushing is None:
            self._flushing = self._loop.call_later(SECONDS_BETWEEN_MESSAGES, self._flush)

    def _flush(self) -> None:
        if self._flushing:
            self._flushing.cancel()
            self._flushing = None
        if self._events and self._running:
            events, self._events = self._events, []
            ended = [event.trial for event in events if isinstance(event, TrialEnded)]
            folders = [self._project / f"trial_{trial}" for trial in ended]
            self._send({"events": [to_dict(event) for event in events], "files": self._files(*folders)})

    def _tell(self, **said: Any) -> None:
        self._flush()
        self._send({**said, "files": self._files(self._project) if "outcome" in said else []})

    @property
    def _project(self) -> Path:
        assert self._running
        return self._jobs / self._running[1] / "project"

    def _files(self, *folders: Path) -> list[str]:
        found = [file for folder in folders if folder.is_dir() for file in folder.rglob("*") if file.is_file()]
        return [file.relative_to(self._project).as_posix() for file in found]

    def _send(self, message: dict[str, Any]) -> None:
        assert self._running
        id, job = self._running
        self._worker.log_event(self.name, packed({"worker": self._worker.address, "id": id, "job": job, **message}))
