"""The Dask workers that work for a search: made its hosts when they come, told what holds, and asked whether they are well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from distributed import Client

from nbtune.errors import Unreachable, UsageError
from nbtune.execution.dask import host
from nbtune.execution.dask.message import versions

SECONDS_FOR_WORKERS = 15
SECONDS_BETWEEN_LOOKS = 10
SECONDS_TO_ANSWER = 30


class Hosts:
    """All calls are made in the thread of the client's loop, but for reading the attributes.

    Args:
        revived: is called where there was none left and one came.

    Attributes:
        here: the addresses of those that can train.
        have_gpus: whether some say that they have a GPU; tasks are for these then.
        memory_mb: what a task may hold on the one with the lowest limit; None where there is none.
    """

    def __init__(self, client: Client, name: str, revived: Callable[[], None]) -> None:
        self._client, self._name, self._revived = client, name, revived
        self._told: dict[str, Any] = {"versions": versions(), "paused": False, "finishing": False, "dropped": []}
        self._with: dict[str, set[str]] = {}  # worker to the parcels that it has
        self._asking, self._closed = asyncio.Lock(), False
        self._stirred = asyncio.Event()
        self.here: Collection[str] = ()
        self.have_gpus = False
        self.memory_mb: float | None = None

    async def assemble(self) -> None:
        """Waits for the first workers.

        Raises:
            UsageError: none came, or one of them does not fit.
        """
        unfit = await self.look()
        if not unfit and not self.here:
            nudge = self._client.submit(int, key=f"{self._name}-nudge", pure=False)  # an adaptive cluster starts one for a task
            for _ in range(SECONDS_FOR_WORKERS):
                await asyncio.sleep(1)
                unfit = await self.look()
                if unfit or self.here:
                    break
            nudge.release()
        if unfit:
            some = f"{len(unfit)} of {len(unfit) + len(self.here)} Dask workers"
            raise UsageError(f"{some} cannot train this: {next(iter(unfit.values()))}", "dask")
        if not self.here:
            raise Unreachable(
                "the Dask cluster has no workers: start some with `dask worker ADDRESS` or cluster.scale(4), and where it is "
                "adaptive have it keep one, cluster.adapt(minimum=1, maximum=…)",
                "dask",
            )

    async def tend(self, over: asyncio.Event) -> None:
        """Until it is over, or the line breaks.

        Raises:
            ConnectionError: it has.
        """
        while not over.is_set():
            waits = [asyncio.create_task(event.wait()) for event in (over, self._stirred)]
            await asyncio.wait(waits, timeout=SECONDS_BETWEEN_LOOKS, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            self._stirred.clear()
            if self._client.status != "running":
                raise ConnectionError(f"it is {self._client.status}")
            if not over.is_set():
                await self.look()

    async def close(self) -> None:
        """From now on none is asked, which would make it a host again."""
        async with self._asking:
            self._closed = True

    def stir(self) -> None:
        """There is something new to be seen, or to be told."""
        self._stirred.set()

    async def tell(self, **told: Any) -> None:
        self._told = {**self._told, **told}
        await self.look()

    def drop(self, task: int) -> None:
        """Has whoever runs it, or is about to, let it be."""
        self._told["dropped"] = [*self._told["dropped"], task]
        self.stir()

    async def look(self) -> dict[str, str]:
        """Tells all workers what holds; those that are new join in. Returns why some cannot."""
        async with self._asking:
            if self._closed:
                return {}
            asked = self._client.run(host.attend, self._name, self._told, on_error="return")
            try:
                answers = await asyncio.wait_for(asked, SECONDS_TO_ANSWER)
            except (OSError, TimeoutError):  # `tend` finds out whether the line broke
                return {}
        had = bool(self.here)
        self.here = [address for address, answer in answers.items() if isinstance(answer, dict) and "memory_mb" in answer]
        fit = [answers[address] for address in self.here]
        self.have_gpus = any(answer["gpu"] for answer in fit)
        self.memory_mb = min((answer["memory_mb"] for answer in fit if answer["memory_mb"]), default=None)
        if self.here and not had:
            self._revived()
        return {address: self._why(address, answer) for address, answer in answers.items() if address not in self.here}

    def _why(self, address: str, answer: Any) -> str:
        if isinstance(answer, ModuleNotFoundError) and (answer.name or "").startswith("nbtune"):
            return f"{address} has no nbtune, or an older one; install what this kernel has, nbtune {versions()['nbtune']}"
        if isinstance(answer, BaseException):
            return f"{address}: {type(answer).__name__}: {answer}"
        if "error" in answer:
            return f"{address}: {answer['error']}"
        there, here = answer["versions"], self._told["versions"]
        name = next(name for name in here if there[name] != here[name])
        return f"{address} has {name} {there[name]}, and this kernel {here[name]}; install one version"

    # ---- who has which parcel

    def lacks(self, address: str, parcel: str) -> bool:
        return parcel not in self._with.get(address, ())

    def have(self, addresses: Collection[str], parcel: str) -> None:
        for address in addresses:
            self._with.setdefault(address, set()).add(parcel)

    def lost(self, address: str, parcel: str) -> None:
        self._with.get(address, set()).discard(parcel)

    def forget(self, address: str) -> None:
        self._with.pop(address, None)
        self.here = [other for other in self.here if other != address]
