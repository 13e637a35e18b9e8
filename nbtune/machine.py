"""What this machine lends us: cores and memory, containers (Binder, Docker) considered, and packages."""

from __future__ import annotations

import math
from importlib.metadata import PackageNotFoundError, version

import psutil

from nbtune import cgroup

SHARED_MB, WORKER_MB = 500, 350  # TensorFlow once, then a worker that trains a small network; measured


def installed(package: str) -> str:
    """The version of an installed package, "none" if it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def cores() -> int:
    """Cores that this process may use: affinity and the quotas of its control groups considered."""
    from loky import cpu_count  # here, so that %load_ext stays quick

    return max(1, math.ceil(min(cpu_count(), cgroup.cores())))


def memory_mb() -> float:
    """Memory that can still be had, in MB: the machine's, or a control group's if that is less."""
    return min(psutil.virtual_memory().available, cgroup.memory_left()) / 1e6


def usual_workers(limit_mb: float | None = None, held_mb: float = 0.0) -> int:
    """One worker a core, as far as memory goes: the free one and what they hold already, or `limit_mb` if that is less."""
    memory = memory_mb() + held_mb
    memory = memory if limit_mb is None else min(memory, limit_mb)
    return max(1, min(cores(), int((memory - SHARED_MB) // WORKER_MB)))


def worker_mb(limit_mb: float, workers: int) -> float:
    """What each worker may hold of its own, if all together are to stay below the limit; in MB."""
    return (limit_mb - SHARED_MB) / max(workers, 1)
