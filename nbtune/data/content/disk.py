"""What is in files and folders, as far as it can be told in a moment."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable

MOST_READ = 2**30  # bytes; of more their sizes and the times of their last changes count
MOST_FILES = 100_000


def states(names: Iterable[str]) -> list[str]:
    """What tells files and folders from what they are later, or were before: files by their content, unless it is much.

    Raises:
        OSError: one cannot be read, or is neither.
    """
    found = [(name, _stat(name)) for name in names]
    is_little = sum(status.st_size for _, status in found if status) <= MOST_READ
    return [_state(name, status, is_little) for name, status in found]


def _stat(name: str) -> os.stat_result | None:
    try:
        return os.stat(name)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # an address on the web, perhaps
        return None


def _state(name: str, status: os.stat_result | None, by_content: bool) -> str:
    if status is None:
        return "nothing"
    if stat.S_ISDIR(status.st_mode):
        if not is_there(name):
            raise OSError(f"all of {name}, where the search itself writes")
        return _folder(name)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{name} is neither a file nor a folder")
    if not by_content:
        return _changed(status)
    with open(name, "rb") as file:
        content = hashlib.blake2b(digest_size=16)
        while block := file.read(2**22):
            content.update(block)
    return content.hexdigest()


def _changed(found: os.stat_result) -> str:
    return f"{found.st_size} {found.st_mtime_ns}"


def _folder(name: str) -> str:
    """By the names, sizes and times of the files below it."""
    lines: list[str] = []
    for folder, _, files in os.walk(name):
        for file in files:
            path = os.path.join(folder, file)
            lines.append(f"{os.path.relpath(path, name)} {_changed(os.lstat(path))}")
            if len(lines) > MOST_FILES:
                raise OSError(f"{name} holds more than {MOST_FILES:,} files")
    return hashlib.blake2b("\n".join(sorted(lines)).encode(errors="surrogateescape"), digest_size=16).hexdigest()


def is_there(name: str) -> bool:
    """Whether a text names a file, or a folder other than those that we are in."""
    try:
        path = os.path.realpath(name)
        return bool(name) and os.path.exists(path) and os.path.commonpath([path, os.getcwd()]) != path
    except (ValueError, OSError):  # a null character, another drive, too long
        return False
