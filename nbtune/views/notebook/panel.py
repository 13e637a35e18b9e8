"""The panel that people watch and click while a search runs; what it looks like is in `front/`."""

from __future__ import annotations

import base64
import threading
import time
import weakref
from pathlib import Path
from typing import Any

from nbtune import machine, threads
from nbtune.errors import UsageError
from nbtune.record.progress import Progress
from nbtune.views.findings import Edge
from nbtune.views.front import Front
from nbtune.views.notebook.buttons import Action, action, buttons, edge_of
from nbtune.views.notebook.schema import Button, Download, Message, Output
from nbtune.views.notebook.tabs import CAPTIONS, tab
from nbtune.views.notebook.wire import Wire
from nbtune.views.surface import Archive, Controls

APART = 3.0  # seconds between whole messages to a page that has not said a word


class LivePanel:
    """A widget and what it has been told. The clock's thread draws, the kernel's hears, and a thread of its own acts.

    Args:
        front: what shows it, a `Front` or what is like one; a widget of its own if left out.
    """

    def __init__(self, progress: Progress, controls: Controls, front: Any = None) -> None:
        self._progress = progress
        self._search = weakref.ref(controls)  # a page keeps its widget for ever, which must not keep the user's data
        self._wire = Wire(progress)
        self._lock = threading.RLock()  # one message at a time, in order
        self._drawing = threading.Lock()
        self._problem = ""
        self._asked = ""  # the button whose action is under way
        self._unanswered = -APART
        self._lasting: list[Output] = []
        self.front = front or Front("live", self.first(machine.now()))
        if front is None:
            self.front.listen(self.hear)

    def first(self, now: float) -> Message:
        """What a page can show before it has been answered."""
        return {**self._wire.head(now), "buttons": self._buttons()}

    def draw(self, now: float) -> None:
        """Tells the page what changed."""
        with self._lock:
            if self.front.greetings:
                self._send(self._wire.changes(now))
            elif time.monotonic() - self._unanswered >= APART:  # its greeting waits behind a cell that runs
                self._unanswered = time.monotonic()
                self._send_whole(now)
            else:
                self.draw_line(now)

    def draw_line(self, now: float) -> None:
        """Tells the page how far the search is; `now` in seconds since the epoch."""
        with self._lock:
            self._send(self._wire.head(now))

    def leave(self, outputs: list[Output]) -> None:
        """Gives a reloaded page what shall last in its notebook: `data` and `metadata` of each output."""
        with self._lock:
            self._lasting = outputs
            if self.front.reloaded:
                self._send({"lasting": outputs})

    def _send(self, message: Message) -> None:
        if message:
            self.front.send({**message, "buttons": self._buttons()} if "head" in message else message)

    def _send_whole(self, now: float) -> None:
        self._send({**self._wire.whole(now), "problem": self._problem})

    def hear(self, content: dict[str, Any]) -> None:
        with self._lock:
            match content:
                case {"kind": "hello"}:
                    self._send_whole(machine.now())
                    if self.front.reloaded and self._lasting and self._progress.state != "running":
                        self._send({"lasting": self._lasting})
                case {"kind": "choose", "trial": int(index)} if 0 <= index < len(self._progress.trials):
                    self._send(self._wire.detail(index))
                case {"kind": "size", "width": int(width), "height": int(height)}:
                    self._send(self._wire.resize(width, height))
                case {"kind": "tab", "name": str(name)} if name in CAPTIONS:
                    threads.start(self._show_tab, "nbtune-tab", name)
                case {"kind": "click", "button": str(button)}:
                    if asked := action(self._progress, button):
                        self._do(button, asked)

    def edge_of(self, button: str) -> Edge | None:
        """The edge of the grid beyond which a button goes."""
        return edge_of(self._progress, button)

    def _show_tab(self, name: str) -> None:
        """In a thread of its own: one may take a worker some seconds."""
        if search := self._search():
            with self._drawing:  # one at a time
                try:
                    self.front.send({"tab": tab(name, self._progress, search)})
                except Exception as error:  # it must not vanish in a thread
                    self.problem = f"{type(error).__name__}: {error}"

    def _buttons(self) -> dict[str, Button]:
        return buttons(self._progress, self._asked)

    def _do(self, button: str, asked: Action) -> None:
        """Has the search do what a button asks, in a thread: it returns when it holds, and the kernel shall stay free."""
        if self._asked:
            return
        self._asked = button
        self.problem = ""
        threads.start(self._act, "nbtune-click", asked)

    def _act(self, asked: Action) -> None:
        problem = ""
        try:
            search = self._search()
            if search is None:
                raise UsageError("a later search has taken this one's name; run the cell again to have it back")
            method, arguments = asked
            if message := _shown(getattr(search, method)(**arguments)):
                self.front.send(message)
        except Exception as error:
            problem = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
        finally:
            self._asked = ""
            self.problem = problem

    @property
    def problem(self) -> str:
        """What went wrong with the last click or drawing; empty if nothing did."""
        return self._problem

    @problem.setter
    def problem(self, text: str) -> None:
        with self._lock:
            self._problem = text
            self.front.send({"problem": text, "buttons": self._buttons()})


def _shown(result: object) -> Message:
    """What an action returned, for the page: text, the model's file, or a picture."""
    if isinstance(result, Archive):
        file = Download(name=result.name, content=base64.b64encode(result.content).decode("ascii"))
        return {"text": result.words, "picture": "", "download": file}
    if isinstance(result, str):
        return {"text": result, "picture": ""}
    if isinstance(result, Path):
        return {"text": f'model = keras.saving.load_model("{result.name}")  # in {result.parent}', "picture": ""}
    if hasattr(result, "_repr_png_"):
        return {"text": "", "picture": base64.b64encode(result._repr_png_()).decode("ascii")}
    return {}
