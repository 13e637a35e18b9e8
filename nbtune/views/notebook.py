"""In a notebook cell: three outputs, which at the end hold a line, a picture and a table and nothing that needs a kernel."""

from __future__ import annotations

import time
import uuid
from html import escape
from typing import Any

from nbtune.progress import Progress
from nbtune.views.bundle import headline_bundle, headline_html, picture_bundle, picture_metadata, table_bundle
from nbtune.views.picture import Picture
from nbtune.views.surface import OVER, Controls


class Place:
    """One output of the cell, which can be changed from any thread after the cell has ended."""

    def __init__(self) -> None:
        self._id = uuid.uuid4().hex
        self._shown: object = None

    def show(self, bundle: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        from IPython.display import display, update_display

        if self._shown is None:
            display(bundle, metadata=metadata, raw=True, display_id=self._id)
        elif bundle != self._shown:
            update_display(bundle, metadata=metadata, raw=True, display_id=self._id)
        self._shown = bundle


class Outputs:
    """The cell's three outputs, one below the other."""

    def __init__(self, top: Place, progress: Progress, picture: Picture) -> None:
        self._progress, self._picture = progress, picture
        self._top, self._middle, self._bottom = top, Place(), Place()

    def top(self, bundle: dict[str, Any]) -> None:
        self._top.show(bundle)

    def line(self, now: float, problem: str = "") -> None:
        bundle = headline_bundle(self._progress, now)
        more = {"text/html": f"<br>{escape(problem)}", "text/plain": f"\n{problem}"} if problem else {}
        self._top.show({kind: text + more.get(kind, "") for kind, text in bundle.items()})

    def results(self) -> None:
        self._middle.show(picture_bundle(self._progress, self._picture.png()), picture_metadata(self._progress))
        self._bottom.show(table_bundle(self._progress))

    def empty(self) -> None:
        self._middle.show({})
        self._bottom.show({})


def announcement(text: str) -> dict[str, Any]:
    return {"text/html": headline_html(text), "text/plain": text} if text else {}


class DisplaySurface:
    """Where nobody can click: the lasting outputs from the start, updated in place."""

    def __init__(self) -> None:
        self._top = Place()

    def announce(self, text: str) -> None:
        self._top.show(announcement(text))

    def open(self, progress: Progress, controls: Controls) -> None:
        self._outputs = Outputs(self._top, progress, Picture(progress))
        self._problem = ""
        self.line(time.time())
        self._outputs.empty()

    def line(self, now: float) -> None:
        self._outputs.line(now, self._problem)

    def whole(self, now: float) -> None:
        self.line(now)
        self._outputs.results()

    def rest(self, now: float) -> None:
        self.whole(now)

    def close(self, now: float) -> None:
        self.whole(now)

    def report(self, problem: str) -> None:
        self._problem = problem
        self.line(time.time())


class PanelSurface:
    """Where buttons work: a panel while the search runs.

    While it is paused the panel keeps only its line and buttons, above the lasting picture and table, so that a
    notebook that is saved then holds them and yet can be resumed. When the search is over the line takes the panel's place.
    """

    def __init__(self) -> None:
        self._top = Place()

    def announce(self, text: str) -> None:
        self._top.show(announcement(text))

    def open(self, progress: Progress, controls: Controls) -> None:
        from nbtune.views.panel import Panel

        self._progress = progress
        self._picture = Picture(progress)
        self._panel = Panel(progress, controls, self._picture)
        self._outputs = Outputs(self._top, progress, self._picture)
        if progress.state in OVER:
            self._outputs.line(time.time())
        else:
            self._panel.draw_line(time.time())
            self._outputs.top(self._panel.bundle())
        self._outputs.empty()

    def line(self, now: float) -> None:
        self._panel.draw_line(now)

    def whole(self, now: float) -> None:
        self._panel.draw(now)
        self._outputs.top(self._panel.bundle())
        self._outputs.empty()

    def rest(self, now: float) -> None:
        self._panel.draw(now, results=False)
        self._outputs.results()

    def close(self, now: float) -> None:
        self._panel.draw(now)  # it still shows where the page was reloaded: other outputs do not change there any more
        self._outputs.results()
        self._outputs.line(now, self._panel.problem)

    def report(self, problem: str) -> None:
        self._panel.problem = problem
