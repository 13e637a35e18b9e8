import sys
from types import ModuleType, SimpleNamespace

import pytest

from nbtune.views.frontend import clicks_work, surface_for
from nbtune.views.notebook.surfaces import DisplaySurface, PanelSurface
from nbtune.views.terminal import TerminalSurface


def jupyter(**content):
    return SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda channel: {"content": content}))


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        (None, False),
        (SimpleNamespace(), False),
        (jupyter(allow_stdin=True), True),
        (jupyter(allow_stdin=False), False),
        (jupyter(), False),
    ],
)
def test_clicks_work_where_somebody_could_be_asked(shell, expected):
    assert clicks_work(shell) is expected


def test_clicks_do_not_work_on_colab(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert not clicks_work(jupyter(allow_stdin=True))


def test_each_frontend_has_its_surface():
    assert isinstance(surface_for(None, False), TerminalSurface)
    assert isinstance(surface_for(SimpleNamespace(), False), TerminalSurface)
    assert isinstance(surface_for(jupyter(), True), PanelSurface)
    assert isinstance(surface_for(jupyter(), False), DisplaySurface)
