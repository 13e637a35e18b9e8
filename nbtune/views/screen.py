"""Where one search is on screen: the cell that showed it last has the live view."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from nbtune.progress import Progress
from nbtune.views.frontend import clicks_work, surface_for
from nbtune.views.live import Live
from nbtune.views.notebook import Place
from nbtune.views.surface import Controls


class Screen:
    """Opens live views, and knows which cell has the last one. A view in an earlier cell goes on as it was."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._cell: int | None = None

    @contextlib.contextmanager
    def notice(self, text: str) -> Iterator[None]:
        """Shows a line while something slow happens that has no progress yet."""
        if getattr(_shell(), "kernel", None) is not None:
            place = Place()
            place.show({"text/plain": text})
            try:
                yield
            finally:
                place.show({})
        elif sys.stderr.isatty():
            sys.stderr.write(f"{text}\r")
            sys.stderr.flush()
            yield
        else:
            yield

    def begin(self, progress: Progress, controls: Controls) -> None:
        """Opens the view, or sets the last one going again."""
        if self._live is None:
            self.show(progress, controls)
        else:
            self._live.start()

    def show(self, progress: Progress, controls: Controls) -> None:
        """Opens a view in the current cell."""
        shell = _shell()
        self._live = Live(progress, controls, surface_for(shell, clicks_work(shell)))
        self._cell = _cell(shell)
        self._live.start()

    def show_once(self, progress: Progress, controls: Controls) -> None:
        """As `show`, unless this very cell shows it already."""
        if self._live is None or _cell(_shell()) != self._cell:
            self.show(progress, controls)

    def settle(self) -> None:
        """Waits until the last picture of an ended search is drawn."""
        if self._live is not None:
            self._live.finish()


def _shell() -> Any:
    """IPython's shell; None in a plain Python process, where IPython may not even be imported."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _cell(shell: Any) -> int | None:
    return getattr(shell, "execution_count", None)
