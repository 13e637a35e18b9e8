"""The set-up panel in a real browser: filled in by hand, started, watched, stopped."""

from __future__ import annotations

import re

import pytest

from .page import BUILD, until

PANEL = f"{BUILD}\n\n%tune panel build --data x,y"


@pytest.fixture(params=["lab", "notebook"])
def book(request, pages):
    book = pages.digits(
        request.param, PANEL, "search.best_so_far is not None, search.coverage.total", name=f"panel-{request.param}"
    )
    book.run(0)
    book.run(1)
    return book


UNNAMED = """Array.from(document.querySelectorAll('.nbtune input, .nbtune select, .nbtune button, .nbtune [role=img]'))
    .filter((e) => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim()))
    .map((e) => e.outerHTML)"""


def test_set_up_by_hand_and_start(book):
    page = book.page
    app = "lab" if "/lab/" in page.url else "notebook"
    book.see("3 × 3 × 3 = 27")
    book.shot(f"setup-{app}-first")

    help = page.get_by_role("button", name="What layers means")
    help.click()
    assert help.get_attribute("aria-expanded") == "true"
    help.click()
    page.get_by_label("layers: to").fill("2")
    book.see("2 × 3 × 3 = 18")
    page.get_by_label("units: remove 32").click()
    page.get_by_label("units", exact=True).fill("24,")
    book.see("2 × 3 × 3 = 18")
    page.get_by_label("loss", exact=True).select_option("categorical_crossentropy")
    page.get_by_label("loss", exact=True).select_option("mean_squared_error")
    book.see("2 × 3 × 3 × 2 = 36")

    page.get_by_role("button", name="learning rate: edit as a list").click()
    page.get_by_label("learning rate: remove 0.0001").wait_for(timeout=3000)
    page.keyboard.type("0.1,")
    book.see("2 × 3 × 4 × 2 = 48")
    page.keyboard.press("Backspace")
    book.see("2 × 3 × 3 × 2 = 36")

    page.get_by_label("epochs", exact=True).fill("ten")
    wrong = page.get_by_label("epochs", exact=True)
    book.see("epochs: 'ten' is not a whole number of 1 or more")
    assert wrong.get_attribute("aria-invalid") == "true"
    assert book.button("Start").is_disabled()
    book.shot(f"setup-{app}-mistake")
    wrong.fill("1000")  # long enough to be paused
    page.get_by_label("patience", exact=True).fill("40")
    book.see(re.compile(r"at most about \d+ .* MB of memory"), 60)
    page.get_by_text("show as %%tune line").click()
    line = page.get_by_label("The cell that starts the same search").inner_text()
    assert line == (
        "%%tune --build build --data x,y --layers 1:2 --units 16,64,24 --learning-rate 0.0001,0.001,0.01 "
        "--loss categorical_crossentropy,mean_squared_error --epochs 1000 --patience 40"
    )
    book.shot(f"setup-{app}-ready")
    page.get_by_text("show as %%tune line").click()

    book.button("Start").click()
    book.see(re.compile(r"running: .* of 36"), 60)
    assert not page.get_by_label("epochs", exact=True).is_visible(), "the form folds up"
    book.see(re.compile("best so far val_accuracy"), 60)
    book.shot(f"setup-{app}-running")
    book.button("Pause").click()
    book.button("Resume").wait_for(timeout=5000)
    book.button("Resume").click()
    book.button("Pause").wait_for(timeout=5000)
    book.run(2)
    assert "(True, 36)" in book.cell(2).inner_text()
    book.button("Stop").click()
    book.see(re.compile("stopped: "), 5)
    until(lambda: book.button("Start").is_enabled(), 5, "it cannot be started again")
    book.shot(f"setup-{app}-stopped")
    page.get_by_text("Settings: 2 × 3 × 3 × 2 = 36 combinations").click()
    page.get_by_text("Further settings").click()
    assert page.evaluate(UNNAMED) == [], "everything has a name"
    if app == "lab":
        book.dark_shot("setup-lab-dark")
    assert not book.our_errors()
