"""Workers before they have work: the process that will supervise them, while TensorFlow is imported in it."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Protocol

from nbtune import machine
from nbtune.costs import FREE_MB, SHARED_MB
from nbtune.errors import UsageError
from nbtune.execution.local import sockets
from nbtune.execution.scratch import Scratch
from nbtune.training.private import xlacache

SECONDS_TO_END = 5
_TEMPORARY = "tmp"
_READ_AT_IMPORT = ("TF_", "XLA_", "KERAS_", "CUDA_", "NVIDIA_", "OMP_", "MKL_", "LD_", "PYTHON")
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()  # elsewhere nothing would be warm
_PACKAGES = ("tensorflow", "tensorflow-cpu", "jax", "jaxlib", "torch", "keras", "numpy", "nbtune")


class SupervisorProcess:
    """A supervisor that waits to be told of its work: one search, and when that is over another one.

    Attributes:
        process: its standard input and output are the line to it.
        scratch: a folder for the jobs and data of a search; it goes with that search.
    """

    def __init__(self) -> None:
        _require_backend()
        self._folder, self._kernel = Scratch(), os.getpid()
        self._sockets = sockets.folder_near(self._folder.path)
        self.scratch = self._new_scratch()
        self._fixed = _fixed()
        self._words = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - for as long as the process
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "nbtune.execution.local.bootstrap", str(self._folder.path), str(self._sockets)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                env={**self.environment(), "TMPDIR": str(self._sockets), "PYTHONPATH": os.pathsep.join(import_path())},
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for the kernel, which decides
            )
        except BaseException:
            self._remove_folders()
            raise

    def environment(self) -> dict[str, str]:
        """The kernel's, as the workers are to have it."""
        folder = str(self.scratch / _TEMPORARY)  # for sockets of multiprocessing, which would outlive a killed process
        # a GPU's memory as it is needed, or the first process would take all of it
        defaults = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        own = {"TMPDIR": folder, "KERAS_BACKEND": machine.keras_backend()}  # which the notebook's Keras may have been told
        return {**defaults, **os.environ, **xlacache.environment(), **own}

    def fits(self) -> bool:
        """Whether it is alive, of this process and has its folder, and TensorFlow would be imported in the same way now."""
        has_all = self.is_ours() and self.process.poll() is None and (self.scratch / _TEMPORARY).is_dir()
        return has_all and self._fixed == _fixed()

    def is_ours(self) -> bool:
        """A process that was forked from the kernel has this object, and another one's supervisor in it."""
        return self._kernel == os.getpid()

    def be_ready(self) -> None:
        """For another search: nothing is left of the one before."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch = self._new_scratch()

    def _new_scratch(self) -> Path:
        made = Path(tempfile.mkdtemp(prefix="search-", dir=self._folder.path))
        (made / _TEMPORARY).mkdir()  # of its own, as a function may empty it
        return made

    def words(self) -> str:
        """What it said before it knew where to."""
        self._words.seek(0)
        return self._words.read()

    def end(self) -> None:
        """Ends it, with all that came of it."""
        with contextlib.suppress(OSError):
            assert self.process.stdin
            self.process.stdin.close()
        try:
            self.process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._words.close()
        self._remove_folders()

    def end_idle(self) -> None:
        """Ends one to which nobody listens."""
        self.end()
        if self.process.stdout:
            self.process.stdout.close()

    def _remove_folders(self) -> None:
        if self._sockets != self._folder.path:
            shutil.rmtree(self._sockets, ignore_errors=True)
        self._folder.remove()


class Pool(Protocol):
    """Where a search has its `SupervisorProcess` from."""

    def take(self) -> SupervisorProcess: ...

    def give_back(self, supervisor: SupervisorProcess) -> None:
        """Its search is over."""

    def held_mb(self) -> float:
        """Memory that the next one holds already."""

    def refill(self) -> None:
        """One that was taken has been given back."""


class WarmPool:
    """Has one in reserve, so that a search need not wait for TensorFlow: the one of the last search.

    Args:
        ahead: also before the first search, and where that one is gone.
    """

    def __init__(self, ahead: bool = True) -> None:
        self._lock = threading.Lock()
        self._ready: SupervisorProcess | None = None
        self._keeps, self._ahead = True, ahead

    def keep(self, wanted: bool) -> None:
        """From now on one is kept in reserve, or none; the one that waits is ended then, without waiting for its end."""
        with self._lock:
            self._keeps = self._ahead = wanted
            unwanted, self._ready = (None, self._ready) if wanted else (self._ready, None)
        if unwanted:
            threading.Thread(target=unwanted.end_idle, name="nbtune-end-warm", daemon=True).start()

    def take(self) -> SupervisorProcess:
        with self._lock:
            ready, self._ready = self._ready, None
        if ready and ready.fits():
            return ready
        if ready and ready.is_ours():
            ready.end_idle()
        return SupervisorProcess()

    def give_back(self, supervisor: SupervisorProcess) -> None:
        with self._lock:
            if self._keeps and self._ready is None and supervisor.fits() and _FORKS:
                supervisor.be_ready()
                self._ready = supervisor
                return
        supervisor.end_idle() if supervisor.fits() else supervisor.end()

    def held_mb(self) -> float:
        with self._lock:
            return SHARED_MB if self._ready and self._ready.process.poll() is None else 0.0

    def refill(self) -> None:
        """Where there is memory for it, and a fork server that it would warm up."""
        with self._lock:
            if self._ready and self._ready.process.poll() is not None:  # it has waited too long
                self._ready.end_idle()
                self._ready = None
            if self._ahead and self._ready is None and _FORKS and machine.memory_mb() > FREE_MB:
                with contextlib.suppress(UsageError, OSError):  # the search itself will say so
                    self._ready = SupervisorProcess()


@functools.cache
def reserve() -> WarmPool:
    """This process's own, of magics and of `nbtune.tune`: one worker in reserve is enough."""
    pool = WarmPool(ahead=False)
    if not standby_wanted():
        pool.keep(False)
    return pool


def standby_wanted() -> bool:
    """What the environment says, for everybody."""
    return os.environ.get("NBTUNE_STANDBY", "1").lower() not in ("0", "false", "no", "off")


def import_path() -> list[str]:
    """Where the kernel imports from, nbtune first."""
    return [str(Path(__file__).parents[3]), *(path or os.getcwd() for path in sys.path)]


def _fixed() -> list[str]:
    """What decides how TensorFlow is imported, and which."""
    environment = {**os.environ, **xlacache.environment()}
    variables = [f"{name}={environment[name]}" for name in sorted(environment) if name.startswith(_READ_AT_IMPORT)]
    return [*variables, machine.keras_backend(), tempfile.gettempdir(), *map(machine.installed, _PACKAGES)]


def _require_backend() -> None:
    """Raises UsageError where what Keras is set to train with is not there."""
    backend = machine.keras_backend()
    if importlib.util.find_spec(backend) is None:
        if backend == machine.TENSORFLOW:
            package = machine.tensorflow_package()
            raise UsageError(
                f"TensorFlow is not installed; run %pip install {package}, or 'tensorflow[and-cuda]' for an NVIDIA GPU"
            )
        raise UsageError(f"Keras is set to its {backend} backend, and {backend} is not installed; run %pip install {backend}")
