"""Processes that end with the one that started them, however that went."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

import psutil

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, in Linux's prctl.h


class Parent:
    """The process that started this one, known by more than its number, which another one may get later."""

    def __init__(self) -> None:
        self._number = os.getppid()
        self._process = psutil.Process(self._number)

    def lives(self) -> bool:
        """A dead parent's children go to another one at once, even where nobody has asked yet how it ended."""
        return os.getppid() == self._number and self._process.is_running()


def end_with_parent() -> None:
    """Has the kernel of Linux kill this process when its parent dies: a process that is halted cannot see to it itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def rouse(pid: int) -> None:
    """Has a process go on that another one has halted: whoever waits for it would wait for ever."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_STOPPED:
            process.resume()
