"""Files of a project, which may come from somebody else: no link in it is followed, nothing but plain files is read or
written, and nothing is read without a limit.

Paths are walked from the project's folder on by directory handles (`openat`), so that a folder that is a link stops the
walk. Where a system has none (Windows) each folder is looked at before it is used.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOST_JSON, MOST_COPIED = 2**24, 2**31  # bytes
_HANDLES = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # a pipe would be waited for


@contextlib.contextmanager
def _folder(path: Path, root: Path, make: bool = False) -> Iterator[tuple[str, int | None]]:
    """The folder of a file below `root` as (what its names begin with, handle). Raises OSError where a link is in the way."""
    if not path.is_relative_to(root):
        raise OSError(errno.EINVAL, f"lies outside of {root}", str(path))
    at = root
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if _HANDLES else None
    try:
        for part in path.relative_to(root).parts[:-1]:
            at = at / part
            handle = _enter(at, handle, make)
        yield ("" if _HANDLES else f"{at}{os.sep}"), handle
    finally:
        if handle is not None:
            os.close(handle)


def _enter(folder: Path, above: int | None, make: bool) -> int | None:
    """Goes one folder down, which is made if it is missing; gives the handle of the one above back."""
    name = folder.name if above is not None else str(folder)
    if make:
        _make_way(name, above, for_folder=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=above)
    found = os.stat(name, dir_fd=above, follow_symlinks=False)
    mode = stat.S_IFLNK if getattr(found, "st_reparse_tag", 0) else found.st_mode  # a junction of Windows
    if not stat.S_ISDIR(mode):
        raise OSError(errno.ENOTDIR, f"is {_kind(mode)} and no folder", str(folder))
    if above is None:
        return None
    below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _FLAGS, dir_fd=above)
    os.close(above)
    return below


def _make_way(name: str, handle: int | None, for_folder: bool = False) -> None:
    """Moves a folder aside that stands in the place of a file, or whatever stands in the place of a folder."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode) != for_folder:
            os.rename(name, f"{name}.{secrets.token_hex(4)}.aside", src_dir_fd=handle, dst_dir_fd=handle)


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISLNK, "a link"), (stat.S_ISDIR, "a directory"), (stat.S_ISREG, "a file"), (stat.S_ISFIFO, "a pipe"))
    return next((name for is_one, name in kinds if is_one(mode)), "a device")


def opened(path: Path, root: Path, flags: int = os.O_RDONLY) -> int:
    """A handle on a plain file of the project. One to write to that has another name, too (a hard link), is copied first.

    Raises:
        OSError: it is a link, a folder, a pipe or a device, or in a folder that is a link; FileNotFoundError if there is none.
    """
    with _folder(path, root, make=bool(flags & os.O_CREAT)) as (above, handle):
        name = above + path.name
        with contextlib.suppress(FileNotFoundError):
            _check(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode, path)
        file = os.open(name, flags | _FLAGS | _AT_ONCE, 0o666, dir_fd=handle)
    try:
        found = os.fstat(file)
        _check(found.st_mode, path)
        is_shared = found.st_nlink > 1 and bool(flags & (os.O_WRONLY | os.O_RDWR))
        content = read(path, root, MOST_COPIED) if is_shared else b""
    except OSError:
        os.close(file)
        raise
    if not is_shared:
        return file
    os.close(file)
    write(path, root, content)
    return opened(path, root, flags)


def _check(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"is {_kind(mode)} and no plain file; remove it", str(path))


def read(path: Path, root: Path, most: int = MOST_JSON) -> bytes:
    """What is in a plain file of at most `most` bytes; raises OSError as `opened` does."""
    with os.fdopen(opened(path, root), "rb") as file:
        if os.fstat(file.fileno()).st_size > most:
            raise too_large(path, most)
        return file.read(most)


def too_large(path: Path, most: int) -> OSError:
    return OSError(errno.EFBIG, f"is larger than {most / 1e6:,.0f} MB", str(path))


def read_json(path: Path, root: Path) -> dict[str, Any]:
    """Raises OSError as `read`, and ValueError for what is no JSON object."""
    return as_object(read(path, root))


def as_object(text: bytes) -> dict[str, Any]:
    """Raises ValueError for what is no JSON object, however it is wrong."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def write(path: Path, root: Path, data: bytes) -> None:
    """Whole or not at all, so that a reader never sees half a file; a file or link that was there is replaced, a folder moved."""
    with _folder(path, root, make=True) as (above, handle):
        partial = above + f".{secrets.token_hex(8)}.partial"
        try:
            file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666, dir_fd=handle)
            with os.fdopen(file, "wb") as out:
                out.write(data)
            _make_way(above + path.name, handle)
            os.replace(partial, above + path.name, src_dir_fd=handle, dst_dir_fd=handle)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(partial, dir_fd=handle)
            raise


def put(partial: Path, path: Path, root: Path) -> None:
    """Gives a file that was written beside its place that place, as `write` does."""
    with _folder(path, root) as (above, handle):
        _make_way(above + path.name, handle)
        os.replace(above + partial.name, above + path.name, src_dir_fd=handle, dst_dir_fd=handle)


def append(path: Path, root: Path, text: str) -> None:
    """Adds to the end of a plain file; raises OSError as `opened` does."""
    with os.fdopen(opened(path, root, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as file:
        file.write(text.encode(errors="backslashreplace"))


def remove(path: Path, root: Path) -> None:
    """Removes a file of the project, if there is one; of a link the link; a folder in its place is moved aside."""
    with contextlib.suppress(FileNotFoundError), _folder(path, root) as (above, handle):
        _make_way(above + path.name, handle)
        os.unlink(above + path.name, dir_fd=handle)


def stamp(path: Path, root: Path) -> str:
    """The size and the hash of a plain file: `4096-9f…`; raises OSError as `opened` does."""
    with os.fdopen(opened(path, root), "rb") as file:
        found = hashlib.blake2b(digest_size=16)
        size = os.fstat(file.fileno()).st_size
        while block := file.read(2**20):
            found.update(block)
        return f"{size}-{found.hexdigest()}"


def is_as_stamped(path: Path, root: Path, known: str | None) -> bool:
    """Whether a plain file is what it was when it was stamped; one of another size is not read. Raises OSError as `opened`."""
    file = opened(path, root)
    size = os.fstat(file).st_size
    os.close(file)
    return known is not None and known.startswith(f"{size}-") and stamp(path, root) == known
