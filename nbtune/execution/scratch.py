"""Temporary folders that go even where nobody was left to remove them: the next one that is made sees to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX, LOCK = "nbtune-", ".nbtune-lock"  # a folder without this lock may be anybody's, and stays


class Scratch:
    """A new temporary folder, locked for as long as this process lives."""

    def __init__(self) -> None:
        remove_left_behind()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = FileLock(self.path / LOCK, thread_local=False)
        self._lock.acquire()

    def remove(self) -> None:
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)


def remove_left_behind() -> None:
    """Removes the folders of this user's processes that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), _unused(path) as is_unused:
            if is_unused:
                shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _unused(path: Path) -> Iterator[bool]:
    """Whether a folder is ours, and nobody's any more; nobody can take it meanwhile."""
    found = path.lstat()
    is_ours = path.is_dir() and not path.is_symlink() and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
    if not is_ours or not (path / LOCK).exists():
        yield False
        return
    try:
        with FileLock(path / LOCK, blocking=False):
            yield True
    except Timeout:
        yield False
