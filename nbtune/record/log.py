"""The project's log: every event as it came, one JSON object a line, only ever added to.

A line ends with `check`, the hash of all before it in the line, and has in `after` the `check` of the line before: what was
changed, and where lines are missing, shows when the log is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from nbtune.record import files
from nbtune.record.events import Event, from_dict, to_dict

FILE = "events.jsonl"
MOST_BYTES, MOST_IN_LINE = 2**31, 2**26
_CHECKED = re.compile(rb'(\{.*), "check": "([0-9a-f]{32})"\}', re.DOTALL)
_LENGTH = len(', "check": ""}\n') + 32


class Log:
    """Appends events to a file. One that could not be written is kept, and written with the next."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._waiting: list[Event] = []

    def add(self, *events: Event) -> None:
        """Raises OSError where the disk takes no more, nothing is lost then; or where there is something else than a log."""
        self._waiting += events
        if not self._waiting:
            return
        handle = files.opened(self._project / FILE, self._project, os.O_RDWR | os.O_CREAT)
        with os.fdopen(handle, "r+b") as file:
            end = _end_of_last_line(file)
            file.truncate(end)
            file.seek(max(end - _LENGTH, 0))
            last = _CHECKED.fullmatch(b"{" + file.read(_LENGTH).rstrip(b"\n"))
            lines = b"".join(checked(self._waiting, last[2].decode() if last else ""))
            file.seek(end)
            try:
                file.write(lines)
                file.flush()
            except OSError:
                file.truncate(end)
                raise
        self._waiting = []


def checked(events: Iterable[Event], after: str = "") -> Iterator[bytes]:
    """The lines that hold the events; `after` is the check of the line before the first."""
    for event in events:
        text = json.dumps({**to_dict(event), "after": after})
        after = _check(text.encode())
        yield f'{text[:-1]}, "check": "{after}"}}\n'.encode()


def _check(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _end_of_last_line(file: BinaryIO) -> int:
    """Where a whole line ends; what is behind it was torn when a kernel was killed."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(end - 65536, 0)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


@dataclass(frozen=True)
class Read:
    """What a log holds.

    Attributes:
        events: what can be trusted.
        damaged: the numbers of the lines that cannot, from 1.
        gaps: the numbers of the lines before which others are missing.
    """

    events: tuple[Event, ...]
    damaged: tuple[int, ...] = ()
    gaps: tuple[int, ...] = ()


def read(project: Path) -> Read:
    """All events that can be read. A last line without its end was being written when the kernel died: no damage.

    Raises:
        OSError: there is something else than a file of a log's size.
    """
    return read_file(project / FILE, project)


def read_file(path: Path, project: Path) -> Read:
    """The same of any file of a project with such lines."""
    try:
        handle = files.opened(path, project)
    except FileNotFoundError:
        return Read(())
    events: list[Event] = []
    damaged, gaps, last = [], [], ""
    with os.fdopen(handle, "rb") as file:
        if os.fstat(handle).st_size > MOST_BYTES:
            raise files.too_large(path, MOST_BYTES)
        for number, line in enumerate(_lines(file), 1):
            try:
                event, after, check = _parsed(line)
            except (ValueError, TypeError, KeyError, AttributeError):
                damaged.append(number)
                last = ""
                continue
            if last != after and (last or number == 1):
                gaps.append(number)
            events.append(event)
            last = check
    return Read(tuple(events), tuple(damaged), tuple(gaps))


def parsed(lines: Iterable[bytes]) -> list[Event]:
    """The events of whole lines that follow each other.

    Raises:
        ValueError, TypeError, KeyError: one is damaged, or is not what followed the line before.
    """
    events, last = [], ""
    for line in lines:
        event, after, check = _parsed(line.rstrip(b"\n"))
        if after != last:
            raise ValueError("it does not follow the line before")
        events.append(event)
        last = check
    return events


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The whole lines, without their ends; of one that is too long to be one its beginning."""
    while line := file.readline(MOST_IN_LINE):
        whole = line
        while whole and not whole.endswith(b"\n"):
            whole = file.readline(MOST_IN_LINE)
        if whole:
            yield line.rstrip(b"\n")


def _parsed(line: bytes) -> tuple[Event, str, str]:
    """Event, check of the line before, own check. Raises ValueError, TypeError, KeyError or AttributeError for damage."""
    found = _CHECKED.fullmatch(line)
    if found is None or _check(found[1] + b"}") != found[2].decode():
        raise ValueError("its check is another one")
    state: dict[str, Any] = files.as_object(found[1] + b"}")
    return from_dict({name: value for name, value in state.items() if name != "after"}), state["after"], found[2].decode()
