"""A progress line that rewrites itself, and a table at the end."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

from nbtune.progress import Progress
from nbtune.views.headline import headline
from nbtune.views.surface import Controls
from nbtune.views.table import table_text

BAR = 20


class TerminalSurface:
    """Writes to `stream`, standard error unless told; where that is no terminal, only what lasts is written."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._rewrites = self._stream.isatty()

    def announce(self, text: str) -> None:
        if self._rewrites:
            self._rewrite(text)

    def open(self, progress: Progress, controls: Controls) -> None:
        self._progress = progress

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
        self._put(f"{headline(self._progress, now)}\n{table_text(self._progress)}\n")

    def report(self, problem: str) -> None:
        self._put(f"\n{problem}\n")

    def _rewrite(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._put(f"{text[:width]:<{width}}\r")

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def progress_line(progress: Progress, now: float) -> str:
    """`[########------------] running: 21 of 54, about 40 s left; ...`"""
    full = BAR * progress.ended // max(len(progress.trials), 1)
    return f"[{'#' * full}{'-' * (BAR - full)}] {headline(progress, now)}"
