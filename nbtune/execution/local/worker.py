"""What runs inside a worker process: connect, then one task after another."""

from __future__ import annotations

import functools
import json
import os
import threading
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

import cloudpickle

from nbtune.training.private import trimming  # isort: skip - before tasks, which imports Keras
from nbtune.training import tasks  # isort: skip
from nbtune.execution.local.output import redirect
from nbtune.record.events import Event, to_dict
from nbtune.record.job import Terms


class Wire:
    """This process's line to the supervisor, made by `connect` when the process starts."""

    connection: Connection


def connect(address: str, key: bytes, threads: int, log: str, environment: dict[str, str]) -> None:
    """Says hello to the supervisor, and ends this process when the supervisor's end of the line closes."""
    redirect(log)
    os.environ.clear()
    os.environ.update(environment)
    trimming.settle()
    tasks.use_threads(threads)
    Wire.connection = Client(address, authkey=key)
    Wire.connection.send_bytes(json.dumps({"pid": os.getpid()}).encode())
    threading.Thread(target=_end_with_supervisor, daemon=True).start()


def _end_with_supervisor() -> None:
    try:
        Wire.connection.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


def run(id: int, task: str, job: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Runs a task on the job in a file; `id` is its number, for the supervisor."""
    Wire.connection.send_bytes(json.dumps({"begun": id}).encode())
    return tasks.run(task, _load(job), _emit, arguments)


@functools.lru_cache(maxsize=2)
def _load(path: str) -> Terms:
    job = cloudpickle.loads(Path(path).read_bytes())
    assert isinstance(job, Terms)
    return job


def _emit(events: list[Event]) -> None:
    Wire.connection.send_bytes(json.dumps({"events": [to_dict(event) for event in events]}).encode())
