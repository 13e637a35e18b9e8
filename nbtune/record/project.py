"""The folder of a search: found again when the same cell is run again, and used by one search at a time."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from nbtune.data.fingerprint import Fingerprint, differences
from nbtune.errors import UsageError

HEADER, LOCK = "nbtune.json", ".lock"


class Project:
    """A locked folder. `is_new` until something was trained in it; `note` says why it was taken, for the user."""

    def __init__(self, path: Path, is_new: bool, note: str = "") -> None:
        self.path, self.is_new, self.note = path, is_new, note
        self._lock = FileLock(path / LOCK, thread_local=False)  # the thread that trains gives back what the cell took
        self.acquire()

    @classmethod
    def open(cls, directory: Path, name: str, fingerprint: Fingerprint | None, fresh: bool) -> Project:
        """The latest project of this name with this fingerprint, else a new folder: nothing is written over.

        Args:
            fingerprint: None where there is none, so that nothing can be reused.
            fresh: take a new folder in any case.

        Raises:
            UsageError: nothing can be written there, or another search is using the project.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
            earlier = [] if fresh else [path for path in _of_name(directory, name) if (path / HEADER).exists()]
            for path in reversed(earlier):
                if fingerprint and not differences(fingerprint, _header(path)):
                    return cls(path.absolute(), is_new=False)
            note = _why_anew(fingerprint, earlier)
            return cls(_new(directory, name, fingerprint).absolute(), True, note)
        except OSError as error:
            raise UsageError(f"cannot write to {directory}: {error.strerror}; choose another --dir") from None

    def acquire(self) -> None:
        """Raises UsageError where another search uses the folder."""
        if self._lock.is_locked:  # by this search; a second time would have to be released twice
            return
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise UsageError(
                f"{self.path} is in use by a search in another notebook; stop it there, or give this one another name"
            ) from None

    def release(self) -> None:
        self._lock.release()

    def discard(self) -> None:
        """Gives the folder up; a new one disappears."""
        self.release()
        if self.is_new:
            shutil.rmtree(self.path)


def clean(directory: Path) -> list[tuple[Path, float]]:
    """Removes the projects that a later one of the same name has replaced, unless they are in use.

    Returns:
        What was removed, with its size in MB.
    """
    removed = []
    for path in _replaced(directory):
        try:
            with FileLock(path / LOCK, blocking=False):
                size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
                shutil.rmtree(path)
        except Timeout:
            continue
        removed.append((path, size))
    return removed


def _replaced(directory: Path) -> Iterator[Path]:
    """Only folders with our header: whatever else is there is not ours to remove."""
    for header in sorted(directory.glob(f"*/{HEADER}")):
        name, dash, number = header.parent.name.rpartition("-")
        base, index = (name, int(number)) if dash and number.isdigit() else (header.parent.name, 1)
        if (directory / f"{base}-{index + 1}" / HEADER).exists():
            yield header.parent


def _of_name(directory: Path, name: str) -> list[Path]:
    return [path for path in itertools.takewhile(Path.exists, _names(directory, name)) if path.is_dir()]


def _names(directory: Path, name: str) -> Iterator[Path]:
    yield directory / name
    yield from (directory / f"{name}-{i}" for i in itertools.count(2))


def _new(directory: Path, name: str, fingerprint: Fingerprint | None) -> Path:
    for path in _names(directory, name):
        try:
            path.mkdir()
        except FileExistsError:
            continue
        (path / HEADER).write_text(json.dumps({"fingerprint": fingerprint or {}}))
        return path
    raise AssertionError("unreachable")


def _header(path: Path) -> Fingerprint:
    try:
        return dict(json.loads((path / HEADER).read_text())["fingerprint"])
    except (ValueError, TypeError, KeyError):
        return {}


def _why_anew(fingerprint: Fingerprint | None, earlier: list[Path]) -> str:
    if not earlier or not fingerprint:
        return ""
    changed = differences(fingerprint, _header(earlier[-1]))
    what = " and ".join(f"the {part}" for part in changed)
    return f"Everything trains anew: {what} changed since {earlier[-1]}, which is kept."
