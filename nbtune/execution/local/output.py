"""Where a process that was started before its work is known prints to from then on."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path

from nbtune.record import files

MOST_BYTES = 20_000_000


def redirect(log: str) -> None:
    """Lets all that this process prints go to the end of a file, as far as the disk takes it: a trial must not fail over it."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    file = files.opened(Path(log), Path(log).parent, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    for name, number in (("stdout", 1), ("stderr", 2)):
        to_file = io.BufferedWriter(_Lenient(number))
        setattr(sys, name, io.TextIOWrapper(to_file, "utf-8", "backslashreplace", line_buffering=True))


def shorten(number: int = 1) -> None:
    """Of a file that has grown large by what was printed to it the newest part stays."""
    with contextlib.suppress(OSError):
        size = os.fstat(number).st_size
        if size > MOST_BYTES:
            os.lseek(number, -(MOST_BYTES // 4), os.SEEK_END)  # what is written goes to the end all the same
            newest = os.read(number, MOST_BYTES // 4)
            os.ftruncate(number, 0)
            os.write(number, b"(earlier output was left out)\n" + newest)


class _Lenient(io.RawIOBase):
    """A file descriptor that drops what it cannot write."""

    def __init__(self, number: int) -> None:
        self._number = number

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        with contextlib.suppress(OSError):
            os.write(self._number, view)
        return view.nbytes
