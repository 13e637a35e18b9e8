"""Two thousand trials in the panel. They are made of events alone: what is tried here is the drawing."""

from __future__ import annotations

import re
import time

from .page import until

SEARCH = """
import itertools, random, threading, time, contextvars
from nbtune.record.events import EpochEnded, StateChanged, TrialEnded, TrialStarted
from nbtune.ask.objective import Objective
from nbtune.record.progress import Progress
from nbtune.views.live import Live
from nbtune.views.notebook.surfaces import PanelSurface

axes = {"layers": range(1, 6), "units": range(10, 210, 10), "learning_rate": [0.1 / 2**i for i in range(10)], "loss": "ab"}
combinations = [dict(zip(axes, values)) for values in itertools.product(*axes.values())]
progress = Progress(combinations, Objective.of("val_accuracy"), 30, 2)

def train(trial):
    values = [1 - 1 / (epoch + 2) - random.random() / 9 for epoch in range(10)]
    progress.apply(TrialStarted(trial, time.time()))
    if random.random() < 0.05:
        progress.apply(TrialEnded(trial, "failed", seconds=0.1, error="Traceback\\nValueError: no such thing"))
    history = {"accuracy": values, "val_accuracy": values, "loss": values, "val_loss": values}
    progress.apply(TrialEnded(trial, "done", max(values), 1 + values.index(max(values)), history, 0.5))

def search():
    progress.apply(StateChanged("running", time.time()))
    for trial in progress.trials[:1500]:
        train(trial.id)
    for trial in progress.trials[1500:]:
        progress.apply(TrialStarted(trial.id, time.time()))
        for epoch in range(1, 11):
            time.sleep(0.01)
            progress.apply(EpochEnded(trial.id, epoch, {"accuracy": epoch / 12, "val_accuracy": epoch / 13}))
        train(trial.id)

class Nobody:
    pass  # clicks nothing

nobody = Nobody()
Live(progress, nobody, PanelSurface()).start()
threading.Thread(target=contextvars.copy_context().run, args=[search], daemon=True).start()
"""


def test_two_thousand_trials(pages):
    book = pages.digits("lab", SEARCH, "1 + 1", name="large")
    book.run(1)
    page = book.page
    book.see(re.compile(r"running: 1,5\d\d of 2,000"))
    assert page.locator(".nbtune-map [role=option]").count() == 2000
    assert page.locator(".nbtune-board tbody tr").count() == 10
    page.get_by_role("button", name="Show 40 more").click()
    assert page.locator(".nbtune-board tbody tr").count() == 50
    page.get_by_role("button", name="Show 40 more").click()

    headline = page.locator(".nbtune-headline")
    before = headline.inner_text()
    until(lambda: headline.inner_text() != before, 10, "the headline stands still")
    page.get_by_role("button", name="status").click()
    page.get_by_role("button", name="status").click()
    page.locator("tbody tr", has_text="failed").first.click()
    page.get_by_label("The error of this trial").get_by_text("no such thing").wait_for(timeout=3000)
    book.shot("large")

    start = time.monotonic()
    book.run(2)
    assert book.cell(2).locator(".jp-OutputArea-output").inner_text() == "2"
    print(f"a cell answered in {time.monotonic() - start:.2f} s")
    assert not book.our_errors()
