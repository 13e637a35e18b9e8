"""The panel that people click: line, bar, buttons, picture, leaderboard."""

from __future__ import annotations

import base64
import contextvars
import threading
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

from nbtune.errors import UsageError
from nbtune.progress import Progress
from nbtune.views.bundle import headline_html
from nbtune.views.headline import headline
from nbtune.views.picture import WIDTH, Picture, alt_text
from nbtune.views.surface import Controls
from nbtune.views.table import failures_html, leaderboard_html

# One transparent pixel, until there is a picture.
_BLANK = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=")


class Panel:
    """Widgets in a box. `draw` and `draw_line` may be called from one thread at a time, clicks come from another."""

    def __init__(self, progress: Progress, controls: Controls, picture: Picture | None = None) -> None:
        self._progress, self._controls = progress, controls
        self._picture = picture or Picture(progress)
        self._problem_text = ""
        self._asked = ""  # what a button has asked for and the search has not yet done
        self._buttons_lock = threading.Lock()
        self._make()
        self._show_buttons()

    def _make(self) -> None:
        total = max(len(self._progress.trials), 1)
        fixed = widgets.Layout(width="auto", flex="0 0 auto")
        self._line = widgets.HTML()
        self._bar = widgets.IntProgress(0, 0, total, tooltip="Combinations that have ended", layout={"flex": "1 1 auto"})
        self._count = widgets.Label(layout=fixed)
        self._toggle = widgets.Button(layout={"width": "7em", "flex": "0 0 auto"})
        self._stop = widgets.Button(description="Stop", icon="stop", layout={"width": "7em", "flex": "0 0 auto"})
        self._stop.tooltip = "End the search and keep every result"
        self._image = widgets.Image(value=_BLANK, layout={"width": "100%", "max_width": f"{WIDTH}px", "display": "none"})
        self._table = widgets.HTML()
        self._failures = widgets.HTML()  # of its own: an opened error stays open while the table changes
        self._problem = widgets.HTML(layout={"display": "none"})
        self._toggle.on_click(lambda _: self._ask_toggle())
        self._stop.on_click(lambda _: self._ask("Stopping…", self._controls.stop))
        row = widgets.HBox([self._bar, self._count, self._toggle, self._stop], layout={"align_items": "center"})
        row.layout.max_width = f"{WIDTH}px"
        self.widget = widgets.VBox([self._line, row, self._problem, self._image, self._table, self._failures])

    def bundle(self) -> dict[str, Any]:
        """The panel as a cell's output, with words for where its kernel is gone."""
        plain = "This panel needs its kernel; `%tune show` shows the search again."
        return {**self.widget._repr_mimebundle_(), "text/plain": plain}

    def draw(self, now: float, results: bool = True) -> None:
        """Brings everything up to date; picture and leaderboard are hidden unless `results`."""
        self.draw_line(now)
        if results:
            self._image.value = self._picture.png()
            self._table.value = _spoken(alt_text(self._progress)) + _close_set(leaderboard_html(self._progress))
            self._failures.value = _close_set(failures_html(self._progress))
        for part in (self._image, self._table, self._failures):
            part.layout.display = None if results else "none"

    def draw_line(self, now: float) -> None:
        """Brings line, bar and buttons up to date; `now` in seconds since the epoch."""
        ended, total = self._progress.ended, len(self._progress.trials)
        self._line.value = _close_set(headline_html(headline(self._progress, now)))
        self._bar.value = ended
        self._bar.bar_style = {"paused": "warning", "finished": "success"}.get(self._progress.state, "info")
        self._count.value = f"{ended:,} of {total:,}"
        self._show_buttons()

    def _show_buttons(self) -> None:
        with self._buttons_lock:
            state, asked = self._progress.state, self._asked
            idle = {"planned": "Start", "paused": "Resume", "stopped": "Resume"}
            stopping = asked.startswith("Stop")
            self._toggle.description = asked if asked and not stopping else idle.get(state, "Pause")
            self._toggle.icon = "play" if state in idle else "pause"
            self._toggle.tooltip = "Set the training going" if state in idle else "Halt the training; nothing is lost"
            self._stop.description = asked if stopping else "Stop"
            self._toggle.disabled = bool(asked) or state == "finished"
            self._stop.disabled = bool(asked) or state not in ("running", "paused")

    def _ask_toggle(self) -> None:
        if self._progress.state == "running":
            self._ask("Pausing…", self._controls.pause)
        else:
            self._ask("Starting…", self._controls.resume)

    def _ask(self, doing: str, action: Callable[[], object]) -> None:
        """Does it in a thread: it returns when it holds, and until then the kernel shall stay free."""
        self._asked = doing
        self.problem = ""
        self._show_buttons()
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._do, action), name="nbtune-click", daemon=True).start()

    def _do(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:
            self.problem = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
        finally:
            self._asked = ""
            self._show_buttons()

    @property
    def problem(self) -> str:
        """What went wrong with the last click or drawing; empty if nothing did."""
        return self._problem_text

    @problem.setter
    def problem(self, text: str) -> None:
        self._problem_text = text
        self._problem.value = _close_set(f"<b>Problem:</b> {escape(text)}")
        self._problem.layout.display = None if text else "none"


def _spoken(text: str) -> str:
    """Text for screen readers only: an image widget takes no description (a tooltip breaks it in ipywidgets 8.1)."""
    unseen = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"
    return f'<span style="{unseen}">{escape(text)}</span>'


def _close_set(html: str) -> str:
    """With the line spacing of text, where ipywidgets sets every line as high as a button, and scrolling if too wide."""
    return f'<div style="line-height:1.4;overflow-x:auto">{html}</div>'
