"""The time that a search may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Deadline:
    """Counts the time that a search runs, pauses left out, and tells once when it is over. For one thread at a time.

    Args:
        minutes: None for no limit.
        tell: is called from a thread of its own.

    Attributes:
        is_over: until it is set anew.
    """

    def __init__(self, minutes: float | None, tell: Callable[[], None]) -> None:
        self._seconds, self._tell = None if minutes is None else 60 * minutes, tell
        self._left = self._seconds
        self._timer: threading.Timer | None = None
        self._since = 0.0
        self.is_over = False

    def renew(self) -> None:
        """All of the time is there again."""
        self.halt()
        self._left, self.is_over = self._seconds, False

    def run(self) -> None:
        if self._left is None or self._timer or self.is_over:
            return
        self._since = time.monotonic()
        self._timer = threading.Timer(self._left, self._end)
        self._timer.daemon = True
        self._timer.start()

    def halt(self) -> None:
        if self._timer is None or self._left is None:
            return
        self._timer.cancel()
        self._timer = None
        self._left = max(self._left - (time.monotonic() - self._since), 0.0)

    def _end(self) -> None:
        self.is_over = True
        self._tell()
