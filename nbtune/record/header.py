"""The first file of a project: what its results depend on, and which version of the format it has. There is a copy of it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from nbtune.data.fingerprint import Fingerprint
from nbtune.record import files

FILE, COPY, FORMAT = "nbtune.json", "nbtune-copy.json", 2
MOST_BYTES = 2**20


@dataclass(frozen=True)
class Header:
    """What is known of it.

    Attributes:
        fingerprint: empty where there is trouble.
        trouble: in the words after "search-2 …", why nothing of the project can be used.
        is_damaged: the file cannot be read; where there is no trouble its copy could.
    """

    fingerprint: Fingerprint
    trouble: str = ""
    is_damaged: bool = False


def write(project: Path, fingerprint: Fingerprint) -> None:
    state = {"format": FORMAT, "fingerprint": fingerprint, "check": _check(fingerprint)}
    for name in (COPY, FILE):
        files.write(project / name, project, json.dumps(state).encode())


def is_in(folder: Path) -> bool:
    """Whether a folder is a project, as far as one can see."""
    return any(os.path.lexists(folder / name) for name in (FILE, COPY))


def read(project: Path) -> Header:
    """Whatever is wrong with the file, it is said in `trouble`, unless its copy is whole."""
    found = _read(project, FILE)
    if not found.is_damaged:
        return found
    copy = _read(project, COPY)
    return found if copy.trouble else Header(copy.fingerprint, is_damaged=True)


def _read(project: Path, name: str) -> Header:
    try:
        state = files.as_object(files.read(project / name, project, MOST_BYTES))
    except OSError as error:
        return Header({}, f"has no {FILE} that can be read (it {error.strerror})", True)
    except ValueError:
        return Header({}, f"has a damaged {FILE}", True)
    form, fingerprint = state.get("format", 1), state.get("fingerprint")
    if type(form) is int and form > FORMAT:
        return Header({}, "was written by a newer version of nbtune")
    if form == 1 and "check" not in state and isinstance(fingerprint, dict):
        return Header({}, "was written by an older version of nbtune, without checksums")
    if form != FORMAT or not isinstance(fingerprint, dict) or state.get("check") != _check(fingerprint):
        return Header({}, f"has a damaged {FILE}", True)
    return Header(fingerprint)


def _check(fingerprint: Fingerprint) -> str:
    return hashlib.blake2b(json.dumps([FORMAT, fingerprint], sort_keys=True).encode(), digest_size=16).hexdigest()
