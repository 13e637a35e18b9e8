"""What came of a task, as a message between processes: {"result": …}, or {"error": …, "kind": …}."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from nbtune.errors import BuildError, ModulesDiffer, UsageError, WorkerDied, WorkerKilled, WorkerLost

_KINDS: dict[str, type[Exception]] = {  # the first that fits is meant
    "build": BuildError,
    "usage": UsageError,
    "lost": WorkerLost,
    "killed": WorkerKilled,
    "died": WorkerDied,
    "differ": ModulesDiffer,
    "internal": RuntimeError,
}


def settle(future: Future[Any], message: dict[str, Any]) -> None:
    if "result" in message:
        future.set_result(message["result"])
    else:
        future.set_exception(_KINDS[message["kind"]](message["error"]))


def abandon(futures: dict[int, Future[Any]], why: Exception | None) -> None:
    """Settles and takes out those that will never have a result: they fail for this reason, or are cancelled if there is none."""
    while futures:
        future = futures.popitem()[1]
        if why is None:
            future.cancel()
            future.set_running_or_notify_cancel()  # or whoever waits for it waits for ever
        else:
            future.set_exception(why)


def message_of(error: BaseException) -> dict[str, Any]:
    kind = next((kind for kind, cls in _KINDS.items() if isinstance(error, cls)), "internal")
    return {"kind": kind, "error": str(error)}
