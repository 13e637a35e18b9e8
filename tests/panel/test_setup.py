import re

import numpy as np
import pytest

from nbtune.ask.space import Axis, Space
from nbtune.errors import UsageError
from nbtune.panel import setup
from nbtune.panel.setup import InNotebook, Panel
from nbtune.run.estimate import Estimate
from nbtune.run.plan import Plan

from ..views.notebook.test_surfaces import WIDGET, outputs  # noqa: F401  # a fixture
from ..views.test_live import until

X = np.zeros((60, 4), "float32")
Y = np.arange(60) % 3


class Estimator:
    """Notes what it is asked for."""

    def __init__(self, tell, pool):
        self.tell, self.asked = tell, []

    def ask(self, options):
        self.asked.append(options)

    def forget(self):
        self.asked.append(None)

    end = forget


def build(layers, units):
    return layers, units


def with_hp(hp):
    return hp


class Page:
    """A page that shows a panel: it applies what it is sent."""

    def __init__(self, panel):
        self.panel, self.known, self.messages = panel, {}, []
        self.front = panel._surface.front
        self.front.send = self._take
        self.say("hello")

    def _take(self, message):
        self.messages.append(message)
        self.known.update(message)

    def say(self, kind, **content):
        self.front.hear({"kind": kind, **content})

    def fill(self, name, text):
        self.say("set", name=name, text=text)


@pytest.fixture
def open_page(monkeypatch, outputs):  # noqa: F811
    def open_page(build=build, y=Y, **more):
        monkeypatch.setattr(setup, "Estimator", Estimator)
        monkeypatch.setattr(setup, "clicks_work", lambda shell: True)
        panel = Panel(build, (X, y), **more)
        panel._ipython_display_()
        return Page(panel)

    return open_page


def test_the_form_and_its_size_show_at_once(open_page, outputs):  # noqa: F811
    page = open_page()
    assert [field["name"] for field in page.known["form"]][:2] == ["layers", "units"]
    assert page.known["size"]["line"] == "3 × 3 × 3 = 27"
    assert page.known["cost"] == "estimating …"
    assert [WIDGET in bundle for bundle in outputs.values()] == [True, False, False, False]
    page.say(kind="seen", lab=True)
    _, cell, *rest = outputs.values()
    assert "%%tune --build build --data x,y --layers 1:3" in cell["text/plain"]
    assert rest == [{}, {}]


def test_the_size_follows_the_form_and_only_what_changed_is_sent(open_page):
    page = open_page()
    page.messages.clear()
    page.fill("layers", "1:5")
    [message] = page.messages
    assert message["size"]["line"] == "5 × 3 × 3 = 45"
    assert "form" not in message
    assert page.panel._estimator.asked[-1].layers.values == (1, 2, 3, 4, 5)


def test_a_mistake_marks_its_field_and_asks_for_no_estimate(open_page):
    page = open_page()
    page.fill("epochs", "ten")
    assert set(page.known["errors"]) == {"epochs"}
    assert page.panel._estimator.asked[-1] is None
    page.fill("epochs", "10")
    assert page.known["errors"] == {}


@pytest.mark.parametrize(
    ("about", "shown_at"),
    [("units", "units"), ("", ""), ("data", "")],  # the data has no field
)
def test_what_shows_only_later_is_told_where_it_belongs(open_page, about, shown_at):
    page = open_page()
    error = "units, loss and epochs do not fit"  # the words do not say it
    page.panel._estimator.tell(UsageError(error, about))
    assert page.known["errors"] == ({shown_at: error} if shown_at else {})
    assert page.known["mistake"] == ("" if shown_at else error)
    page.fill("units", "4")
    assert page.known["errors"] == {}


def test_the_cost_comes_later(open_page):
    page = open_page()
    space = Space.product(page.panel.options().axes)
    page.panel._estimator.tell(Estimate(space, Plan({"layers": 3}, 27, 27, 270, 2, True, 54.0, 812.0)))
    assert page.known["cost"] == "at most about 54 s with 2 workers, 812 MB of memory"
    assert page.known["size"]["growth"] == []


def test_a_large_grid_is_shown_as_it_grows(open_page):
    page = open_page()
    page.fill("units", "1:100")
    assert page.known["size"]["growth"] == [
        {"name": "layers", "values": 3, "total": "3", "time": ""},
        {"name": "units", "values": 100, "total": "300", "time": ""},
        {"name": "learning_rate", "values": 3, "total": "900", "time": ""},
    ]


def test_seeds_count(open_page):
    page = open_page()
    assert page.known["size"]["unit"] == "combinations"
    page.fill("repeats", "3")
    assert page.known["size"]["unit"] == "combinations × 3 seeds = 81 fits"


def test_the_value_that_is_wrong_is_told(open_page):
    page = open_page()
    page.fill("units", "16,x,32")
    assert page.known["wrong"] == {"units": ["x"]}
    page.fill("units", "16,32")
    assert page.known["wrong"] == {}


def test_a_keras_tuner_function_brings_its_own_axes(open_page):
    page = open_page(with_hp)
    assert page.known["size"] == {}
    space = Space.product([Axis.of("width", [8, 16]), Axis.of("learning_rate", [0.1])])
    page.panel._estimator.tell(Estimate(space, Plan.of(space, 10, 1)))
    assert page.known["form"][0]["name"] == "width"
    assert page.known["form"][0]["hint"] == "8, 16"
    assert page.known["size"]["line"] == "2 × 1 = 2"
    rate = next(field for field in page.known["form"] if field["name"] == "learning_rate")
    assert (rate["text"], rate["hint"]) == ("", "0.1"), "the function's own values stand until others are given"


def test_a_reloaded_page_is_told_everything_again(open_page):
    page = open_page()
    page.fill("units", "8,9")
    page.known.clear()
    page.say("hello")
    assert next(field for field in page.known["form"] if field["name"] == "units")["text"] == "8,9"
    assert {"errors", "size", "cost", "cell", "starting"} <= set(page.known)


def test_start_gives_the_estimate_up(open_page, monkeypatch):
    monkeypatch.setattr(setup, "launch", lambda *road: None)
    page = open_page()
    assert page.known["cost"] == "estimating …"
    page.panel._estimator.asked.clear()
    page.say("start")
    until(lambda: page.known["cost"] == "" and not page.known["starting"])
    assert page.panel._estimator.asked == [None]


def test_a_start_can_be_cancelled_and_made_again(open_page, monkeypatch):
    """As long as the search is being opened; what comes of it then is no mistake."""
    launched = []

    def launch(request, name, pool, keep, screen, cancel):
        launched.append(cancel)
        until(lambda: cancel.asked or len(launched) > 1)
        cancel.check()

    monkeypatch.setattr(setup, "launch", launch)
    page = open_page()
    page.say("start")
    until(lambda: launched)
    assert page.known["starting"]
    page.say("cancel")
    assert not page.known["starting"]
    page.say("start")
    until(lambda: len(launched) == 2 and not page.known["starting"])
    assert (page.known["mistake"], page.known["errors"]) == ("", {})


def test_a_grid_that_is_too_large_offers_a_sample(open_page):
    page = open_page()
    page.fill("layers", "1:1000")
    page.fill("units", "1:1000")
    page.say("start")
    until(lambda: page.known["mistake"] and not page.known["starting"])
    assert re.match(r"(sample: )?3,000,000 combinations would take .* days", page.known["mistake"])
    assert page.known["offers"] == {"500": "Train a fair sample of 500", "all": "Train every one"}
    page.say("offer", text="500")
    assert (page.known["mistake"], page.known["offers"]) == ("", {})
    assert "--sample 500" in page.known["cell"]


def test_start_tells_what_is_wrong(open_page):
    page = open_page()
    page.fill("units", "")
    page.say("start")
    until(lambda: page.known["errors"] and not page.known["starting"])
    assert "add --units VALUES" in page.known["errors"]["units"]
    assert page.panel.search is None


def test_names_of_the_notebook_stand_in_the_cell(open_page):
    names = InNotebook("make", "a, b", "mine")
    page = open_page(names=names, earlier={"units": "8"})
    assert page.known["cell"] == '%%tune mine --build make --data "a, b" --units 8'


def test_where_nobody_clicks_it_is_refused():
    with pytest.raises(UsageError, match="needs a notebook where somebody can click"):
        Panel(build, (X, Y))


def test_what_is_no_function_or_no_data_is_refused():
    with pytest.raises(UsageError, match="must be a function"):
        Panel(3, (X, Y))
    with pytest.raises(UsageError):
        Panel(build, 3)
