"""The live panel over Colab's bridge, in a browser with a faked Colab around it."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

from nbtune.record.events import StateChanged
from nbtune.views.notebook import colab
from nbtune.views.notebook.colab import ColabSurface

from ..views.conftest import done, product, search
from .conftest import ROOT

COLAB = """<script>
window.google = { colab: { kernel: { invokeFunction: async (name, args) => {
  if (window.gone) throw new Error("no kernel");
  return { data: { "application/json": await window.invoke(name, args[0]) } };
} } } };
</script>"""


class Controls:
    def __init__(self):
        self.asked = []

    def pause(self):
        self.asked.append("pause")


def test_a_panel_without_widgets(chromium, monkeypatch):
    functions, shown = {}, []
    module = ModuleType("google.colab")
    module.output = SimpleNamespace(register_callback=functions.__setitem__)
    monkeypatch.setitem(sys.modules, "google.colab", module)
    monkeypatch.setattr(colab, "Place", lambda: SimpleNamespace(show=shown.append))
    progress, controls = search(product(units=[8, 16, 32]), events=[StateChanged("running", 1000.0)]), Controls()
    surface = ColabSurface()
    surface.open(progress, controls)

    page = chromium.new_page(viewport={"width": 900, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.expose_function("invoke", lambda name, contents: functions[name](contents).data)
    page.set_content(f"<!doctype html><body>{COLAB}{shown[-1]['text/html']}</body>")
    page.get_by_text("running: 0 of 3").wait_for(timeout=5000)
    page.locator(".nbtune-map [role=option]").nth(2).wait_for(timeout=5000)
    for event in (done("0", 0.9), done("2", 0.95)):
        progress.apply(event)
    surface.whole(1002.0)
    page.get_by_text("best val_accuracy 0.9500").wait_for(timeout=5000)
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(300)
    assert controls.asked == ["pause"]
    page.get_by_role("tab", name="Parallel").click()
    page.get_by_text("2 combinations; best").wait_for(timeout=5000)
    (ROOT / "build" / "screenshots").mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ROOT / "build" / "screenshots" / "colab.png")

    page.evaluate("window.gone = true")
    page.get_by_text("interrupted: ").wait_for(timeout=15_000)
    assert not errors
    page.close()
