"""The live panel in Colab, with a faked bridge from the page to the kernel."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from nbtune.record.events import StateChanged
from nbtune.views.frontend import surface_for
from nbtune.views.notebook.colab import MOST_WAITING, ColabSurface, has_bridge
from nbtune.views.notebook.surfaces import DisplaySurface

from ..conftest import done, product, search
from .test_surfaces import outputs  # noqa: F401  # a fixture


@pytest.fixture
def colab(monkeypatch):
    """What is registered there, by name."""
    functions = {}
    module = ModuleType("google.colab")
    module.output = SimpleNamespace(register_callback=functions.__setitem__)
    monkeypatch.setitem(sys.modules, "google.colab", module)
    return functions


class Controls:
    def __init__(self):
        self.asked = []

    def pause(self):
        self.asked.append("pause")


def test_a_cell_that_waits_shows_the_picture_and_another_the_panel(colab):
    shell = SimpleNamespace(kernel=SimpleNamespace())
    assert has_bridge()
    assert isinstance(surface_for(shell, False, waits=True), DisplaySurface)
    assert isinstance(surface_for(shell, False, waits=False), ColabSurface)


def test_without_a_bridge_there_is_the_picture(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert not has_bridge()
    assert isinstance(surface_for(SimpleNamespace(kernel=SimpleNamespace()), False, waits=False), DisplaySurface)


def test_a_page_fetches_what_is_new_and_its_clicks_arrive(colab, outputs):  # noqa: F811
    progress, controls = search(product(units=[8, 16]), events=[StateChanged("running", 1000.0)]), Controls()
    surface = ColabSurface()
    surface.open(progress, controls)
    ask = next(iter(colab.values()))
    whole = ask([{"kind": "hello"}]).data["messages"]
    assert whole[0]["grid"]["labels"] == ["units 8", "units 16"]
    progress.apply(done("0", 0.9))
    surface.whole(1001.0)
    news = ask([]).data["messages"]
    assert news[0]["head"]["count"] == "1 of 2"
    assert ask([]).data["messages"] == []
    ask([{"kind": "click", "button": "toggle"}])
    for _ in range(100):
        if controls.asked:
            break
        surface.line(1001.0)
    assert controls.asked == ["pause"]


def test_a_page_that_comes_back_late_is_told_everything(colab, outputs):  # noqa: F811
    progress = search(product(units=[8, 16]), events=[StateChanged("running", 1000.0)])
    surface = ColabSurface()
    surface.open(progress, Controls())
    ask = next(iter(colab.values()))
    ask([{"kind": "hello"}])
    for i in range(2 * MOST_WAITING):
        progress.apply(StateChanged("paused" if i % 2 else "running", 1000.0 + i))
        surface.whole(1000.0 + i)
    messages = ask([]).data["messages"]
    assert len(messages) == 1
    assert messages[0]["grid"]
