"""The Tab key in JupyterLab, whose completer asks the kernel, where jedi has its say too."""

from __future__ import annotations

import re

import pytest

CELL = """%%tune
def build(layers, rate=0.1):
    pass"""


@pytest.fixture
def book(pages):
    book = pages.digits("lab", CELL, name="completion")
    book.run(0)
    return book


def offered(book, text):
    """What the completer lists after `text` on the first line of the second cell, each with its kind."""
    page = book.page
    editor = book.cell(1).locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("End")
    page.keyboard.type(text)
    page.keyboard.press("Tab")
    page.locator(".jp-Completer-item").first.wait_for(timeout=30_000)
    items = page.locator(".jp-Completer-item").all()
    found = [(item.locator(".jp-Completer-match").inner_text(), item.inner_text()) for item in items]
    page.keyboard.press("Escape")
    for _ in text:
        page.keyboard.press("Backspace")
    return found


def test_only_what_fits_is_offered(book):
    options = offered(book, " --")
    assert {"--layers", "--data"} <= {name for name, _ in options}
    assert all(name.startswith("--") and not name.startswith("--_") for name, _ in options)
    assert all(re.search(r"\boption\b", text) for _, text in options), "each says what it is"
    assert {name for name, _ in offered(book, " --loss mean_sq")} == {"mean_squared_error", "mean_squared_logarithmic_error"}
    assert [name for name, _ in offered(book, " --data x,")] == ["x", "y"]
    assert {name for name, _ in offered(book, " --loss categorical_")} == {
        "categorical_crossentropy",
        "categorical_focal_crossentropy",
        "categorical_hinge",
    }
