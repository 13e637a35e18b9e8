import IPython.display
import pytest

from nbtune.record.events import StateChanged
from nbtune.views.notebook.surfaces import DisplaySurface, PanelSurface

WIDGET = "application/vnd.jupyter.widget-view+json"


class Nobody:
    """Clicks nothing."""


NOBODY = Nobody()


@pytest.fixture
def outputs(monkeypatch):
    """What a frontend would show: display id to bundle, in the order of the cell's outputs."""
    shown = {}

    def show(bundle, *, metadata, raw, display_id):
        assert display_id not in shown
        shown[display_id] = bundle

    def update(bundle, *, metadata, raw, display_id):
        assert display_id in shown
        shown[display_id] = bundle

    monkeypatch.setattr(IPython.display, "display", show)
    monkeypatch.setattr(IPython.display, "update_display", update)
    return shown


def kinds(outputs):
    return [set(bundle) for bundle in outputs.values()]


LASTING = [{"text/html", "text/plain"}, {"image/png", "text/plain"}, {"text/html", "text/plain"}]
PANEL = {WIDGET, "text/html", "text/plain"}


def test_the_panel_stays_where_the_page_hides_what_lasts(fifty_four, outputs):
    surface = PanelSurface()
    surface.open(fifty_four, NOBODY)
    surface.whole(1000.0)
    assert kinds(outputs) == [PANEL, set(), set(), set()], "elsewhere a page would show it with the panel"
    surface._panel.front.hear({"kind": "seen", "lab": True})
    assert kinds(outputs) == [PANEL, LASTING[0], set(), set()]
    assert "saved while the search ran" in list(outputs.values())[1]["text/html"]
    fifty_four.apply(StateChanged("finished", 1010.0))
    surface.close(1010.0)
    assert kinds(outputs) == [PANEL, *LASTING]
    _, line, _, table = outputs.values()
    assert "finished" in line["text/html"]
    assert surface._panel.front.token in line["text/html"]
    assert "<style>" in table["text/html"]


def test_elsewhere_what_lasts_takes_the_panels_place(fifty_four, outputs):
    surface = PanelSurface()
    surface.open(fifty_four, NOBODY)
    fifty_four.apply(StateChanged("stopped", 1010.0))
    surface.close(1010.0)
    assert kinds(outputs) == [set(), *LASTING]
    fifty_four.apply(StateChanged("running", 1020.0))
    surface.whole(1020.0)
    assert kinds(outputs) == [PANEL, *LASTING]


def test_a_pause_leaves_what_may_be_saved(fifty_four, outputs):
    surface = PanelSurface()
    surface.open(fifty_four, NOBODY)
    fifty_four.apply(StateChanged("paused", 1010.0))
    surface.rest(1010.0)
    assert kinds(outputs) == [PANEL, *LASTING]


def test_without_clicks_the_lasting_outputs_are_there_from_the_start(fifty_four, outputs):
    surface = DisplaySurface()
    surface.open(fifty_four, NOBODY)
    surface.whole(1000.0)
    assert kinds(outputs) == LASTING
    surface.report("no <b>fonts</b>")
    assert "no &lt;b&gt;fonts" in next(iter(outputs.values()))["text/html"]
