"""Processes that end with the one that started them, however that went."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Container

import psutil

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36  # PR_SET_… in Linux's prctl.h
SECONDS_TO_END = 2


class Parent:
    """The process that started this one, known by more than its number, which another one may get later."""

    def __init__(self) -> None:
        self._number = os.getppid()
        self._process = psutil.Process(self._number)

    def lives(self) -> bool:
        """A dead parent's children go to another one at once, even where nobody has asked yet how it ended."""
        return os.getppid() == self._number and self._process.is_running()


def end_with_parent() -> None:
    """Has Linux kill this process when its parent dies: a process that is halted cannot see to it itself.

    Only where the parent has a single thread, or its main thread starts this process: it is the thread whose end counts.
    """
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def wake_with_parent() -> None:
    """Has Linux let this process go on, should it be halted, when its parent dies, so that it sees that and ends itself.

    Linux sends the signal at the end of the thread that started it as well, where it does no harm.
    """
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGCONT)


def adopt_orphans() -> None:
    """Has Linux make descendants of this process its children when their parents end, also those in sessions of their own."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def bury_orphans(others: Container[int]) -> None:
    """Lets those that have ended go: Linux keeps each until its parent has asked.

    Args:
        others: children that this process has started itself.
    """
    if sys.platform == "linux":
        with contextlib.suppress(ChildProcessError):  # there are none at all
            peek = os.WEXITED | os.WNOHANG | os.WNOWAIT
            while (ended := os.waitid(os.P_ALL, 0, peek)) and ended.si_pid not in others:
                os.waitpid(ended.si_pid, 0)


def end_children(others: Container[int] = ()) -> None:
    """Kills the children of this process but for `others`, and then theirs, who are orphans by that; for `adopt_orphans`."""
    until = time.monotonic() + SECONDS_TO_END
    while sys.platform == "linux" and time.monotonic() < until:
        found = [child for child in psutil.Process().children() if child.pid not in others]
        if not found:
            return
        for child in found:
            with contextlib.suppress(psutil.Error):
                child.kill()
        psutil.wait_procs(found, until - time.monotonic())


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def rouse(pid: int) -> None:
    """Has a process go on that another one has halted: whoever waits for it would wait for ever."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_STOPPED:
            process.resume()
