"""The project's log: every event as it came, one JSON object a line, only ever added to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from nbtune.events import Event, from_dict, to_dict

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
        before = self._file.stat().st_size if self._file.exists() else 0
        with self._file.open("a", encoding="utf-8") as file:
            try:
                file.write(lines if self._ends_a_line(before) else "\n" + lines)
                file.flush()
            except OSError:
                file.truncate(before)
                raise
        self._waiting = []

    def _ends_a_line(self, size: int) -> bool:
        """False behind a line that was torn when a kernel was killed."""
        if size == 0:
            return True
        with self._file.open("rb") as file:
            file.seek(size - 1)
            return file.read() == b"\n"


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
