"""Where a search shows itself, and what its buttons ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol

from nbtune.record.progress import Progress

OVER = ("stopped", "finished", "failed")


class Archive(NamedTuple):
    """A file for a page to save: its name, what is in it, and what to do with it."""

    name: str
    content: bytes
    words: str


class Controls(Protocol):
    """A search that can be steered; each call may take a while and returns when it holds."""

    def pause(self) -> object: ...
    def resume(self) -> object: ...
    def stop(self) -> object: ...
    def code(self) -> str:
        """Python that trains the best combination."""

    def next_steps(self) -> str:
        """Lines for a cell that make use of the result."""

    def plot(self, kind: str) -> object:
        """A picture, with `_repr_png_`."""

    def save(self, *, refit: bool) -> Path:
        """Writes the winner to a file."""

    def archive(self) -> Archive:
        """The project as a zip, to go on elsewhere."""

    def widen(self, **values: Any) -> object:
        """Adds values to axes and trains what is new."""


class Surface(Protocol):
    """A place to draw on. `announce` and `open` are called in the cell; the others from the clock's thread."""

    def announce(self, text: str) -> None:
        """Says in a line what happens before there is any progress; "" takes it back."""

    def open(self, progress: Progress, controls: Controls) -> None: ...

    def line(self, now: float) -> None:
        """Brings the headline up to date; `now` in seconds since the epoch."""

    def whole(self, now: float) -> None:
        """Brings everything up to date."""

    def rest(self, now: float) -> None:
        """The search is paused: shows what may be saved now and yet can be resumed."""

    def close(self, now: float) -> None:
        """Leaves what shall last. `line` or `whole` may follow, if the search is resumed."""

    def report(self, problem: str) -> None:
        """Shows that drawing went wrong."""
