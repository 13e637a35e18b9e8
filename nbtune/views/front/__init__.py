"""What runs in the browser: small scripts that are put together into one module for each widget."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import anywidget
import traitlets


class Front(anywidget.AnyWidget):
    """A widget whose page is made by our own script.

    Attributes:
        first: what the page can show before the kernel has answered it.
        token: names this widget in the notebook's outputs, see `nbtune.views.bundle`.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)
    token = traitlets.Unicode().tag(sync=True)

    def bundle(self) -> dict[str, Any]:
        """This widget as a cell's output; what is to be seen without its kernel stands in the outputs beside it."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/html": "", "text/plain": ""}

    @classmethod
    def of(cls, scripts: tuple[str, ...], first: dict[str, Any], token: str) -> Front:
        """The last of the scripts holds the module's `export default`."""
        return cls(_esm="\n".join(map(_text, scripts)), _css=_text("panel.css"), first=first, token=token)


def _text(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")
