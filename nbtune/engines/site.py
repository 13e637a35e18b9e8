"""A place to train: an engine and the folder that it shares with its workers, opened and closed together."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nbtune import machine
from nbtune.engines.base import Emit, Engine
from nbtune.engines.inline import Inline
from nbtune.engines.local import Workers


@dataclass(frozen=True)
class Site:
    engine: Engine
    scratch: Path

    @classmethod
    def open(cls, workers: int, log: Path, emit: Emit) -> Site:
        """Worker processes, or none of them with `workers` 0; cores are shared out evenly."""
        scratch = Path(tempfile.mkdtemp(prefix="nbtune-"))
        try:
            if workers == 0:
                return cls(Inline(emit), scratch)
            threads = max(1, machine.cores() // workers)
            return cls(Workers(workers, threads, scratch, log, emit), scratch)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise

    def close(self) -> None:
        """Ends whatever runs, at once."""
        self.engine.close()
        shutil.rmtree(self.scratch, ignore_errors=True)
