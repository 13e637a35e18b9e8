"""Searches made of events alone: nothing is trained here."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from nbtune.ask.objective import Objective
from nbtune.record.events import DIVERGED, DONE, FAILED, STOPPED, EpochEnded, Event, StateChanged, TrialEnded, TrialStarted
from nbtune.record.progress import Progress

DIGITS = {"layers": [1, 2, 3], "units": [16, 32, 64], "learning_rate": [1e-2, 1e-3, 1e-4], "loss": ["cce", "<script>mse"]}
ERROR = "Traceback (most recent call last):\n  in build\nValueError: <script>alert(1)</script>"


def product(**axes: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def search(combinations: list[dict[str, Any]], objective: str = "val_accuracy", events: Sequence[Event] = ()) -> Progress:
    progress = Progress(combinations, Objective.of(objective), epochs=10, workers=2)
    for event in events:
        progress.apply(event)
    return progress


def done(trial: str, score: float, epochs: int = 5, seconds: float = 2.0) -> TrialEnded:
    """A trial whose `val_accuracy` rises to `score` in the epoch before the last."""
    values = [score * (i + 1) / (epochs - 1) for i in range(epochs - 1)] + [score * 0.9]
    history = {"accuracy": [min(v + 0.01, 1.0) for v in values], "val_accuracy": values}
    return TrialEnded(trial, DONE, score, epochs - 1, history, seconds)


def score_of(number: int) -> float:
    return 0.9 + 0.09 * math.sin(number * 1.7)


def half_way(progress: Progress, ended: int, at: float = 1000.0) -> Iterator[Event]:
    """`ended` trials over, of which some failed, diverged or were stopped, and two under way with three epochs."""
    yield StateChanged("running", at)
    ids = [trial.id for trial in progress.trials]
    for number, trial in enumerate(ids[:ended]):
        yield TrialStarted(trial, at)
        match number % 10:
            case 3:
                yield TrialEnded(trial, FAILED, seconds=2.0, error=ERROR)
            case 5:
                history = {"accuracy": [0.5, 0.1], "val_accuracy": [0.5, math.nan]}
                yield TrialEnded(trial, DIVERGED, None, None, history, 2.0, "loss is NaN in epoch 2")
            case 7:
                yield TrialEnded(trial, STOPPED, seconds=2.0, error="the search was stopped")
            case _:
                yield done(trial, score_of(number))
    for trial in ids[ended : ended + 2]:
        yield TrialStarted(trial, at)
        for epoch in (1, 2, 3):
            yield EpochEnded(trial, epoch, {"accuracy": 0.3 * epoch, "val_accuracy": 0.3 * epoch})


@pytest.fixture
def fifty_four() -> Progress:
    """All statuses at once: 40 ended, 2 running, 12 pending."""
    progress = search(product(**DIGITS))
    for event in half_way(progress, 40):
        progress.apply(event)
    return progress


@pytest.fixture
def two_thousand() -> Progress:
    axes = {"layers": range(1, 6), "units": range(10, 210, 10), "learning_rate": [0.1 / 2**i for i in range(10)], "loss": "ab"}
    progress = search(product(**axes))
    for event in half_way(progress, 1500):
        progress.apply(event)
    return progress


@pytest.fixture
def untouched() -> Progress:
    return search(product(**DIGITS))


@pytest.fixture(autouse=True)
def _nothing_seen_yet(monkeypatch):
    """Each test begins with a page of which nothing is known."""
    front = sys.modules.get("nbtune.views.front")  # not for tests that import nothing
    if front:
        monkeypatch.setattr(front.Front, "hides_lasting", False)
