"""A place to train: a backend and the folder that it shares with its workers, opened and closed together."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
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
    _remove: Callable[[], None]  # a folder that is not the backend's own

    @classmethod
    def open(cls, workers: int, log: Path, emit: Emit, pool: Pool, dask: Any = None) -> Site:
        """Worker processes, or none of them with `workers` 0; cores are shared out evenly.

        Args:
            dask: the Dask cluster that is to train instead.
        """
        os.close(files.opened(log, log.parent, os.O_WRONLY | os.O_CREAT))  # raises OSError where it is no plain file
        if dask is not None:
            return cls._on_cluster(dask, log, emit)
        if workers == 0:
            folder = Scratch()
            return cls(Inline(emit), folder.path, folder.remove)
        supervisor = pool.take()
        try:
            threads = max(1, machine.cores() // workers)
            return cls(Workers(workers, threads, supervisor, log, emit), supervisor.scratch, lambda: None)
        except BaseException:
            supervisor.end()
            raise

    @classmethod
    def _on_cluster(cls, dask: Any, log: Path, emit: Emit) -> Site:
        if importlib.util.find_spec("distributed") is None:
            raise UsageError("--dask needs Dask's distributed, which is not installed: pip install 'nbtune[dask]'", "dask")
        from nbtune.execution.dask.cluster import Cluster  # here, so that only who asks for it imports it

        folder = Scratch()  # what is sent is written here first
        try:
            return cls(Cluster(dask, log, emit), folder.path, folder.remove)
        except BaseException:
            folder.remove()
            raise

    def close(self) -> None:
        """Ends whatever runs, at once."""
        self.backend.close()
        self._remove()
