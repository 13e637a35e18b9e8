"""A search's own line to a Dask scheduler, and what is said where there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from distributed import Client

from nbtune.errors import Unreachable, UsageError

SECONDS_TO_CONNECT = 10


@asynccontextmanager
async def connected(where: Any) -> AsyncIterator[Client]:
    """A client of its own, so that what the user does with theirs meanwhile does not matter.

    Args:
        where: an address, or a `distributed.Client` or a cluster whose address it is.
    """
    address, security = _found(where)
    terms = {"timeout": SECONDS_TO_CONNECT, "set_as_default": False, "name": "nbtune"}
    try:
        client = Client(address, security=security, asynchronous=True, **terms)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{address} is no address of a Dask scheduler: {error}; write tcp://host:8786", "dask") from error
    try:
        await _answered(client, address)
        yield client
    finally:
        await client.close()


async def _answered(client: Client, address: str) -> None:
    try:
        await client
    except (OSError, TimeoutError) as error:
        raise Unreachable(
            f"no Dask scheduler answers at {address}: is it running, and can this machine reach it? A new one starts with "
            "`dask scheduler`, or with distributed.LocalCluster()",
            "dask",
        ) from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{address} is no address of a Dask scheduler: {error}; write tcp://host:8786", "dask") from error


def _found(where: Any) -> tuple[str, Any]:
    """An address and how to log in there."""
    if isinstance(where, str):
        return where, None
    if str(getattr(where.status, "name", where.status)) not in ("running", "connecting", "newly-created"):
        raise Unreachable(f"this {type(where).__name__} is closed; make a new one, or give the scheduler's address", "dask")
    scheduler = getattr(where, "scheduler", None)  # of a client; a cluster may have a scheduler itself
    address = getattr(where, "scheduler_address", None) or getattr(scheduler, "address", None)
    return str(address), getattr(where, "security", None)
