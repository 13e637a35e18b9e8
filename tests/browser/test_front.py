"""What the panel's scripts make of what they are told, without a notebook: a second each."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nbtune.record.events import FAILED, EpochEnded, StateChanged, TrialEnded, TrialStarted
from nbtune.record.heldout import HeldOut
from nbtune.record.predicted import Predicted
from nbtune.views.figures.judged import judged
from nbtune.views.figures.plots import plot
from nbtune.views.surface import Archive
from nbtune.views.table import table_html

from ..views.conftest import DIGITS, done, half_way, product, search
from .conftest import ROOT
from .page import until
from .still import Still


@pytest.fixture
def still(chromium):
    """Opens a panel on a page of its own; without errors in its scripts, or the test fails."""
    opened, contexts = [], []
    shots = ROOT / "build" / "screenshots"
    shots.mkdir(parents=True, exist_ok=True)

    def open_still(progress, width=900, height=900, **how):
        context = chromium.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        contexts.append(context)
        opened.append(Still(context.new_page(), progress, shots, **how))
        return opened[-1]

    yield open_still
    errors = [error for one in opened for error in one.errors]
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def half():
    progress = search(product(**{**DIGITS, "loss": ["categorical_crossentropy", "kl_divergence"]}))
    for event in half_way(progress, 40, time.time() - 30):
        progress.apply(event)
    progress.notes = ("12 of 54 done before; going on in .nbtune/search.",)
    return progress


@pytest.mark.parametrize(
    ("name", "width", "font", "dark"),
    [
        ("1280", 1280, "13px", False),
        ("900", 900, "13px", False),
        ("large", 1280, "24px", False),
        ("dark", 1280, "13px", True),
        ("six-steps", 1110, "19px", True),  # what a page of 1280 leaves a cell
        ("six-steps-900", 730, "19px", False),
    ],
)
def test_the_panel_at_every_size(still, half, name, width, font, dark):
    panel = still(half, width=width, font=font, dark=dark)
    page = panel.page
    panel.shot(f"front-{name}")
    assert page.get_by_text("12 of 54 done before").is_visible()
    letters = page.evaluate("""() => [...document.querySelectorAll('svg.nbtune-plot')].flatMap((svg) =>
        [...svg.querySelectorAll('text')].filter((t) => t.textContent).map((t) => {
          const box = svg.viewBox.baseVal;
          return parseFloat(getComputedStyle(t).fontSize) * svg.clientWidth / box.width;
        }))""")
    assert len(letters) > 25
    assert min(letters) > 0.75 * float(font.removesuffix("px")), "letters in charts follow the size of the text around them"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    board = page.locator(".nbtune-board .nbtune-scroll")
    assert board.evaluate("board => board.scrollWidth <= board.clientWidth"), "every column is in sight"
    for column in ("rank", "layers", "units", "learning_rate", "loss", "val_accuracy", "status"):
        assert page.locator("th button", has_text=column).first.is_visible()
    shown = page.locator("th:visible").count()
    assert shown == 12 or font != "13px"
    assert page.get_by_text("No room for").is_visible() == (shown < 12), "what is left out is said"
    page.get_by_role("button", name="Show trial").nth(2).click()
    panel.answer()
    if name == "six-steps-900":
        assert page.locator(".nbtune-trial").get_by_text("5 epochs · 2.0 s · gap +0.01 · fits").is_visible()


def test_a_score_so_far_is_hatched_and_the_bar_counts_epochs(still):
    progress = search(product(units=[8, 16, 32]), events=[StateChanged("running", 1000.0)])
    panel = still(progress)
    page = panel.page
    bar = page.get_by_role("progressbar")
    hatched = page.locator(".nbtune-map [role=option] rect[fill^='url(']")
    assert (bar.evaluate("bar => bar.value"), hatched.count()) == (0, 0)
    for trial in "01":
        progress.apply(TrialStarted(trial, 1000.0 + int(trial) / 10))
        for epoch in range(1, 6):
            progress.apply(EpochEnded(trial, epoch, {"accuracy": 0.1 * epoch, "val_accuracy": 0.15 * epoch}, 1000.0 + epoch))
    panel.draw(1005.0)
    assert bar.evaluate("bar => bar.value") == pytest.approx(1 / 3, abs=0.001)
    assert hatched.count() == 2
    assert "best so far val_accuracy 0.7500" in page.locator(".nbtune-headline").inner_text()
    assert re.search("about 15 s left", page.locator(".nbtune-headline").inner_text())
    assert page.locator(".nbtune-key").get_by_text("score so far").is_visible()
    first = page.locator("tbody tr").first.inner_text()
    assert "0.7500 so far" in first
    panel.shot("front-so-far")
    progress.apply(done("0", 0.9))
    panel.draw(1006.0)
    assert hatched.count() == 1
    assert "best val_accuracy 0.9000" in page.locator(".nbtune-headline").inner_text()


def test_when_everything_failed_the_headline_says_why(still):
    ends = [TrialEnded(str(i), FAILED, error="Traceback\nValueError: no such loss") for i in range(4)]
    panel = still(search(product(units=[1, 2, 3, 4]), events=[*ends, StateChanged("finished", 1003.0)]))
    line = panel.page.locator(".nbtune-headline")
    assert "no network could be trained: ValueError: no such loss" in line.inner_text()
    assert panel.page.get_by_role("progressbar").get_attribute("data-alarm") == "true"
    assert panel.page.get_by_role("button", name="Pause").count() == 0
    panel.shot("front-all-failed")


def test_a_kernel_that_restarts_is_noticed_and_the_last_picture_stays(still, half):
    panel = still(half)
    page = panel.page
    cells = page.locator(".nbtune-map [role=option]").count()
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Show 32 more").click()
    stopped = page.locator(".nbtune-board tbody tr", has_text="stopped").count()
    page.evaluate("window.kernel_is('busy')")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.evaluate("window.kernel_is('restarting')")
    assert page.locator(".nbtune-headline").inner_text().startswith(
        "interrupted: 28 done, 6 stopped early, 4 failed, 4 diverged, 12 not reached of 54; best"
    )
    cover = page.locator(".nbtune-coverage").inner_text()
    assert "54 combinations: 28 done, 4 failed, 4 diverged, 6 stopped, 12 pending" in cover, "it says what the map says"
    assert page.get_by_role("alert").get_by_text("Run the cell again").is_visible()
    assert page.get_by_role("button", name="Pause").count() == 0
    assert page.locator(".nbtune-map [role=option]").count() == cells
    assert page.locator(".nbtune-board tbody tr", has_text="running").count() == 0, "nothing runs any more"
    assert page.locator(".nbtune-board tbody tr", has_text="stopped").count() == stopped + 2
    assert page.locator(".nbtune-live .nbtune-mark.nbtune-running").count() == 0
    legend = page.locator(".nbtune-map-panel, .nbtune-live").get_by_role("listitem").all_inner_texts()
    assert [text.strip() for text in legend if "stopped" in text or "running" in text] == ["6 stopped"]
    panel.shot("front-gone")


class Over:
    """Controls of a search that is over."""

    def code(self):
        return "import keras\nmodel = ..."

    def next_steps(self):
        return "model = search.best_model"

    def plot(self, kind):
        y = np.arange(60) % 3
        predicted = Predicted("units 8", None, y, np.eye(3)[np.where(np.arange(60) % 7, y, (y + 1) % 3)], 3)
        return judged(predicted, kind)

    def widen(self, **values):
        self.widened = values

    pause = resume = stop = code


def test_once_it_is_over_the_buttons_are_of_use(still, half):
    half.apply(StateChanged("finished", 1100.0))
    panel = still(half, controls=Over())
    page = panel.page
    assert page.get_by_role("button", name="Pause").count() == page.get_by_role("button", name="Stop").count() == 0
    page.get_by_role("button", name="Code").click()
    for _ in range(20):
        panel.answer()
    assert page.get_by_role("region", name="Code").inner_text() == Over().code()
    page.get_by_role("button", name="Next steps").click()
    for _ in range(20):
        panel.answer()
    assert "search.best_model" in page.get_by_role("region", name="Code").inner_text()
    panel.shot("front-over")


def test_a_click_shows_the_confusion_matrix_and_another_adds_a_value(still):
    events = [StateChanged("running", 1000.0), *(done(str(i), 0.6 + 0.1 * i) for i in range(3)), StateChanged("finished", 1100.0)]
    progress, controls = search(product(units=[8, 16, 32]), events=events), Over()
    progress.held_out = HeldOut(60, 3, "0", 0.34)
    panel = still(progress, controls=controls)
    page = panel.page
    page.get_by_role("button", name="Confusion matrix").click()
    picture = page.get_by_role("img", name="What the best network answers")
    until = time.monotonic() + 60  # what draws it is imported first
    while not picture.is_visible() and time.monotonic() < until:
        panel.answer()
    assert picture.evaluate("img => img.naturalWidth") > 300
    panel.shot("front-confusion")
    page.get_by_role("button", name="Add units 64").click()
    for _ in range(20):
        panel.answer()
    assert controls.widened == {"units": 64}


def test_advice_stands_above_the_results_and_a_constant_answer_is_a_line(still, half):
    half.advice = ("91% of the rows are of class 0, so that always answering 0 has accuracy 0.91 (the dashed line).",)
    half.held_out = HeldOut(360, 2, "0", 0.91)
    panel = still(half)
    page = panel.page
    assert page.get_by_role("list", name="Advice").get_by_text("91% of the rows").is_visible()
    assert page.locator(".nbtune-curves .nbtune-baseline").count() == page.locator(".nbtune-map .nbtune-baseline").count() == 1
    assert page.locator(".nbtune-curves").get_by_text("always class 0").is_visible()
    panel.shot("front-advice")
    half.held_out = HeldOut(360, 2, "0", 0.5)
    half.apply(StateChanged("finished", 1100.0))
    panel.draw(1100.0)
    assert page.locator(".nbtune-baseline").count() == 0
    assert page.get_by_role("list", name="Advice").get_by_text("--repeats 5").is_visible()


def test_the_pointer_names_a_curve_a_click_chooses_it_and_dragging_zooms(still):
    events = [StateChanged("running", 1000.0), done("0", 0.9), done("1", 0.6)]
    panel = still(search(product(units=[8, 16]), events=events))
    page = panel.page
    at = page.evaluate("""() => {
        const dot = document.querySelector('circle.nbtune-role-best-1').getBoundingClientRect();
        return [dot.x + dot.width / 2, dot.y + dot.height / 2];
    }""")
    page.mouse.move(*at)
    assert page.locator(".nbtune-tip").first.inner_text() == "units 8: 0.9 in epoch 4"
    page.mouse.click(*at)
    panel.answer()
    page.get_by_role("region", name="One trial").get_by_text("Trial 0: units 8").wait_for(timeout=2000)
    assert page.locator(".nbtune-trial svg.nbtune-plot").count() == 1

    epochs = "[...document.querySelectorAll('.nbtune-curves > text')].map((t) => t.textContent)"
    before = page.evaluate(epochs)
    page.mouse.move(at[0] - 60, at[1] - 10)
    page.mouse.down()
    page.mouse.move(at[0] + 20, at[1] + 40)
    page.mouse.up()
    assert page.evaluate(epochs) != before
    panel.shot("front-zoomed")
    page.get_by_role("button", name="show all").click()
    assert page.evaluate(epochs) == before


def test_the_leaderboard_has_the_colours_of_the_curves(still, half):
    page = still(half).page
    stroke = "e => getComputedStyle(e).stroke"
    first = page.locator("tbody tr").nth(0).locator(".nbtune-curve path")
    assert first.evaluate(stroke) == page.locator(".nbtune-key path").first.evaluate(stroke)
    tenth = page.locator("tbody tr").nth(9).locator(".nbtune-curve path")
    assert tenth.evaluate(stroke) == "none"


def test_a_large_view_fills_the_screen_with_larger_letters(still, half):
    panel = still(half, width=1280)
    page = panel.page
    size = "parseFloat(getComputedStyle(document.querySelector('.nbtune')).fontSize)"
    assert page.evaluate(size) == 13
    page.get_by_role("button", name="Large view").click()
    page.wait_for_function("document.fullscreenElement !== null")
    page.wait_for_timeout(100)
    panel.answer()
    assert page.evaluate(size) > 20
    panel.page.screenshot(path=panel._shots / "front-fullscreen.png")
    page.get_by_role("button", name="Large view").click()
    page.wait_for_function("document.fullscreenElement === null")


def test_the_files_are_modules_that_a_browser_loads_as_they_are(chromium):
    """The same files unbundled: each import is resolved by the browser itself."""
    front = ROOT / "nbtune" / "views" / "front"
    page = chromium.new_page()
    page.route(
        "http://front.test/**",
        lambda route: route.fulfill(
            body=(front / name).read_text() if (name := route.request.url.rpartition("/")[2]) else "<p></p>",
            content_type="text/javascript" if name else "text/html",
        ),
    )
    page.goto("http://front.test/")
    for widget in ("live", "setup"):
        kinds = page.evaluate(f"import('http://front.test/{widget}_widget.js').then((m) => Object.keys(m.default()))")
        assert sorted(kinds) == ["initialize", "render"]
    page.close()


def test_the_table_that_lasts_fits_a_page(chromium):
    """With every column, in the letters of JupyterLab."""
    losses = ["categorical_crossentropy", "sparse_categorical_crossentropy"]
    progress = search(product(**{**DIGITS, "loss": losses}))
    for i, trial in enumerate(progress.trials):
        progress.apply(replace(done(trial.id, 0.9 + i / 1000), size=100_000 + 1000 * i))
    page = chromium.new_page(viewport={"width": 1000, "height": 800})
    page.set_content(f"<!doctype html><body style='font: 13px/1.5 system-ui; width: 880px'>{table_html(progress)}")
    assert page.evaluate("document.querySelector('table').offsetWidth") <= 880
    page.close()


# ---- the plots as tabs


class Draws:
    """A search that draws, as `Search.plot` does."""

    def __init__(self, progress):
        self._progress = progress

    def plot(self, kind):
        return plot(self._progress, kind)


def shown(panel, name):
    """Opens a tab and waits for its plot."""
    panel.page.get_by_role("tab", name=name).click()
    for _ in range(100):
        panel.answer()
        if panel.page.locator(".nbtune-caption").inner_text():
            return
    raise AssertionError(f"{name} does not come")


@pytest.mark.parametrize("dark", [False, True])
def test_each_plot_has_a_tab_that_is_drawn_on_demand(still, half, dark):
    panel = still(half, width=1280, height=1100, dark=dark, controls=Draws(half))
    page = panel.page
    tabs = page.get_by_role("tab").all_inner_texts()
    assert tabs == ["Curves and map", "Parallel", "Importance", "Slices", "Size", "Learning rate", "Initialisation"]
    assert page.get_by_role("tab", selected=True).inner_text() == "Curves and map"
    for name in ("Slices", "Importance"):
        shown(panel, name)
        assert not page.locator(".nbtune-map").is_visible()
        picture = page.locator(".nbtune-drawn")
        assert picture.evaluate("image => image.naturalWidth") > 300
        assert picture.get_attribute("alt").startswith(name)
        panel.shot(f"tab-{name.lower()}{'-dark' * dark}")
    page.get_by_role("tab", name="Curves and map").click()
    assert page.locator(".nbtune-map").is_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_a_range_dragged_on_an_axis_keeps_the_lines_that_pass_there(still, half, dark):
    panel = still(half, width=1100, height=1000, dark=dark, controls=Draws(half))
    page = panel.page
    shown(panel, "Parallel")
    scored = len(half.ranking)
    assert f"{scored} combinations; best" in page.locator(".nbtune").inner_text()
    axis = page.get_by_role("slider", name="units: keep").locator("rect").first.bounding_box()
    x = axis["x"] + axis["width"] / 2
    page.mouse.move(x, axis["y"] + 2)
    page.mouse.down()
    page.mouse.move(x, axis["y"] + axis["height"] / 3 - 4, steps=5)
    page.mouse.up()
    best = max((t for t in half.ranking if t.values["units"] == 64), key=lambda t: t.score)
    kept = sum(t.values["units"] == 64 for t in half.ranking)
    said = page.locator(".nbtune-parallel").locator("xpath=../..").inner_text()
    assert f"{kept} of {scored} combinations; best val_accuracy {best.score:.4g} ({best.label})" in said
    panel.shot(f"tab-parallel{'-dark' * dark}")
    page.get_by_role("button", name="show all").click()
    assert "of" not in page.locator(".nbtune-parallel").locator("xpath=../..").inner_text().split(";")[0]

    page.get_by_role("slider", name="layers: keep").focus()
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')") == "1"
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')") == "2"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')") == "all"


def test_tabs_are_walked_with_the_arrows(still, half):
    panel = still(half, controls=Draws(half))
    page = panel.page
    page.get_by_role("tab", name="Curves and map").focus()
    page.keyboard.press("ArrowRight")
    panel.answer()
    assert page.get_by_role("tab", selected=True).inner_text() == "Parallel"
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.textContent") == "Initialisation"
    page.keyboard.press("Home")
    assert page.locator(".nbtune-map").is_visible()


def test_the_search_is_downloaded_to_go_on_elsewhere(still, half):
    class Packs:
        def archive(self):
            return Archive("search.zip", b"PK-a-project", "# unpack it")

    half.apply(StateChanged("paused", 1010.0))
    panel = still(half, controls=Packs())
    with panel.page.expect_download() as saved:
        panel.page.get_by_role("button", name="Download").click()
        until(lambda: panel.answer() or panel.page.get_by_text("# unpack it").is_visible(), 10, "it says nothing")
    assert saved.value.suggested_filename == "search.zip"
    assert Path(saved.value.path()).read_bytes() == b"PK-a-project"
