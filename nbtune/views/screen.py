"""Where one search is on screen: at most one live view, in the cell that showed it last."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from nbtune.progress import Progress
from nbtune.views import frontend
from nbtune.views.live import Controls, Live


class Screen:
    """Opens a live view in the current cell, and knows which cell that was."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._cell: object = None

    @contextlib.contextmanager
    def notice(self, text: str) -> Iterator[None]:
        """Shows a line while something slow happens that has no progress yet."""
        with frontend.notice(frontend.shell(), text):
            yield

    def begin(self, progress: Progress, controls: Controls) -> None:
        """Starts the view, or sets the one that stands there going again."""
        if self._live is None:
            self.show(progress, controls)
        else:
            self._live.start()

    def show(self, progress: Progress, controls: Controls) -> None:
        """Opens a view in the current cell; the one elsewhere keeps its last picture."""
        if self._live is not None:
            self._live.finish()
        shell = frontend.shell()
        self._live = Live(progress, controls, frontend.surface_for(shell, frontend.clicks_work(shell)))
        self._cell = frontend.cell(shell)
        self._live.start()

    def show_once(self, progress: Progress, controls: Controls) -> None:
        """As `show`, unless this very cell shows it already."""
        if self._live is None or frontend.cell(frontend.shell()) != self._cell:
            self.show(progress, controls)

    def settle(self) -> None:
        """Waits until the last picture of an ended search is drawn."""
        if self._live is not None:
            self._live.finish()
