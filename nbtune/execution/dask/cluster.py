"""A Dask cluster as the kernel sees it.

A task is a Dask task: Dask's scheduler says where it runs, and gives it to another worker where one is lost. What it is about
travels past that: parcels to the hosts by `Client.run`, and what they tell by a topic, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import errno
import itertools
import os
import secrets
import threading
from collections import defaultdict
from collections.abc import Collection, Coroutine
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

from distributed import Client

from nbtune.errors import Disconnected, WorkerDied, WorkerKilled, WorkerLost
from nbtune.execution.dask import host
from nbtune.execution.dask.connection import connected
from nbtune.execution.dask.hosts import Hosts
from nbtune.execution.dask.message import RESOURCE, unpacked
from nbtune.execution.dask.parcel import Parcel
from nbtune.execution.dask.private import forget_topic
from nbtune.execution.outcome import abandon, message_of, settle
from nbtune.record import files
from nbtune.record.events import DiskFull, Emit, from_dict
from nbtune.record.job import Terms

SECONDS_TO_END = 10
SECONDS_FOR_ORDERS = 5
SECONDS_BETWEEN_TRIES = 1
SECONDS_ON_THE_WAY = 0.1  # of what a worker said last


class NotKept(Exception):
    """What training left cannot be written here."""


class Cluster:
    """A backend on the workers of a Dask scheduler, as many as there are at a time.

    Args:
        where: an address, or a client or cluster of Dask's.
        log: the file that what is printed there is added to.

    Raises:
        UsageError: nobody is there, or no worker that fits.
    """

    def __init__(self, where: Any, log: Path, emit: Emit) -> None:
        self._where, self._log, self._emit = where, log, emit
        self._name = f"nbtune-{secrets.token_hex(4)}"
        self._ids = itertools.count()
        self._futures: dict[int, Future[Any]] = {}
        self._settling = threading.Lock()
        self._places: dict[int, str] = {}  # where a task has begun
        self._parcels: list[tuple[Terms, Parcel]] = []
        self._closing, self._ended = False, threading.Event()
        self._broken = ""
        ready: Future[None] = Future()
        # a copied context: on ipykernel 7.0 a bare thread cannot reach the cell's output
        main = lambda: asyncio.run(self._main(ready))  # noqa: E731
        self._thread = threading.Thread(target=contextvars.copy_context().run, args=[main], name="nbtune-dask", daemon=True)
        self._thread.start()
        ready.result()

    @property
    def size(self) -> int:
        return max(len(self._hosts.here), 1)

    def submit(self, task: str, job: Terms, timeout: float | None = None, /, **arguments: Any) -> Future[Any]:
        id, parcel = next(self._ids), self._parcel_of(job)
        future: Future[Any] = Future()
        with self._settling:
            self._futures[id] = future
        self._later(self._hand_out(id, parcel, task, arguments, timeout))
        if self._ended.is_set() or self._closing:
            self._give_up()
        return future

    def pause(self) -> None:
        self._order(paused=True)

    def resume(self) -> None:
        self._order(paused=False)

    def finish_up(self) -> None:
        self._later(self._finish_up())

    def close(self) -> None:
        self._closing = True
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(SECONDS_TO_END)
        self._give_up()

    def _order(self, **told: Any) -> None:
        """Returns when all workers have heard it, or one of them takes too long."""
        if heard := self._later(self._hosts.tell(**told)):
            with contextlib.suppress(TimeoutError, CancelledError):
                heard.result(SECONDS_FOR_ORDERS)

    def _later(self, work: Coroutine[Any, Any, Any]) -> Future[Any] | None:
        """Has the thread of the loop do something; None where it has ended."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # the loop is closed
            work.close()
            return None

    def _parcel_of(self, job: Terms) -> Parcel:
        for known, parcel in self._parcels:
            if known is job:
                return parcel
        parcel = Parcel.of(f"job-{len(self._parcels)}", job, self._hosts.memory_mb)
        self._parcels.append((job, parcel))
        return parcel

    # ---- in the thread of the loop

    async def _main(self, ready: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._lines: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._following: set[asyncio.Task[Any]] = set()
        self._tasks: dict[int, Any] = {}  # Dask's futures
        self._delivering: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        try:
            async with connected(self._where) as client:
                self._client = client
                self._hosts = Hosts(client, self._name, self._recall)
                client.subscribe_topic(self._name, self._hear)
                client.subscribe_topic("all", self._hear_of_worker)
                try:
                    await self._hosts.assemble()
                    ready.set_result(None)
                    await self._hosts.tend(self._over)
                finally:
                    await self._leave(client)
        except BaseException as error:
            self._broken = str(error)
            if not ready.done():
                ready.set_exception(error)
        finally:
            self._ended.set()
            self._give_up()
            for task in self._following:
                task.cancel()

    async def _leave(self, client: Client) -> None:
        """Nothing of the search stays on the cluster."""
        try:
            async with asyncio.timeout(SECONDS_TO_END):
                client.unsubscribe_topic("all")
                await self._hosts.close()
                await client.cancel(list(self._tasks.values()), asynchronous=True)
                await client.run(host.dismiss, self._name, on_error="ignore")
                await asyncio.sleep(SECONDS_ON_THE_WAY)
                await client.run_on_scheduler(forget_topic, self._name)
        except Exception as error:  # the scheduler may be gone
            self._note(f"something may be left on the Dask cluster: {type(error).__name__}: {error}\n")

    async def _hand_out(self, id: int, parcel: Parcel, task: str, arguments: dict[str, Any], timeout: float | None) -> None:
        try:
            await self._deliver(parcel, self._hosts.here)
            wanted = {RESOURCE: 1, **({"GPU": 1} if self._hosts.have_gpus else {})}
            self._tasks[id] = self._client.submit(
                *(host.run, self._name, id, parcel.name, task, arguments, timeout),
                key=f"{self._name}-{task}-{id}",
                pure=False,
                resources=wanted,
            )
            lost = await self._tasks[id] == host.GONE
        except (CancelledError, asyncio.CancelledError):
            lost = id not in self._places  # what has begun tells itself what came of it
        except Exception as error:
            lost = True
            self._note(f"{task} {id}: {type(error).__name__}: {error}\n")
        self._tasks.pop(id, None)
        if lost and self._client.status != "running":
            self._hosts.stir()
        elif lost and id in self._futures:
            await self._hosts.look()
            self._lose(id, WorkerLost("the Dask task came to nothing"))

    async def _finish_up(self) -> None:
        await self._hosts.tell(finishing=True)
        await self._client.cancel([task for id, task in self._tasks.items() if id not in self._places], asynchronous=True)

    def _recall(self) -> None:
        """Takes back what has not begun: what came when there was no host, Dask does not give to one that comes later."""
        for id in self._tasks.keys() - self._places.keys():
            self._lose(id, WorkerLost("there was no Dask worker"))

    async def _deliver(self, parcel: Parcel, addresses: Collection[str]) -> None:
        """Sends a parcel to those workers that do not have it yet."""
        async with self._delivering[parcel.name]:
            to = [address for address in addresses if self._hosts.lacks(address, parcel.name)]
            if not to:
                return
            messages = list(parcel.messages())
            for number, pieces in enumerate(messages, 1):
                last = number == len(messages)
                sent = [tuple(piece) for piece in pieces]
                await self._client.run(host.receive, self._name, parcel.name, sent, last, workers=to, on_error="ignore")
            self._hosts.have(to, parcel.name)

    def _hear(self, event: tuple[float, bytes]) -> None:
        message = unpacked(event[1])
        if "begun" in message:
            self._places[message["id"]] = message["worker"]
        self._line(message["worker"]).put_nowait(message)

    def _hear_of_worker(self, event: tuple[float, Any]) -> None:
        what = event[1]
        if what.get("action") == "add-worker":
            self._hosts.stir()
        elif what.get("action") == "remove-worker":
            self._hosts.forget(what["worker"])
            for id, place in self._places.items():
                if place == what["worker"]:  # after all that it said
                    self._line(place).put_nowait({"id": id, "left": bool(what.get("expected"))})

    def _line(self, address: str) -> asyncio.Queue[dict[str, Any]]:
        """What a worker says is taken in its order, and does not wait for what others say."""
        if address not in self._lines:
            self._lines[address] = asyncio.Queue()
            self._following.add(asyncio.create_task(self._follow(self._lines[address])))
        return self._lines[address]

    async def _follow(self, line: asyncio.Queue[dict[str, Any]]) -> None:
        while True:
            message = await line.get()
            if message["id"] not in self._futures:
                continue  # nobody waits for it any more
            try:
                await self._take(message)
            except NotKept as error:
                self._settle(message["id"], message_of(error))
            except Exception as error:  # the worker is gone, and what it has with it
                self._lose(message["id"], WorkerLost(f"{type(error).__name__}: {error}"))

    async def _take(self, message: dict[str, Any]) -> None:
        id = message["id"]
        if wanted := message.get("files"):
            await self._collect(message["worker"], message["job"], wanted)
        if "events" in message:
            self._emit([from_dict(event) for event in message["events"]])
        if "needs" in message:
            self._hosts.lost(message["worker"], message["job"])
            await self._deliver(self._parcel(message["job"]), [message["worker"]])
        if message.get("log"):
            self._note(message["log"])
        if "outcome" in message:
            self._settle(id, message["outcome"])
        elif message.get("left"):
            self._lose(id, WorkerLost("its Dask worker left"))
        elif "left" in message:
            self._lose(id, WorkerKilled(f"the Dask worker {self._places.get(id)} was lost while it trained this"))

    def _parcel(self, name: str) -> Parcel:
        return next(parcel for _, parcel in self._parcels if parcel.name == name)

    async def _collect(self, address: str, job: str, names: list[str]) -> None:
        """Puts what training left on a worker into the project here."""
        found = await self._client.run(host.hand_over, self._name, job, names, workers=[address])
        project = self._parcel(job).project
        for name, content in found[address].items():
            while not self._written(project, name, content):
                await asyncio.sleep(SECONDS_BETWEEN_TRIES)

    def _written(self, project: Path, name: str, content: bytes) -> bool:
        """Whether a file is there now; where the disk is full that is told."""
        try:
            files.write(project / name, project, content)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise NotKept(f"{project / name} cannot be written: {error}") from error
            self._emit([DiskFull(name.partition("/")[0].removeprefix("trial_"), os.strerror(errno.ENOSPC))])
            return False
        return True

    def _lose(self, id: int, why: WorkerDied) -> None:
        """A task is not waited for any more, wherever Dask may run it again."""
        if task := self._tasks.pop(id, None):
            self._following.add(asyncio.create_task(self._client.cancel([task], asynchronous=True)))
        self._hosts.drop(id)
        self._settle(id, message_of(why))

    def _settle(self, id: int, outcome: dict[str, Any]) -> None:
        self._places.pop(id, None)
        with self._settling:
            future = self._futures.pop(id, None)
        if future:
            settle(future, outcome)

    def _note(self, said: str) -> None:
        with contextlib.suppress(OSError):
            files.append(self._log, self._log.parent, said)

    def _give_up(self) -> None:
        """Settles what will never have a result."""
        why = None if self._closing else Disconnected(f"the line to the Dask scheduler broke ({self._broken})")
        with self._settling:
            abandon(self._futures, why)
