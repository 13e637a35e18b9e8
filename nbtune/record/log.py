"""The project's log: every event as it came, one JSON object a line, only ever added to."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nbtune.record.events import Event, from_dict, to_dict

FILE = "events.jsonl"


class Log:
    """Appends events to a file. One that could not be written is kept, and written with the next."""

    def __init__(self, project: Path) -> None:
        self._file = project / FILE
        self._waiting: list[Event] = []

    def add(self, *events: Event) -> None:
        """Raises OSError where the disk takes no more; nothing is lost then."""
        self._waiting += events
        if not self._waiting:
            return
        lines = "".join(json.dumps(to_dict(event)) + "\n" for event in self._waiting)
        with self._file.open("a+b") as file:
            end = _end_of_last_line(file)
            file.truncate(end)
            try:
                file.write(lines.encode())
                file.flush()
            except OSError:
                file.truncate(end)
                raise
        self._waiting = []


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
    """What a log holds: the events, and the numbers of the lines that are damaged, from 1."""

    events: tuple[Event, ...]
    damaged: tuple[int, ...]


def read(project: Path) -> Read:
    """All events that can be read. A last line without its end was being written when the kernel died: no damage."""
    file = project / FILE
    if not file.exists():
        return Read((), ())
    lines = file.read_bytes().split(b"\n")
    events, damaged = [], []
    for number, line in enumerate(lines[:-1], 1):
        try:
            events.append(from_dict(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError):
            damaged.append(number)
    return Read(tuple(events), tuple(damaged))
