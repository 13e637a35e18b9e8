"""What a command costs, from a cold process: wall time, processor time, and memory of all of its processes together."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Cost:
    """`seconds` of wall time, `cpu_seconds` of all processes, and the most memory that they held at once.

    `peak_mb` is the sum of the processes' proportional set sizes (shared pages count once), of their resident ones where
    the system tells no other; in MB. `started_mb` is the same without the first process.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    started_mb: float


def measured(command: list[str], folder: Path, timeout: float) -> tuple[Cost, str]:
    """Runs a command; returns its cost and what it printed, which also stays in `folder`, as do the caches that it fills.

    Raises:
        RuntimeError: it failed, or took more than `timeout` seconds.
    """
    printed, log = folder / "out.txt", folder / "log.txt"
    with printed.open("w") as out, log.open("w") as errors:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=errors, env={**os.environ, "XDG_CACHE_HOME": str(folder)})
        cpu: dict[tuple[int, float], float] = {}
        peak = started = 0.0
        while process.poll() is None:
            first, others = _look(process.pid, cpu)
            peak, started = max(peak, first + others), max(started, others)
            if time.monotonic() - start > timeout:
                _kill(process.pid)
                raise RuntimeError(f"took more than {timeout:.0f} s")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS_BETWEEN_LOOKS)
        seconds = time.monotonic() - start
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}; see {log}")
    return Cost(seconds, sum(cpu.values()), peak, started), printed.read_text()


def _look(pid: int, cpu: dict[tuple[int, float], float]) -> tuple[float, float]:
    """Memory in MB now, of the first process and of those that it started; processor seconds so far go to `cpu`, by process."""
    memory: dict[int, float] = {}
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                times = process.cpu_times()
                cpu[process.pid, process.create_time()] = times.user + times.system
                full = process.memory_full_info()
                memory[process.pid] = getattr(full, "pss", full.rss) / 1e6
    return memory.pop(pid, 0.0), sum(memory.values())


def _kill(pid: int) -> None:
    root = psutil.Process(pid)
    for process in [*root.children(recursive=True), root]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
