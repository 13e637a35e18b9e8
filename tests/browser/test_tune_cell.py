"""`%%tune` in a real browser: what a person sees and clicks from the first trial to the reopened notebook."""

from __future__ import annotations

import re
import time

import pytest
from nbconvert import HTMLExporter

from .page import BUILD, until

# One by one, so that some trial ends every other second all the time; stacks end in bursts.
LINE = (
    "%%tune --data x,y --layers 1:3 --units 16,32,64 --learning-rate 1e-2,1e-3,1e-4 "
    "--loss categorical_crossentropy,mean_squared_error --epochs 20 --patience 3 --engine trial"
)
TUNE = f"{LINE}\n{BUILD}"


@pytest.fixture
def running(pages):
    """A digits search of 54 networks that has just begun."""
    book = pages.digits("lab", TUNE, "1 + 1", name="tune")
    book.run(0)
    book.start(1)
    book.see(re.compile("Starting the workers|running: "))  # where a worker waits, the former is gone in a moment
    book.shot("tune-starting")
    book.see(re.compile(r"running: [4-9] of 54"), 60)
    return book


def ended(book):
    return int(re.search(r"(\d+) of 54", book.page.locator(".nbtune-headline").inner_text())[1])


def seconds_until(book, name):
    """How long a click took to hold."""
    start = time.monotonic()
    book.button(name).wait_for(timeout=5000)
    return time.monotonic() - start


def assert_lasts_without_a_kernel(notebook):
    """As GitHub and nbviewer show it: nbconvert, without JavaScript."""
    html, _ = HTMLExporter().from_notebook_node(notebook)
    body = html.partition("<body")[2]
    assert '<img alt="' in body
    assert "The picture in words</summary>Learning curves and a map" in body
    assert "<b>stopped</b>: " in body
    assert "combinations: " in body
    assert "widget-view" not in body
    pictures = [output.data["image/png"] for output in notebook.cells[1].outputs if "image/png" in output.get("data", {})]
    assert sum(map(len, pictures)) < 150_000


def test_from_start_to_the_reopened_notebook(running, pages):
    book = running
    book.shot("tune-running")

    book.button("Pause").click()
    assert seconds_until(book, "Resume") < 1
    at_pause = ended(book)
    book.page.wait_for_timeout(1500)
    assert ended(book) == at_pause
    book.shot("tune-paused")
    book.save_lasting(1, "paused")

    book.button("Resume").click()
    until(lambda: ended(book) > at_pause, 20, "it does not go on")
    book.save()
    at_reload = ended(book)
    book.reload()
    book.see(re.compile(r"running: \d+ of 54"))
    until(lambda: ended(book) > at_reload, 20, "the panel does not live")
    book.shot("tune-reloaded")

    book.button("Stop").click()
    start = time.monotonic()
    book.see(re.compile("stopped: "), 5)
    assert time.monotonic() - start < 1
    book.shot("tune-stopped")
    assert_lasts_without_a_kernel(book.save_lasting(1, "stopped"))
    assert not book.our_errors()

    pages.end_kernels()
    again = pages.open("lab", book.path)
    again.page.wait_for_timeout(3000)  # a widget without a kernel gives up after two seconds
    again.see(re.compile("stopped: "))
    assert again.page.locator(".jp-OutputArea img").is_visible()
    assert again.page.locator(".jp-OutputArea table").is_visible()
    assert not again.page.get_by_text("Error displaying widget").is_visible()
    again.shot("tune-reopened")


def test_a_closed_tab_does_not_stop_the_search(running, pages):
    running.save()
    running.page.close()
    log = running.path.parent / ".nbtune/search/events.jsonl"
    before = log.read_text().count("TrialEnded")
    until(lambda: log.read_text().count("TrialEnded") > before + 1, 60, "it stopped with the tab")
    again = pages.open("lab", running.path)
    again.see(re.compile(r"running: \d+ of 54"))
    assert ended(again) > before + 1


def test_the_interrupt_button_stops_a_search_that_a_cell_waits_for(pages):
    book = pages.digits("lab", TUNE.replace("%%tune", "%%tune --wait"), name="wait")
    book.run(0)
    book.start(1)
    book.see(re.compile(r"running: [2-9] of 54"), 60)
    start = time.monotonic()
    book.page.get_by_role("button", name=re.compile("Interrupt the kernel")).click()
    book.see(re.compile("stopped: "), 5)
    assert time.monotonic() - start < 2
    book.save_lasting(1, "stopped")
    book.shot("wait-interrupted")


def test_trials_can_be_sorted_and_looked_into(running):
    book = running
    page = book.page
    page.get_by_role("button", name="seconds", exact=True).click()
    head = page.get_by_role("columnheader", name="seconds")
    assert head.get_attribute("aria-sort") == "ascending"
    column = [float(text) for text in page.locator("tbody td:nth-child(12)").all_inner_texts() if text]
    assert column == sorted(column)
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"

    first = page.locator(".nbtune-board tbody tr").first
    first.get_by_role("button").focus()
    page.keyboard.press("Enter")
    trial = page.get_by_role("region", name="One trial")
    trial.get_by_role("img", name=re.compile("accuracy: ")).wait_for(timeout=3000)
    assert first.get_by_role("button").get_attribute("aria-pressed") == "true"
    book.shot("tune-trial")

    page.locator(".nbtune-map [tabindex='0']").focus()
    before = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    after = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert before.startswith("layers 1, units 16")
    assert after.startswith("layers 2, units 32")
    page.keyboard.press("Enter")
    trial.get_by_text(re.compile(r"layers 2, units 32")).wait_for(timeout=3000)
    book.dark_shot("tune-dark")

    book.button("Stop").click()
    book.see(re.compile("stopped: "), 5)
    book.write(2, "%tune show")
    book.run(2)
    again = book.cell(2)
    again.get_by_role("button", name="Resume").wait_for(timeout=5000)
    again.get_by_role("button", name=re.compile("Show trial layers 1")).first.click()
    again.get_by_role("img", name=re.compile("accuracy: ")).wait_for(timeout=3000)
    assert again.locator("img:visible").count() == 0, "the lasting picture is for later"
    assert not book.our_errors()


def test_a_kernel_that_is_restarted_leaves_the_last_picture_and_no_dead_button(pages):
    book = pages.digits("lab", TUNE, name="restart")
    page = book.page
    book.run(0)
    book.start(1)
    book.see(re.compile("best so far val_accuracy"), 120)
    page.get_by_text("Kernel", exact=True).first.click()
    page.get_by_text("Restart Kernel…", exact=True).first.click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    book.see(re.compile("interrupted: "), 20)
    book.see(re.compile("Run the cell again"))
    assert page.locator(".nbtune").get_by_role("button", name="Pause").count() == 0
    assert page.locator(".nbtune-map [role=option]").count() == 54
    book.shot("tune-restarted")
    assert not book.our_errors()
