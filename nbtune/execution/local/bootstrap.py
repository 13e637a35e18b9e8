"""The process between a kernel and its workers, before it has work: `python -m nbtune.execution.local.bootstrap SCRATCH`.

First of all it has TensorFlow imported where workers will be forked from, so that a process that was started beforehand is
ready at once. What it needs itself, which is in `supervisor`, it imports meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import select
import shutil
import sys
import traceback
from typing import Any

from nbtune.execution.local.output import redirect

SECONDS_IN_RESERVE = 900  # without work; then the memory is given back


def main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a user's function prints goes to the log, not between the messages
    try:
        context = _context()
        from nbtune.execution.local.supervisor import Supervisor  # meanwhile

        settings = _settings()
        if settings:
            _move(settings)
            supervisor = Supervisor(out, context, settings)
            try:
                for line in sys.stdin:
                    supervisor.obey(json.loads(line))
            finally:
                supervisor.end()
    except Exception:
        traceback.print_exc()
    finally:
        shutil.rmtree(sys.argv[1], ignore_errors=True)
        os._exit(0)


def _settings() -> dict[str, Any] | None:
    """What the kernel has for it to do; None if that does not come, or not in time."""
    if sys.platform != "win32" and not select.select([sys.stdin], [], [], SECONDS_IN_RESERVE)[0]:
        return None
    line = sys.stdin.readline()
    return json.loads(line) if line else None


def _move(settings: dict[str, Any]) -> None:
    """To where the kernel is by now, for the workers to be there too: they start where this process is."""
    redirect(settings["log"])
    sys.path[:] = settings["path"]
    with contextlib.suppress(OSError):
        os.chdir(settings["folder"])


def _context() -> Any:
    """Workers forked from a process that has only imported TensorFlow start in 0.1 s; elsewhere they are spawned.

    At that price each task has a process of its own, and so its own memory, and finds what XLA compiled in an earlier run:
    in `xlacache` programs go by names in which TensorFlow counts what the process has traced before.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # the supervisor too: with the pool's own
    context.set_forkserver_preload(["nbtune.execution.local.worker", "nbtune.execution.local.supervisor"])
    from multiprocessing import forkserver

    forkserver.ensure_running()
    return context


if __name__ == "__main__":
    main()
