"""What this machine lends us: cores, memory and GPUs, containers (Binder, Docker) considered, and packages."""

from __future__ import annotations

import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from ctypes.util import find_library
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from nbtune import cgroup
from nbtune.costs import SHARED_MB, WORKER_MB

TENSORFLOW = "tensorflow"
TRAINING_BACKENDS = (TENSORFLOW, "jax", "torch")  # of those that Keras has: NumPy and OpenVINO only predict


class _Clock:
    """When the monotonic clock, which all processes of a machine have in common, was at 0, in seconds since the epoch."""

    beginning = time.time() - time.monotonic()


def on_binder() -> bool:
    """Whether this is mybinder.org or another BinderHub, which ends idle sessions and keeps no files."""
    return "BINDER_LAUNCH_HOST" in os.environ or "BINDER_REPO_URL" in os.environ


def now() -> float:
    """Seconds since the epoch, by a clock that does not jump when the machine's own is set."""
    return _Clock.beginning + time.monotonic()


def clock() -> float:
    """What another process has to know to have the same time."""
    return _Clock.beginning


def set_clock(beginning: float) -> None:
    _Clock.beginning = beginning


def installed(package: str) -> str:
    """The version of an installed package, "none" if it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def python() -> str:
    """The version of Python as far as compiled code depends on it: "3.12"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def keras_backend() -> str:
    """The backend that this process's Keras has or will have: "tensorflow", "jax", "torch" … Keras is not imported."""
    loaded = sys.modules.get("keras")
    if loaded is not None and hasattr(loaded, "config"):
        return str(loaded.config.backend())
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return str(json.loads((home / "keras.json").read_text()).get("backend", TENSORFLOW))
    except (OSError, ValueError, AttributeError):  # no file, or one that Keras does not understand either
        return TENSORFLOW


def tensorflow_package() -> str:
    """The package with TensorFlow for this CPU: `tensorflow-cpu` has wheels for x86-64 on Linux and Windows only."""
    return "tensorflow-cpu" if sys.platform != "darwin" and platform.machine() in ("x86_64", "AMD64") else "tensorflow"


def cores() -> int:
    """Cores that this process may use: affinity and the quotas of its control groups considered."""
    from loky import cpu_count  # here, so that %load_ext stays quick

    return max(1, math.ceil(min(cpu_count(), cgroup.cores())))


def memory_mb() -> float:
    """Memory that can still be had, in MB: the machine's, or a control group's if that is less."""
    return min(psutil.virtual_memory().available, cgroup.memory_left()) / 1e6


def gpus() -> tuple[str, ...]:
    """The NVIDIA GPUs that workers may use, each as `CUDA_VISIBLE_DEVICES` names it; none where the backend cannot use them."""
    there = _nvidia_devices() if _uses_cuda(keras_backend()) else ()
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None or not there:
        return there
    names = [name.strip() for name in chosen.split(",")]
    unusable = [i for i, name in enumerate(names) if name in ("", "-1")]  # CUDA reads no further than the first of these
    return tuple(names[: unusable[0] if unusable else len(names)])


@cache  # asking takes up to a second; machines without a GPU are not asked
def _nvidia_devices() -> tuple[str, ...]:
    if shutil.which("nvidia-smi") is None:
        return ()
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return devices(listed)


def devices(listed: str) -> tuple[str, ...]:
    """What `nvidia-smi -L` lists: each GPU, or its parts (MIG) where it is divided."""
    found: list[tuple[str, list[str]]] = []
    for kind, name in re.findall(r"^\s*(GPU|MIG) .*\(UUID: ([^)]+)\)", listed, re.MULTILINE):
        if kind == "GPU":
            found.append((name, []))
        elif found:
            found[-1][1].append(name)
    return tuple(name for whole, parts in found for name in (parts or [whole]))


def _uses_cuda(backend: str) -> bool:
    """JAX does with a plugin, PyTorch unless it says that it was built for CPUs; tensorflow-cpu never does, and tensorflow only
    with CUDA's libraries, from wheels or from the system.
    """
    if backend == "jax":
        return any(installed(f"jax-cuda{number}-plugin") != "none" for number in (12, 13))
    if backend == "torch":
        return not installed("torch").endswith("+cpu")
    has_library = installed("nvidia-cudnn-cu12") != "none" or find_library("cudnn") is not None
    return has_library and any(installed(name) != "none" for name in ("tensorflow", "tf-nightly"))


def usual_workers(limit_mb: float | None = None, held_mb: float = 0.0) -> int:
    """One worker a GPU, without GPUs one a core, as far as memory goes: the free one and what workers hold already, or
    `limit_mb` if that is less.
    """
    memory = memory_mb() + held_mb
    memory = memory if limit_mb is None else min(memory, limit_mb)
    return max(1, min(len(gpus()) or cores(), int((memory - SHARED_MB) // WORKER_MB)))


def worker_mb(limit_mb: float, workers: int) -> float:
    """What each worker may hold of its own, if all together are to stay below the limit; in MB."""
    return (limit_mb - SHARED_MB) / max(workers, 1)
