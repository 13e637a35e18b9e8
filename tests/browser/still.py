"""The panel in a browser without a notebook around it: our own scripts and style, and a real `LivePanel` behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nbtune.views.front import Front
from nbtune.views.notebook.panel import LivePanel

PAGE = """<!doctype html><html><head><style>
:root {{ --jp-ui-font-size1: {font}; }}
.dark {{ --jp-ui-font-color1: #eee; --jp-ui-font-color2: #aaa; --jp-border-color2: #555; }}
.dark {{ --jp-layout-color1: #111; --jp-layout-color2: #333; }}
body {{ margin: 8px; background: var(--jp-layout-color1, #fff); }}
</style><style>{css}</style></head><body class="{theme}" {attributes}><div id="host"></div></body></html>"""

LOAD = """async ([esm, first]) => {
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  const listeners = [];
  window.asked = [];
  window.status_listeners = [];
  const signal = { connect: (f) => window.status_listeners.push(f), disconnect: () => {} };
  const sessionContext = { statusChanged: signal, session: { kernel: { id: "1" } } };
  const model = {
    get: (name) => ({ first, token: "t" })[name],
    on: (_, listener) => listeners.push(listener),
    send: (content) => window.asked.push(content),
    widget_manager: { context: { sessionContext } },
  };
  window.tell = (message) => listeners.forEach((listener) => listener(message));
  window.kernel_is = (status) => window.status_listeners.forEach((listener) => listener(sessionContext, status));
  const { initialize, render } = widget();
  initialize({ model });
  render({ model, el: document.getElementById("host") });
}"""


class Nobody:
    """Clicks nothing."""


class Still:
    """One panel on one page. What the page asks is answered by `answer`, so that nothing happens behind a test's back."""

    def __init__(
        self, page: Any, progress: Any, shots: Path, controls: Any = None, font: str = "13px", dark: bool = False
    ) -> None:
        self.page, self.progress, self._shots = page, progress, shots
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        self._told: list[Any] = []
        self.controls = controls or Nobody()
        self.panel = LivePanel(progress, self.controls)
        front: Front = self.panel.front
        front.send = self._told.append  # type: ignore[method-assign]
        theme = {"theme": "dark", "attributes": 'data-jp-theme-light="false"'} if dark else {"theme": "", "attributes": ""}
        page.set_content(PAGE.format(font=font, css=front._css, **theme))
        page.evaluate(LOAD, [front._esm, json.loads(json.dumps(front.first))])
        self.answer()

    def answer(self) -> None:
        """Hears what the page asked and tells it the answers, until it asks no more."""
        for _ in range(10):
            self.page.wait_for_timeout(30)
            for content in self.page.evaluate("window.asked.splice(0)"):
                self.panel.front.hear(content)
            if not self._told:
                return
            while self._told:
                self.page.evaluate("window.tell(" + json.dumps(self._told.pop(0), allow_nan=False) + ")")
        raise AssertionError("it asks without end")

    def draw(self, now: float = 1000.0) -> None:
        self.panel.draw(now)
        self.answer()

    def shot(self, name: str) -> None:
        self.page.screenshot(path=self._shots / f"{name}.png", full_page=True)
