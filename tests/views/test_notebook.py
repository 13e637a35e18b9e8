import IPython.display
import pytest

from nbtune.events import StateChanged
from nbtune.views.notebook import DisplaySurface, PanelSurface

WIDGET = "application/vnd.jupyter.widget-view+json"


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


def test_panel_while_it_runs_and_static_outputs_at_the_end(fifty_four, outputs):
    surface = PanelSurface()
    surface.open(fifty_four, None)
    surface.whole(1000.0)
    assert kinds(outputs) == [{WIDGET, "text/plain"}, set(), set()]
    fifty_four.apply(StateChanged("finished", 1010.0))
    surface.close(1010.0)
    assert kinds(outputs) == LASTING
    assert "finished" in next(iter(outputs.values()))["text/html"]


def test_a_pause_keeps_the_panel_above_picture_and_table(fifty_four, outputs):
    surface = PanelSurface()
    surface.open(fifty_four, None)
    fifty_four.apply(StateChanged("paused", 1010.0))
    surface.rest(1010.0)
    assert kinds(outputs) == [{WIDGET, "text/plain"}, *LASTING[1:]]
    fifty_four.apply(StateChanged("running", 1020.0))
    surface.whole(1020.0)
    assert kinds(outputs) == [{WIDGET, "text/plain"}, set(), set()]


def test_a_resumed_search_has_its_panel_again(fifty_four, outputs):
    surface = PanelSurface()
    surface.open(fifty_four, None)
    fifty_four.apply(StateChanged("stopped", 1010.0))
    surface.close(1010.0)
    fifty_four.apply(StateChanged("running", 1020.0))
    surface.whole(1020.0)
    assert kinds(outputs) == [{WIDGET, "text/plain"}, set(), set()]


def test_a_search_that_is_over_opens_without_a_panel(fifty_four, outputs):
    fifty_four.apply(StateChanged("finished", 1010.0))
    surface = PanelSurface()
    surface.open(fifty_four, None)
    surface.close(1010.0)
    assert kinds(outputs) == LASTING


def test_without_clicks_the_lasting_outputs_are_there_from_the_start(fifty_four, outputs):
    surface = DisplaySurface()
    surface.open(fifty_four, None)
    surface.whole(1000.0)
    assert kinds(outputs) == LASTING
    surface.report("no <b>fonts</b>")
    assert "no &lt;b&gt;fonts" in next(iter(outputs.values()))["text/html"]
