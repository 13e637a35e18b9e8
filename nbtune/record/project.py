"""The folder of a search: found again when the same cell is run again, and used by one search at a time."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from nbtune.data.fingerprint import Fingerprint, differences
from nbtune.errors import UsageError
from nbtune.record import files, header

LOCK = ".lock"
USUAL = ".nbtune"
_MENDED = "{} was damaged; its copy is whole, and what was trained is used."


class Project:
    """A locked folder. `is_new` until something was trained in it; `note` says why it was taken, for the user."""

    def __init__(self, path: Path, is_new: bool, note: str = "") -> None:
        self.path, self.is_new, self.note = path, is_new, note
        os.close(files.opened(path / LOCK, path, os.O_RDWR | os.O_CREAT))  # or it is no plain file
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
            _make(directory)
            earlier = [] if fresh else [path for path in _of_name(directory, name) if header.is_in(path)]
        except ValueError:  # a null character
            raise UsageError(f"{str(directory)!r} cannot be the name of a folder; choose another --dir") from None
        except OSError as error:
            raise UsageError(f"cannot write to {directory}: {error.strerror}; choose another --dir") from None
        try:
            for path in reversed(earlier):
                found = header.read(path)
                if fingerprint and not differences(fingerprint, found.fingerprint):
                    project = cls(path.absolute(), False, _MENDED.format(path / header.FILE) if found.is_damaged else "")
                    if found.is_damaged:  # the folder is ours now
                        with contextlib.suppress(OSError):  # no room: the copy will do next time too
                            header.write(path, found.fingerprint)
                    return project
        except OSError as error:
            raise UsageError(f"cannot use {error.filename}: it {error.strerror}") from None
        note = f"{_why_anew(fingerprint, earlier)} {_links(directory, name) if not fresh else ''}".strip()
        try:
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


@dataclass(frozen=True)
class Cleaned:
    """What `clean` did: what it removed, with its size in MB, and what it could not, with the reason."""

    removed: list[tuple[Path, float]]
    left: list[tuple[Path, str]]


def clean(directory: Path) -> Cleaned:
    """Removes the projects that a later one of the same name has replaced, unless they are in use."""
    cleaned = Cleaned([], [])
    for path in _replaced(directory):
        try:
            os.close(files.opened(path / LOCK, path, os.O_RDWR | os.O_CREAT))
            with FileLock(path / LOCK, blocking=False):
                size = _megabytes(path)
                shutil.rmtree(path)
        except Timeout:
            continue
        except OSError as error:  # it goes on: what is odd about one is no reason to keep the others
            cleaned.left.append((path, error.strerror or str(error)))
            continue
        cleaned.removed.append((path, size))
    return cleaned


def _megabytes(path: Path) -> float:
    """What the files below a folder take; links are not followed."""
    found = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
    return sum(os.lstat(file).st_size for file in found) / 1e6


def _replaced(directory: Path) -> Iterator[Path]:
    """Only folders with our header: whatever else is there is not ours to remove."""
    for file in sorted(directory.glob(f"*/{header.FILE}")):
        path = file.parent
        found = re.fullmatch("(.+)-([0-9]{1,9})", path.name)
        name, number = (found[1], int(found[2])) if found else (path.name, 1)
        if not path.is_symlink() and (directory / f"{name}-{number + 1}" / header.FILE).exists():
            yield path


def _of_name(directory: Path, name: str) -> list[Path]:
    found = itertools.takewhile(Path.exists, _names(directory, name))
    return [path for path in found if path.is_dir() and not path.is_symlink()]


def _links(directory: Path, name: str) -> str:
    """What to say of projects that are only links to some."""
    found = [path for path in itertools.takewhile(os.path.lexists, _names(directory, name)) if path.is_symlink()]
    if not found:
        return ""
    return f"{found[0]} is a link, and none is followed; to go on where it leads, give that folder's parent as --dir."


def _names(directory: Path, name: str) -> Iterator[Path]:
    yield directory / name
    yield from (directory / f"{name}-{i}" for i in itertools.count(2))


def _make(directory: Path) -> None:
    """The folder of projects; one with the usual name stays out of a repository that a notebook lies in."""
    is_new = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    if is_new and directory.name == USUAL:
        (directory / ".gitignore").write_text("*\n")


def _new(directory: Path, name: str, fingerprint: Fingerprint | None) -> Path:
    for path in _names(directory, name):
        try:
            path.mkdir()
        except FileExistsError:
            continue
        header.write(path, fingerprint or {})
        return path
    raise AssertionError("unreachable")


def _why_anew(fingerprint: Fingerprint | None, earlier: list[Path]) -> str:
    if not earlier or not fingerprint:
        return ""
    last = header.read(earlier[-1])
    if last.trouble:
        return f"Everything trains anew: {earlier[-1]} {last.trouble}; it is kept."
    what = " and ".join(f"the {part}" for part in differences(fingerprint, last.fingerprint))
    return f"Everything trains anew: {what} changed since {earlier[-1]}, which is kept."
