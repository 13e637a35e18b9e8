import json
import math

import pytest

from nbtune.record.events import RUNNING, EpochEnded, EpochUnderWay, StateChanged, TrialEnded, TrialReopened, TrialStarted
from nbtune.views.notebook.wire import Wire

from ..conftest import done, product, search


class Page:
    """What a page knows after the messages so far: it folds them in as `front/live.js` does."""

    def __init__(self):
        self.parts, self.trials, self.cells, self.lines = {}, {}, {}, {}

    def take(self, message):
        message = json.loads(json.dumps(message, allow_nan=False))
        if "grid" in message:
            self.trials, self.cells, self.lines = {}, {}, {}
        self.trials.update(message.pop("trials", {}))
        self.cells.update(message.pop("cells", {}))
        for trial, line in message.pop("lines", {}).items():
            old = self.lines.get(trial, {"values": [], "training": []})
            self.lines[trial] = {
                **{part: old[part][: line[part][0]] + line[part][1] for part in ("values", "training")},
                "best": line["best"],
            }
        self.parts.update(message)
        return self

    def __eq__(self, other):
        return vars(self) == vars(other)

    __hash__ = None


def told_at_once(progress):
    return Page().take(Wire(progress).whole(1000.0))


def events():
    yield StateChanged("running", 1000.0)
    for trial in ("0", "1"):
        yield TrialStarted(trial, 1000.0)
        for epoch in range(1, 4):
            yield EpochEnded(trial, epoch, {"accuracy": 0.1 * epoch, "val_accuracy": 0.2 * epoch})
    yield TrialEnded("0", "failed", error="ValueError: no")
    yield TrialReopened("0")
    yield TrialStarted("0", 1001.0)
    yield EpochEnded("0", 1, {"accuracy": 0.5, "val_accuracy": math.nan})
    yield done("1", 0.9)
    yield done("0", 0.95)
    yield StateChanged("finished", 1010.0)


def test_changes_add_up_to_the_whole():
    progress = search(product(units=[8, 16], layers=[1, 2]))
    wire, page = Wire(progress), Page()
    page.take(wire.whole(1000.0))
    for event in events():
        progress.apply(event)
        page.take(wire.changes(1000.0))
        now = told_at_once(progress)
        page.lines = {trial: line for trial, line in page.lines.items() if trial in now.lines}  # it keeps what it knows
        assert page == now


def test_nothing_is_told_twice(two_thousand):
    wire = Wire(two_thousand)
    whole = wire.whole(1000.0)
    assert wire.changes(1000.0) == {}
    running = [trial.id for trial in two_thousand.trials if trial.status == RUNNING]
    epochs = two_thousand.trial(running[0]).epochs
    two_thousand.apply(EpochUnderWay([id for id in running if two_thousand.trial(id).epochs == epochs], epochs + 1, 0.5))
    assert wire.changes(1000.0).keys() <= {"head"}
    two_thousand.apply(EpochEnded("1500", 4, {"accuracy": 0.5, "val_accuracy": 0.4}))
    changes = wire.changes(1000.0)
    assert changes["trials"].keys() == {1500}
    assert changes["lines"] == {1500: {"values": (3, [0.4]), "training": (3, [0.5]), "best": 3}}
    assert len(json.dumps(changes)) < 2000 < 100_000 < len(json.dumps(whole)) < 600_000


def test_each_trial_is_told_with_its_values(fifty_four):
    grid = Wire(fifty_four).whole(1000.0)["grid"]
    for trial, places in zip(fifty_four.trials, grid["places"], strict=True):
        texts = [axis["texts"][place] for axis, place in zip(grid["axes"], places, strict=True)]
        assert texts == [f"{v:g}" if isinstance(v, float) else str(v) for v in trial.values.values()]


def test_a_hyperparameter_that_a_trial_lacks_has_no_place():
    grid = Wire(search([{"layers": 1}, {"layers": 2, "units_1": 16}])).whole(1000.0)["grid"]
    assert grid["places"] == [[0, -1], [1, 0]]


@pytest.mark.parametrize("name", ["untouched", "fifty_four", "two_thousand"])
def test_every_place_on_the_map_leads_to_a_trial(name, request):
    progress = request.getfixturevalue(name)
    whole = Wire(progress).whole(1000.0)
    assert len(whole["cells"]) == len(whole["map"]["corners"])
    for status, score, best, trial, *_ in whole["cells"].values():
        shown = progress.trials[trial]
        assert score == shown.score
        assert status == shown.status or score is not None
        assert best == (shown is progress.best)


def test_one_trial_in_full(fifty_four):
    failed = next(i for i, trial in enumerate(fifty_four.trials) if trial.status == "failed")
    diverged = next(i for i, trial in enumerate(fifty_four.trials) if trial.status == "diverged")
    wire = Wire(fifty_four)
    assert "ValueError" in wire.detail(failed)["detail"]["error"]
    assert wire.detail(diverged)["detail"]["history"] == {"accuracy": [0.5, 0.1], "val_accuracy": [0.5, None]}
