"""A live panel in Google Colab, which needs no widgets there: Colab lets a page call functions of the kernel."""

from __future__ import annotations

import json
import sys
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from nbtune import machine
from nbtune.record.progress import Progress
from nbtune.views.notebook.bundle import text_bundle
from nbtune.views.notebook.surfaces import SAVED_TOO_EARLY, Place, announcement
from nbtune.views.surface import Controls

MOST_WAITING = 200  # messages that a page has not fetched; of more, it is told everything once it is back


def has_bridge() -> bool:
    """Whether this is Colab, with its bridge from the page to the kernel."""
    output = getattr(sys.modules.get("google.colab"), "output", None)
    return hasattr(output, "register_callback")


class Bridge:
    """What `Front` is with widgets: messages to a page, which fetches them, and what the page says."""

    hides_lasting = False

    def __init__(self) -> None:
        self.token = uuid.uuid4().hex
        self.greetings = 0
        self._listener: Callable[[dict[str, Any]], None] = lambda content: None
        self._waiting: deque[Mapping[str, Any]] = deque()
        self._lock = threading.Lock()
        sys.modules["google.colab"].output.register_callback(self.name, self.answer)

    @property
    def name(self) -> str:
        return f"nbtune-{self.token}"

    @property
    def reloaded(self) -> bool:
        return False  # nothing lasting is written by the page

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> None:
        self._listener = listener

    def send(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(message)

    def answer(self, contents: list[dict[str, Any]]) -> Any:
        """What a page has to say → what is new for it."""
        from IPython.display import JSON

        with self._lock:
            missed = len(self._waiting) >= MOST_WAITING
            if missed:
                self._waiting.clear()
        for content in [{"kind": "hello"}] * missed + contents:
            self.greetings += content.get("kind") == "hello"
            self._listener(content)
        with self._lock:
            messages = list(self._waiting)
            self._waiting.clear()
        return JSON({"messages": messages})

    def bundle(self, first: Mapping[str, Any], line: str) -> dict[str, str]:
        """The panel as a cell's output; `first` is what it shows before the kernel has answered."""
        from nbtune.views.front.modules import bundle, read

        known = json.dumps([self.name, self.token, first]).replace("<", "\\u003c")
        script = f'{bundle("colab.js")}\nconnect(document.getElementById("{self.name}"), ...{known});'
        html = f'<div id="{self.name}"></div><style>{read("panel.css")}</style><script type="module">{script}</script>'
        return {"text/html": html, "text/plain": line}


class ColabSurface:
    """The live panel in a cell that does not wait for its search. What lasts is shown by `search.show()`."""

    def __init__(self) -> None:
        self._top = Place()
        self._bridge: Bridge | None = None

    def announce(self, text: str) -> None:
        self._top.show(announcement(text))

    def open(self, progress: Progress, controls: Controls) -> None:
        is_first = self._bridge is None
        self._bridge = self._bridge or Bridge()
        from nbtune.views.notebook.panel import LivePanel  # brings ipywidgets

        self._panel = LivePanel(progress, controls, self._bridge)
        self._bridge.listen(self._panel.hear)
        if is_first:
            line = text_bundle(SAVED_TOO_EARLY)["text/plain"]
            self._top.show(self._bridge.bundle(self._panel.first(machine.now()), line))
        else:
            self._panel.hear({"kind": "hello"})

    def line(self, now: float) -> None:
        self._panel.draw_line(now)

    def whole(self, now: float) -> None:
        self._panel.draw(now)

    rest = close = whole

    def report(self, problem: str) -> None:
        self._panel.problem = problem
