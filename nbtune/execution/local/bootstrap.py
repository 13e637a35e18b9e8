"""The process between a kernel and its workers, before it has work: `python -m nbtune.execution.local.bootstrap SCRATCH SOCKETS`.

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
import threading
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbtune.execution.local.output import redirect, shorten
from nbtune.execution.local.parent import Parent, adopt_orphans, end_children, wake_with_parent

if TYPE_CHECKING:
    from nbtune.execution.local.supervisor import Supervisor

SECONDS_IN_RESERVE = 900  # without work; then the memory is given back
SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_TO_END = 3


def main() -> None:
    wake_with_parent()
    adopt_orphans()
    parent = Parent()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a user's function prints goes to the log, not between the messages
    words = os.dup(2)
    running: list[Supervisor] = []  # one while a search is under way

    def end() -> None:
        for each in running:
            each.end()

    def look_after() -> None:
        for each in list(running):
            each.look_after()

    try:
        _context()
        from nbtune.execution.local import supervisor  # meanwhile

        threading.Thread(target=_end_with, args=[parent, end, look_after], daemon=True).start()
        is_to_go_on = True
        while is_to_go_on and (settings := _settings(parent)):
            _move(settings)
            running[:] = [supervisor.Supervisor(out, _context(), settings)]  # the fork server may be gone by then
            try:
                is_to_go_on = running[0].serve(sys.stdin)
            finally:
                end()
            running.clear()
            _let_go_of_the_log(words)
            supervisor.tell(out, {"done": "dismiss"})
    except Exception:
        traceback.print_exc()
    finally:
        _leave()


def _leave() -> None:
    end_children()
    for folder in sys.argv[1:]:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _end_with(parent: Parent, end: Callable[[], None], meanwhile: Callable[[], None]) -> None:
    """Ends all when the kernel is gone. The end of the input need not tell: a process that the kernel forked may hold it open."""
    while parent.lives():
        time.sleep(SECONDS_BETWEEN_LOOKS)
        shorten()
        meanwhile()
    ending = threading.Thread(target=end, daemon=True)
    ending.start()
    ending.join(SECONDS_TO_END)  # a worker that only starts holds it up while TensorFlow is imported, and ends with this process
    _leave()


def _settings(parent: Parent) -> dict[str, Any] | None:
    """What the kernel has for it to do; None if that does not come, or not in time."""
    until = time.monotonic() + SECONDS_IN_RESERVE
    while sys.platform != "win32" and not select.select([sys.stdin], [], [], SECONDS_BETWEEN_LOOKS)[0]:
        if time.monotonic() > until or not parent.lives():
            return None
    line = sys.stdin.readline()
    return json.loads(line) if line else None


def _move(settings: dict[str, Any]) -> None:
    """To where the kernel is by now, for the workers to be there too: they start where this process is."""
    redirect(settings["log"])
    sys.path[:] = settings["path"]
    with contextlib.suppress(OSError):
        os.chdir(settings["folder"])


def _let_go_of_the_log(words: int) -> None:
    """So that the folder of the search can be removed everywhere."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.dup2(words, 1)
    os.dup2(words, 2)


def _context() -> Any:
    """Workers forked from a process that has only imported TensorFlow start in 0.1 s; elsewhere they are spawned.

    At that price each task has a process of its own, and so its own memory, and finds what XLA compiled in an earlier run:
    in `xlacache` programs go by names in which TensorFlow counts what the process has traced before.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nbtune.execution.local.preload"])
    from multiprocessing import forkserver

    forkserver.ensure_running()
    return context


if __name__ == "__main__":
    main()
