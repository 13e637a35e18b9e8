"""What this machine lends us: cores and memory, containers (Binder, Docker) considered, and packages."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

SHARED_MB, WORKER_MB = 500, 350  # TensorFlow once, then a worker that trains a small network; measured


def installed(package: str) -> str:
    """The version of an installed package, "none" if it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def cores() -> int:
    """Cores that this process may use: affinity and container quota considered."""
    from loky import cpu_count  # here, so that %load_ext stays quick

    return int(cpu_count())


def memory_mb() -> float:
    """Memory that can still be had, in MB: the machine's, or the container's if that is less."""
    free = psutil.virtual_memory().available
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such container, or "max": no limit
            continue
    return free / 1e6


def usual_workers(limit_mb: float | None = None, held_mb: float = 0.0) -> int:
    """One worker a core, as far as memory goes: the free one and what they hold already, or `limit_mb` if that is less."""
    memory = memory_mb() + held_mb
    memory = memory if limit_mb is None else min(memory, limit_mb)
    return max(1, min(cores(), int((memory - SHARED_MB) // WORKER_MB)))


def worker_mb(limit_mb: float, workers: int) -> float:
    """What each worker may hold of its own, if all together are to stay below the limit; in MB."""
    return (limit_mb - SHARED_MB) / max(workers, 1)
