"""Where multiprocessing makes its sockets: their paths have to be short, and temporary folders can be deep."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from nbtune.errors import UsageError

LONGEST = 103  # bytes of a socket's path: 104 on macOS and 108 on Linux, with the zero at the end
ADDED = len("/pymp-12345678/listener-12345678")  # to the folder, by multiprocessing
_NAME = "nbtune-12345678"  # as long as those that tempfile gives
_ELSEWHERE = ("/tmp", "/var/tmp", "~")


def folder_near(scratch: Path) -> Path:
    """`scratch` itself where its path is short enough, else a new folder elsewhere, to be removed with it.

    Raises:
        UsageError: there is no place with a short path.
    """
    if os.name == "nt" or _fits(scratch):  # Windows has pipes with names instead
        return scratch
    for place in map(os.path.expanduser, _ELSEWHERE):
        if os.access(place, os.W_OK | os.X_OK) and _fits(Path(place) / _NAME):
            return Path(tempfile.mkdtemp(prefix="nbtune-", dir=place))
    raise UsageError(f"the temporary folder {scratch.parent} has too long a path for sockets; set TMPDIR to a shorter one")


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) + ADDED <= LONGEST
