"""The first file of a project: what its results depend on, and which version of the format it has."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from nbtune.data.fingerprint import Fingerprint
from nbtune.record import files

FILE, FORMAT = "nbtune.json", 2
MOST_BYTES = 2**20


@dataclass(frozen=True)
class Header:
    """`fingerprint` is empty where `trouble` says, in the words after "search-2 …", why nothing of it can be used."""

    fingerprint: Fingerprint
    trouble: str = ""


def write(project: Path, fingerprint: Fingerprint) -> None:
    state = {"format": FORMAT, "fingerprint": fingerprint, "check": _check(fingerprint)}
    files.write(project / FILE, project, json.dumps(state).encode())


def read(project: Path) -> Header:
    """Whatever is wrong with the file, it is said in `trouble`."""
    try:
        state = files.as_object(files.read(project / FILE, project, MOST_BYTES))
    except OSError as error:
        return Header({}, f"has no {FILE} that can be read (it {error.strerror})")
    except ValueError:
        return Header({}, f"has a damaged {FILE}")
    form, fingerprint = state.get("format", 1), state.get("fingerprint")
    if type(form) is int and form > FORMAT:
        return Header({}, "was written by a newer version of nbtune")
    if form == 1 and "check" not in state and isinstance(fingerprint, dict):
        return Header({}, "was written by an older version of nbtune, without checksums")
    if form != FORMAT or not isinstance(fingerprint, dict) or state.get("check") != _check(fingerprint):
        return Header({}, f"has a damaged {FILE}")
    return Header(fingerprint)


def _check(fingerprint: Fingerprint) -> str:
    return hashlib.blake2b(json.dumps([FORMAT, fingerprint], sort_keys=True).encode(), digest_size=16).hexdigest()
