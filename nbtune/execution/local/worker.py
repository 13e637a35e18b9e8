"""What runs inside a worker process: one task after another, as they come in on the line to the supervisor."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import multiprocessing
import os
import queue
import sys
import tempfile
import threading
import traceback
import types
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle

from nbtune.training.private import trimming  # isort: skip - before tasks, which imports Keras
from nbtune.training import tasks  # isort: skip
from nbtune import machine
from nbtune.errors import BuildError, FilesGone, ModulesDiffer, UsageError
from nbtune.execution.local.output import redirect
from nbtune.execution.local.parent import end_with_parent
from nbtune.execution.local.pickling import CODE
from nbtune.execution.quitting import quit_message
from nbtune.record.events import FAILED, Event, Stopping, to_dict
from nbtune.record.job import Terms

Message = dict[str, Any]


def serve(line: Connection, threads: int, log: str, environment: dict[str, str], clock: float) -> None:
    """Says that it is ready, and then what comes of each task. Ends this process when the supervisor's end of the line closes."""
    end_with_parent()
    if hasattr(os, "setpgid"):  # so that a function that kills its process group ends its trial alone
        os.setpgid(0, 0)
        os.set_inheritable(line.fileno(), False)  # a function that puts another program in its place closes the line
    redirect(log)
    machine.set_clock(clock)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # a folder of this search's own, and not that of the process that this one was forked from
    trimming.settle()
    tasks.use_threads(threads)
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    wire, stopping = Wire(line), threading.Event()
    threading.Thread(target=_listen, args=[line, inbox, stopping], daemon=True).start()
    wire.send({"ready": os.getpid()})
    while True:
        message = inbox.get()
        wire.send({"begun": True})
        outcome = _outcome(wire, stopping.is_set, **message)
        if _has_failed(outcome) and not os.path.isdir(environment["TMPDIR"]):
            outcome = _gone(FilesGone(environment["TMPDIR"]))
        _flush()  # as soon as it has the outcome, the supervisor may end this process
        wire.send(outcome)


class Wire:
    """The line to the supervisor, on which any thread may send."""

    def __init__(self, line: Connection) -> None:
        self._line, self._sending, self._owner = line, threading.Lock(), os.getpid()
        self._file = _file_of(line)

    def send(self, message: Message) -> None:
        if os.getpid() != self._owner:  # a copy that a user's `fit` or callback forked
            os._exit(0)
        if _file_of(self._line) != self._file:  # a function has put another file in its place, and nobody would hear
            os._exit(1)
        data = json.dumps(message).encode()
        with self._sending:
            self._line.send_bytes(data)

    def emit(self, events: list[Event]) -> None:
        self.send({"events": [to_dict(event) for event in events]})


def _file_of(line: Connection) -> tuple[int, int] | None:
    if os.name == "nt":  # where it has no descriptor
        return None
    found = os.fstat(line.fileno())
    return found.st_dev, found.st_ino


def _listen(line: Connection, inbox: queue.SimpleQueue[Message], stopping: threading.Event) -> None:
    try:
        while True:
            message = json.loads(line.recv_bytes())
            if "finish_up" in message:
                stopping.set()
            else:
                inbox.put(message)
    except (EOFError, OSError):
        os._exit(1)


def _outcome(wire: Wire, stopping: Stopping, task: str, job: str, arguments: dict[str, Any]) -> Message:
    """The result of a task, or why there is none: a function can raise anything."""
    try:
        loaded = _load(job)
    except ModulesDiffer as error:
        return {"kind": "differ", "error": str(error)}
    except FilesGone as error:
        return _gone(error)
    except BaseException as error:
        return {"kind": "usage", "error": f"the function arrived in a worker, but not whole: {type(error).__name__}: {error}"}
    try:
        result = tasks.run(task, loaded, wire.emit, arguments, stopping)
    except BuildError as error:
        return {"kind": "build", "error": str(error)}
    except UsageError as error:
        return {"kind": "usage", "error": str(error)}
    except FilesGone as error:
        return _gone(error)
    except Exception:
        return {"kind": "internal", "error": traceback.format_exc()}
    except BaseException as error:  # what nobody is to catch
        return {"kind": "died", "error": quit_message(error, loaded.function)}
    return {"result": result}


def _gone(error: FilesGone) -> Message:
    """For the supervisor, which ends all workers over it."""
    return {"kind": "gone", "error": str(error)}


def _has_failed(outcome: Message) -> bool:
    return "error" in outcome or outcome["result"].get("status") == FAILED


@functools.lru_cache(maxsize=2)
def _load(path: str) -> Terms:
    """A job from its file. One that came from another machine has its folders beside it, and the user's modules in `CODE`."""
    folder = Path(path).parent
    if (folder / CODE).is_dir():
        sys.path.insert(0, str(folder / CODE))
    try:
        written = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise FilesGone(path) from error
    job = cloudpickle.loads(written)
    assert isinstance(job, Terms)
    _stand_in_for_notebook(job.function.call)
    return job.at(folder)


def _stand_in_for_notebook(call: Any) -> None:
    """The function's own globals can be found in `__main__`, where pickle looks for them, and processes are started as in a
    notebook, whose children have them too: for a pool that the function makes.
    """
    multiprocessing.set_start_method(None, force=True)  # a worker is told to start others as it was started itself
    while isinstance(call, (functools.partial, types.MethodType)):
        call = call.func if isinstance(call, functools.partial) else call.__func__
    function = inspect.unwrap(call if isinstance(call, types.FunctionType) else type(call).__call__)
    if isinstance(function, types.FunctionType) and function.__globals__.get("__name__") == "__main__":
        own = {name: thing for name, thing in function.__globals__.items() if not name.startswith("__")}
        vars(sys.modules["__main__"]).update(own)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a function may have put anything there
            stream.flush()
