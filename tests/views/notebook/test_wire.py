import json
import math
import types
import typing

import pytest

from nbtune.record.events import RUNNING, EpochEnded, EpochUnderWay, StateChanged, TrialEnded, TrialReopened, TrialStarted
from nbtune.views.notebook import schema
from nbtune.views.notebook.wire import Wire
from nbtune.views.table import columns, rows

from ..conftest import done, product, search


class Page:
    """What a page knows after the messages so far: it takes them in as `front/known.js` does."""

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
                **{part: old[part][: line[part]["start"]] + line[part]["values"] for part in ("values", "training")},
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
    tails = {"values": {"start": 3, "values": [0.4]}, "training": {"start": 3, "values": [0.5]}}
    assert changes["lines"] == {1500: {**tails, "best": 3}}
    assert len(json.dumps(changes)) < 2000 < 100_000 < len(json.dumps(whole)) < 850_000


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
    assert len(whole["scale"]["shades"]) == len(whole["cells"])
    for i, cell in whole["cells"].items():
        shown = progress.trials[cell["trial"]]
        assert (whole["scale"]["shades"][i] is None) == (shown.score is None)
        assert cell["status"] == shown.status or shown.score is not None
        assert (whole["scale"]["best"] == i) == (shown is progress.best_so_far)


def test_one_trial_in_full(fifty_four):
    failed = next(i for i, trial in enumerate(fifty_four.trials) if trial.status == "failed")
    diverged = next(i for i, trial in enumerate(fifty_four.trials) if trial.status == "diverged")
    wire = Wire(fifty_four)
    assert "ValueError" in wire.detail(failed)["detail"]["error"]
    [plot] = wire.detail(diverged)["detail"]["plots"]
    assert (plot["title"], plot["training"], plot["validation"]) == ("accuracy", [0.5, 0.1], [0.5, None])


def assert_is(value, hint, where="message"):
    """Whether a value is of the kind that the schema says, fields that must be there included."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if typing.is_typeddict(hint):
        hints = typing.get_type_hints(hint)
        assert set(value) <= set(hints), where
        assert not hint.__required_keys__ - set(value), where
        for name, part in value.items():
            assert_is(part, hints[name], f"{where}.{name}")
    elif origin in (list, tuple):
        for part in value:
            assert_is(part, inner[0], f"{where}[]")
    elif origin is dict:
        for part in value.values():
            assert_is(part, inner[1], f"{where}{{}}")
    elif origin is types.UnionType:
        parts = [part for part in inner if typing.is_typeddict(part)]
        if parts and value is not None:
            assert_is(value, parts[0], where)
        else:
            assert isinstance(value, tuple(part for part in inner if part not in parts)), where
    elif hint is not typing.Any:
        assert isinstance(value, (int, float) if hint is float else hint), f"{where}: {value!r}"


@pytest.mark.parametrize("name", ["untouched", "fifty_four"])
def test_messages_are_as_the_schema_says(name, request):
    progress = request.getfixturevalue(name)
    wire = Wire(progress)
    assert_is(wire.whole(1000.0), schema.Message)
    assert_is(wire.detail(3), schema.Message)
    assert_is(wire.resize(500, 300), schema.Message)
    progress.apply(EpochEnded("40", 4, {"accuracy": 0.5, "val_accuracy": 0.4}))
    assert_is(wire.changes(1000.0), schema.Message)


def test_the_map_follows_the_size_of_the_page(fifty_four):
    wire = Wire(fifty_four)
    before = wire.whole(1000.0)["map"]
    assert wire.resize(before["width"], before["height"]) == {}
    after = wire.resize(800, 500)["map"]
    assert (after["width"], after["height"]) == (800, 500)
    assert after["cell_width"] > before["cell_width"]
    assert not before["numbers"]
    assert after["numbers"], "there is room for the scores now"
    assert max(x for x, _ in after["corners"]) + after["cell_width"] < 800
    assert wire.resize(1e9, -5)["map"]["height"] > 0


def test_the_table_of_the_page_is_that_of_the_notebook(fifty_four):
    whole = Wire(fifty_four).whole(1000.0)
    grid, table, trials = whole["grid"], whole["table"], whole["trials"]
    texts = []
    for place, i in enumerate(table["rows"][:40]):
        values = [axis["texts"][at] for axis, at in zip(grid["axes"], grid["places"][i], strict=True)]
        texts.append([str(place + 1) if place < table["ranked"] else "", *values, *trials[i]["texts"]])
    assert texts == rows(fifty_four, 40)
    assert ["rank", *(a["name"] for a in grid["axes"]), *(c["name"] for c in table["columns"])] == [
        column.name for column in columns(fifty_four)
    ]
