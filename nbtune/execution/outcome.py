"""What came of a task, as a message between processes: {"result": …}, or {"error": …, "kind": …}."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from nbtune.errors import BuildError, ModulesDiffer, UsageError, WorkerDied, WorkerLost

_KINDS: dict[str, type[Exception]] = {  # the first that fits is meant
    "build": BuildError,
    "usage": UsageError,
    "lost": WorkerLost,
    "died": WorkerDied,
    "differ": ModulesDiffer,
    "internal": RuntimeError,
}


def settle(future: Future[Any], message: dict[str, Any]) -> None:
    if "result" in message:
        future.set_result(message["result"])
    else:
        future.set_exception(_KINDS[message["kind"]](message["error"]))


def message_of(error: BaseException) -> dict[str, Any]:
    kind = next((kind for kind, cls in _KINDS.items() if isinstance(error, cls)), "internal")
    return {"kind": kind, "error": str(error)}
