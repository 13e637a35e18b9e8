"""What runs in the browser: ES modules, of which each widget gets the ones it needs as one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import anywidget
import traitlets

from nbtune.views.front.modules import bundle, read


class Front(anywidget.AnyWidget):
    """A widget whose page is made by our own scripts, and what is known of that page.

    Attributes:
        first: what the page can show before the kernel has answered it.
        token: names this widget in the notebook's other outputs, see `nbtune.views.notebook.bundle`.
        greetings: how often a page has loaded it.
        hides_lasting: the notebook's page shows the outputs beside a widget only where the widget is gone. Known for all
            widgets once one of them has been seen.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)
    token = traitlets.Unicode().tag(sync=True)

    hides_lasting: ClassVar[bool] = False

    def __init__(self, widget: str, first: Mapping[str, Any]) -> None:
        """`widget`: "live" or "setup"."""
        super().__init__(_esm=bundle(f"{widget}_widget.js"), _css=read("panel.css"), first=dict(first), token=uuid.uuid4().hex)
        self.greetings = 0
        self._hidden: Callable[[], None] = lambda: None
        self._listener: Callable[[dict[str, Any]], None] = lambda content: None
        self.on_msg(lambda _, content, buffers: self.hear(content))

    @property
    def reloaded(self) -> bool:
        """The page has been loaded anew: there the kernel reaches this widget, and no other output of its cell."""
        return self.greetings > 1

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> None:
        """From now on `listener` gets what the page says."""
        self._listener = listener

    def once_hidden(self, tell: Callable[[], None]) -> None:
        """Calls `tell` as soon as the page is known to hide what stands beside a widget: elsewhere it would be seen with it."""
        self._hidden = tell
        if Front.hides_lasting:
            tell()

    def hear(self, content: dict[str, Any]) -> None:
        match content:
            case {"kind": "hello"}:
                self.greetings += 1
            case {"kind": "seen", "lab": bool(lab)}:
                Front.hides_lasting = lab
                if lab:
                    self._hidden()
        self._listener(content)

    def bundle(self) -> dict[str, Any]:
        """This widget as a cell's output; what is to be seen without its kernel stands in the outputs beside it."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/html": "", "text/plain": ""}
