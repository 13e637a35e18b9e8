"""A place to train: a backend and the folder that it shares with its workers, opened and closed together."""

from __future__ import annotations

import importlib.util
import os
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbtune import machine
from nbtune.errors import UsageError
from nbtune.execution.inline import Inline
from nbtune.execution.local.backend import Workers
from nbtune.execution.local.warm import Pool
from nbtune.execution.protocol import Backend
from nbtune.execution.scratch import Scratch
from nbtune.record import files
from nbtune.record.events import Emit


@dataclass(frozen=True)
class Site:
    backend: Backend
    scratch: Path
    _exit: ExitStack
    _closing: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, workers: int, log: Path, emit: Emit, pool: Pool, dask: Any = None) -> Site:
        """Worker processes, or none of them with `workers` 0; cores are shared out evenly.

        Args:
            dask: the Dask cluster that is to train instead.
        """
        os.close(files.opened(log, log.parent, os.O_WRONLY | os.O_CREAT))  # raises OSError where it is no plain file
        with ExitStack() as leaving:
            if workers and dask is None:
                supervisor = pool.take()
                leaving.callback(pool.give_back, supervisor)
                scratch = supervisor.scratch
                backend: Backend = Workers(workers, max(1, machine.cores() // workers), supervisor, log, emit)
            else:
                folder = Scratch()
                leaving.callback(folder.remove)
                scratch = folder.path
                backend = Inline(emit) if dask is None else _cluster(dask, log, emit)  # what is sent is written there first
            leaving.callback(backend.close)
            return cls(backend, scratch, leaving.pop_all())
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Ends whatever runs, at once; a second time, from another thread too, it only waits for the end of that."""
        with self._closing:
            self._exit.close()


def _cluster(dask: Any, log: Path, emit: Emit) -> Backend:
    if importlib.util.find_spec("distributed") is None:
        raise UsageError("--dask needs Dask's distributed, which is not installed; run %pip install distributed", "dask")
    from nbtune.execution.dask.cluster import Cluster  # here, so that only who asks for it imports it

    return Cluster(dask, log, emit)
