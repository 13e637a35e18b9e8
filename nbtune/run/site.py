"""A place to train: an engine and the folder that it shares with its workers, opened and closed together."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nbtune import machine
from nbtune.execution.inline import Inline
from nbtune.execution.local.backend import Workers
from nbtune.execution.local.warm import Starts
from nbtune.execution.protocol import Engine
from nbtune.record.events import Emit


@dataclass(frozen=True)
class Site:
    engine: Engine
    scratch: Path

    @classmethod
    def open(cls, workers: int, log: Path, emit: Emit, starts: Starts) -> Site:
        """Worker processes, or none of them with `workers` 0; cores are shared out evenly."""
        if workers == 0:
            return cls(Inline(emit), Path(tempfile.mkdtemp(prefix="nbtune-")))
        start = starts.take()
        try:
            threads = max(1, machine.cores() // workers)
            return cls(Workers(workers, threads, start, log, emit), start.scratch)
        except BaseException:
            start.end()
            raise

    def close(self) -> None:
        """Ends whatever runs, at once."""
        self.engine.close()
        shutil.rmtree(self.scratch, ignore_errors=True)
