"""In a notebook cell: outputs that at the end hold a line, a picture and a table and need no kernel."""

from __future__ import annotations

import sys
import uuid
from html import escape
from typing import TYPE_CHECKING, Any

from nbtune import machine
from nbtune.record.progress import Progress
from nbtune.views.figures.picture import Picture
from nbtune.views.notebook.bundle import (
    beside_a_widget,
    headline_bundle,
    picture_bundle,
    picture_metadata,
    table_bundle,
    text_bundle,
)
from nbtune.views.notebook.schema import Output
from nbtune.views.surface import Controls

if TYPE_CHECKING:
    from nbtune.views.front import Front

SAVED_TOO_EARLY = "running: this notebook was saved while the search ran; run the cell again, and it goes on where it was"


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

    def fill(self, bundle: dict[str, Any]) -> None:
        """Shows the bundle where nothing is shown yet."""
        if not self._shown:
            self.show(bundle)


class Nowhere(Place):
    """Keeps nothing: for a page that shows the widget alone."""

    def show(self, bundle: dict[str, Any], metadata: dict[str, Any] | None = None) -> None: ...


def announcement(text: str) -> dict[str, Any]:
    return dict(text_bundle(text)) if text else {}


class DisplaySurface:
    """Where nobody can click: the lasting outputs from the start, updated in place."""

    def __init__(self) -> None:
        self._line, self._middle, self._bottom = Place(), Place(), Place()

    def announce(self, text: str) -> None:
        self._line.show(announcement(text))

    def open(self, progress: Progress, controls: Controls) -> None:
        self._progress, self._picture = progress, Picture(progress)
        self._problem = ""
        self.line(machine.now())
        self._middle.show({})
        self._bottom.show({})

    def line(self, now: float) -> None:
        bundle = headline_bundle(self._progress, now)
        more = {"text/html": f"<br>{escape(self._problem)}", "text/plain": f"\n{self._problem}"} if self._problem else {}
        self._line.show({kind: text + more.get(kind, "") for kind, text in bundle.items()})

    def whole(self, now: float) -> None:
        self.line(now)
        self._middle.show(picture_bundle(self._progress, self._picture.png()), picture_metadata(self._progress))
        self._bottom.show(table_bundle(self._progress))

    def rest(self, now: float) -> None:
        self.whole(now)

    def close(self, now: float) -> None:
        self.whole(now)

    def report(self, problem: str) -> None:
        self._problem = problem
        self.line(machine.now())


class PanelSurface:
    """Where buttons work: a panel, and beside it what the saved notebook shall show.

    A line, a picture and a table are written whenever the search rests or ends. Where the page can, it shows them only
    when the panel is gone (see `bundle.beside_a_widget`); elsewhere they take the panel's place at the end.
    """

    def __init__(self, place: type[Place] = Place) -> None:
        self._top, self._line, self._middle, self._bottom = place(), place(), place(), place()
        self._front: Front | None = None

    def announce(self, text: str) -> None:
        self._top.show(announcement(text))

    def open(self, progress: Progress, controls: Controls) -> None:
        if self._front is not None:  # another grid in the same place
            self._begin(progress, controls, self._front)
            self._front.listen(self._panel.hear)
            self._panel.hear({"kind": "hello"})
            return
        self._begin(progress, controls)
        self._front = self._panel.front
        self._show(self._front, text_bundle(SAVED_TOO_EARLY))

    def _begin(self, progress: Progress, controls: Controls, front: Front | None = None) -> None:
        from nbtune.views.notebook.panel import LivePanel  # brings ipywidgets

        self._progress, self._picture = progress, Picture(progress)
        self._panel = LivePanel(progress, controls, front)

    def _show(self, front: Front, text: dict[str, str]) -> None:
        """Takes the cell's outputs: the widget, a text for where it is gone, and room for what lasts."""
        self._top.show(front.bundle())
        self._line.show({})
        self._middle.show({})
        self._bottom.show({})
        front.once_hidden(lambda: self._line.fill(dict(beside_a_widget(text, front.token, "line"))))

    def line(self, now: float) -> None:
        self._panel.draw_line(now)

    def whole(self, now: float) -> None:
        self._panel.draw(now)
        self._top.show(self._panel.front.bundle())

    def rest(self, now: float) -> None:
        self._panel.draw(now)
        self._leave(now)

    def close(self, now: float) -> None:
        self.rest(now)
        if not self._panel.front.hides_lasting:
            self._top.show({})

    def _leave(self, now: float) -> None:
        progress, token = self._progress, self._panel.front.token
        outputs: list[tuple[dict[str, Any], dict[str, Any]]] = [
            (dict(beside_a_widget(self._words(now), token, "line")), {}),
            (dict(picture_bundle(progress, self._picture.png())), picture_metadata(progress)),
            (dict(beside_a_widget(table_bundle(progress), token)), {}),
        ]
        for place, (data, metadata) in zip((self._line, self._middle, self._bottom), outputs, strict=True):
            place.show(data, metadata)
        self._panel.leave([Output(data=data, metadata=metadata) for data, metadata in outputs])

    def _words(self, now: float) -> dict[str, str]:
        return headline_bundle(self._progress, now)

    def report(self, problem: str) -> None:
        self._panel.problem = problem


class MarimoSurface(PanelSurface):
    """In marimo: the widget alone, as an output of the cell that runs. A saved notebook there is Python, without outputs."""

    def __init__(self) -> None:
        super().__init__(Nowhere)

    def open(self, progress: Progress, controls: Controls) -> None:
        is_first = self._front is None
        super().open(progress, controls)
        if is_first:
            sys.modules["marimo"].output.append(self._panel.front)

    @property
    def widget(self) -> Front:
        return self._panel.front

    def rest(self, now: float) -> None:
        self._panel.draw(now)
