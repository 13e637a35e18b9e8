"""What XLA compiled, kept from one run to the next; its flags and the names of its files were seen in TensorFlow 2.16 to 2.21.

Worth 1.4 s of processor time for each stack of the same shape that was compiled before (Dense layers, 2 cores, TensorFlow 2.21).
A TensorFlow that does not know the flags ignores them.

It is machine code, so it lies in the user's own cache folder and never in a project, which may come from somebody else.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import stat
from pathlib import Path

from platformdirs import user_cache_path

from nbtune import machine

MOST_BYTES = 200_000_000
_ENTRIES = "xla_compile_cache__*"
_FLAG = "--tf_xla_persistent_cache_directory"
_PACKAGES = ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly")


def environment() -> dict[str, str]:
    """What has to be in the environment before TensorFlow is imported; nothing where no folder can be written.

    TensorFlow's flags: entries are found by a hash of the program, and are kept for the CPU alone.
    """
    flags = os.environ.get("TF_XLA_FLAGS", "")
    if _FLAG in flags:
        return {}
    folder = user_cache_path("nbtune") / "xla" / _kind()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not all(map(_is_private, (folder, folder.parent, folder.parent.parent))):
            return {}
        _make_room(folder.parent)
    except OSError:
        return {}
    return {"TF_XLA_FLAGS": f"{flags} {_FLAG}={_quoted(folder)} --tf_xla_persistent_cache_device_types=CPU".strip()}


def clear() -> None:
    """Removes what this process would find, because some of it is damaged."""
    folder = re.search(rf'{_FLAG}=("(?:[^"\\]|\\.)*"|\S+)', os.environ.get("TF_XLA_FLAGS", ""))
    for path in _unquoted(folder[1]).glob(_ENTRIES) if folder else []:
        path.unlink(missing_ok=True)


def is_damaged(error: Exception) -> bool:
    """Whether TensorFlow says so of an entry that it has found."""
    return type(error).__name__ in ("DataLossError", "OutOfRangeError") or "cache key does not match" in str(error)


def _is_private(folder: Path) -> bool:
    """Whether a folder is the user's, and nobody else may write or read there: machine code in it is run."""
    found = os.lstat(folder)
    if not hasattr(os, "getuid"):
        return True
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return False
    if found.st_mode & 0o077:
        folder.chmod(0o700)
    return True


def _quoted(folder: Path) -> str:
    """A path as TensorFlow's flags are read: a blank would end it outside of quotes."""
    return '"' + re.sub(r'(["\\])', r"\\\1", str(folder)) + '"'


def _unquoted(text: str) -> Path:
    return Path(re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text)


def _kind() -> str:
    """The same for machines and versions that can run each other's code."""
    return hashlib.sha256(repr([platform.machine(), _cpu(), *map(machine.installed, _PACKAGES)]).encode()).hexdigest()[:16]


def _cpu() -> str:
    try:
        return next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        return platform.processor()


def _make_room(folder: Path) -> None:
    """Removes the oldest entries, of whatever kind, beyond `MOST_BYTES`."""
    entries = sorted((path.lstat().st_mtime, path.lstat().st_size, path) for path in folder.glob(f"*/{_ENTRIES}"))
    surplus = sum(size for _, size, _ in entries) - MOST_BYTES
    for _, size, path in entries:
        if surplus <= 0:
            return
        path.unlink(missing_ok=True)
        surplus -= size
