"""Where one search is on screen: the cell that showed it last has the live view."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from nbtune.record.progress import Progress
from nbtune.views.frontend import clicks_work, current_shell, surface_for
from nbtune.views.live import Live
from nbtune.views.notebook.surfaces import MarimoSurface
from nbtune.views.surface import OVER, Controls, Surface


class Screen:
    """Opens live views, and knows which cell has the last one. A view in an earlier cell goes on as it was."""

    def __init__(self, surface: Surface | None = None, waits: bool = False) -> None:
        """`surface`: where the first view shows; None for the cell that runs, which `waits` for the search or does not."""
        self._live: Live | None = None
        self._surface, self._waits = surface, waits
        self._cell: int | None = None

    @contextlib.contextmanager
    def notice(self, text: str) -> Iterator[None]:
        """Shows a line in the current cell while something slow happens that has no progress yet."""
        self._surface = self._surface or self._new_surface(self._waits)
        self._surface.announce(text)
        try:
            yield
        finally:
            self._surface.announce("")

    def begin(self, progress: Progress, controls: Controls, start: Callable[[], None]) -> None:
        """Starts a search with a view where the notice was, or starts it again with the last view."""
        if self._live is None:
            self._open(progress, controls, self._surface or self._new_surface(self._waits))
            start()
        else:
            start()
            self._live.start()

    def renew(self, progress: Progress, controls: Controls, start: Callable[[], None]) -> None:
        """Starts another grid of the same search, and shows it where the last one was."""
        if self._live is None:
            self.begin(progress, controls, start)
            return
        self._live.finish()
        self._open(progress, controls, self._live.surface)
        start()

    def show(self, progress: Progress, controls: Controls) -> None:
        """Opens a view in the current cell; of a search that is over it is drawn before the cell ends."""
        self._open(progress, controls, self._new_surface(waits=progress.state in OVER))
        if progress.state in OVER:
            self.settle()

    def show_once(self, progress: Progress, controls: Controls) -> None:
        """As `show`, unless this very cell shows it already."""
        if self._live is None or _cell(current_shell()) != self._cell:
            self.show(progress, controls)

    def widget(self, progress: Progress, controls: Controls) -> object:
        """What a marimo cell shows; it stands there already where the search began in that cell."""
        surface = self._live and self._live.surface
        if not isinstance(surface, MarimoSurface):
            surface = MarimoSurface()
            self._open(progress, controls, surface)
        return surface.widget

    def _new_surface(self, waits: bool) -> Surface:
        shell = current_shell()
        self._cell = _cell(shell)
        return surface_for(shell, clicks_work(shell), waits)

    def _open(self, progress: Progress, controls: Controls, surface: Surface) -> None:
        self._live = Live(progress, controls, surface)
        self._live.start()

    def settle(self) -> None:
        """Waits until the last picture of an ended search is drawn."""
        if self._live is not None:
            self._live.finish()


def _cell(shell: Any) -> int | None:
    return getattr(shell, "execution_count", None)
