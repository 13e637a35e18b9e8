import threading

import pytest

from nbtune.errors import UsageError
from nbtune.events import StateChanged
from nbtune.views.panel import Panel

from .test_live import until


class Controls:
    """Each call waits until it is let go."""

    def __init__(self, error=None):
        self.asked, self.go, self.error = [], threading.Event(), error

    def _do(self, what):
        self.asked.append(what)
        self.go.wait(5)
        if self.error:
            raise self.error

    def pause(self):
        self._do("pause")

    def resume(self):
        self._do("resume")

    def stop(self):
        self._do("stop")


def buttons(panel):
    return panel._toggle, panel._stop


def test_draws_line_bar_picture_and_table(fifty_four):
    panel = Panel(fifty_four, Controls())
    panel.draw(1000.0)
    assert "40 of 54" in panel._line.value
    assert (panel._bar.value, panel._bar.max) == (40, 54)
    assert bytes(panel._image.value).startswith(b"\x89PNG")
    assert "<script" not in panel._table.value + panel._failures.value
    assert str(fifty_four.coverage) in panel._table.value


def test_a_paused_panel_keeps_line_and_buttons(fifty_four):
    panel = Panel(fifty_four, Controls())
    panel.draw(1000.0, results=False)
    assert panel._image.layout.display == panel._table.layout.display == "none"
    panel.draw(1000.0)
    assert panel._image.layout.display is None


@pytest.mark.parametrize(
    ("state", "toggle", "can_toggle", "can_stop"),
    [
        ("planned", "Start", True, False),
        ("running", "Pause", True, True),
        ("paused", "Resume", True, True),
        ("stopped", "Resume", True, False),
        ("finished", "Pause", False, False),
    ],
)
def test_buttons_tell_the_state(fifty_four, state, toggle, can_toggle, can_stop):
    fifty_four.apply(StateChanged(state, 1010.0))
    panel = Panel(fifty_four, Controls())
    assert panel._toggle.description == toggle
    assert [not button.disabled for button in buttons(panel)] == [can_toggle, can_stop]


def test_a_click_returns_at_once_and_the_buttons_wait(fifty_four):
    controls = Controls()
    panel = Panel(fifty_four, controls)
    panel._toggle.click()
    until(lambda: controls.asked)
    panel.draw_line(1000.0)
    assert panel._toggle.description == "Pausing…"
    assert all(button.disabled for button in buttons(panel))
    fifty_four.apply(StateChanged("paused", 1010.0))
    controls.go.set()
    until(lambda: panel._toggle.description == "Resume")
    assert controls.asked == ["pause"]


@pytest.mark.parametrize(
    ("error", "words"), [(UsageError("it is over"), "it is over"), (RuntimeError("<b>no</b>"), "RuntimeError: <b>no</b>")]
)
def test_a_click_that_fails_is_shown(fifty_four, error, words):
    controls = Controls(error)
    controls.go.set()
    panel = Panel(fifty_four, controls)
    panel._stop.click()
    until(lambda: panel.problem and not panel._stop.disabled)
    assert panel.problem == words
    assert "<b>no" not in panel._problem.value
    assert panel._problem.layout.display is None
