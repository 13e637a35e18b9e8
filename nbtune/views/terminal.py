"""A progress line that rewrites itself, and a table at the end."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TextIO

from nbtune.errors import printable
from nbtune.record.progress import Progress
from nbtune.record.remaining import share_done
from nbtune.views.findings import advice_of, marked
from nbtune.views.headline import headline
from nbtune.views.surface import Controls
from nbtune.views.table import table_text

BAR = 20
BLUE, BOLD, RED, PLAIN = "\x1b[36m", "\x1b[1m", "\x1b[31m", "\x1b[0m"


class TerminalSurface:
    """Writes to `stream`, standard error unless told; where that is no terminal, only what lasts is written."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._rewrites = self._stream.isatty()
        self._paints = self._rewrites and "NO_COLOR" not in os.environ  # https://no-color.org

    def announce(self, text: str) -> None:
        if self._rewrites:
            self._rewrite(text)

    def open(self, progress: Progress, controls: Controls) -> None:
        self._progress = progress
        self._put("".join(f"{printable(note)}\n" for note in (*progress.notes, *map(marked, progress.advice))))

    def line(self, now: float) -> None:
        if self._rewrites:
            self._rewrite(progress_line(self._progress, now))

    def whole(self, now: float) -> None:
        self.line(now)

    def rest(self, now: float) -> None:
        self.line(now)

    def close(self, now: float) -> None:
        if self._rewrites:
            self._rewrite("")
        found = [marked(advice) for advice in advice_of(self._progress) if advice not in self._progress.advice]
        text = printable("\n".join([headline(self._progress, now), table_text(self._progress), *found, ""]))
        self._put(_painted(text) if self._paints else text)

    def report(self, problem: str) -> None:
        self._put(f"\n{printable(problem)}\n")

    def _rewrite(self, text: str) -> None:
        text = printable(text)
        width = shutil.get_terminal_size().columns - 1
        line = f"{text[:width]:<{width}}"
        self._put((re.sub(r"#+", rf"{BLUE}\g<0>{PLAIN}", line, count=1) if self._paints else line) + "\r")

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def progress_line(progress: Progress, now: float) -> str:
    """`[########------------] running: 21 of 54, about 40 s left; ...`"""
    full = int(BAR * share_done(progress))
    return f"[{'#' * full}{'-' * (BAR - full)}] {headline(progress, now)}"


def _painted(text: str) -> str:
    """The state and the best trial in bold, what went wrong in red."""
    text = re.sub(r"\A\w+|^ *1  .*$", rf"{BOLD}\g<0>{PLAIN}", text, flags=re.MULTILINE)
    return re.sub(r"\b(failed|diverged)\b", rf"{RED}\1{PLAIN}", text)
