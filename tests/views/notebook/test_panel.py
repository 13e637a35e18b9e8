import threading

import pytest

from nbtune.errors import UsageError
from nbtune.record.events import EpochEnded, StateChanged
from nbtune.record.heldout import HeldOut
from nbtune.views.figures.plots import new_figure
from nbtune.views.notebook.panel import LivePanel

from ..conftest import done, product, search
from ..test_live import until


class Controls:
    """Each call waits until it is let go."""

    def __init__(self, error=None):
        self.asked, self.go, self.error = [], threading.Event(), error
        self.result = None

    def _do(self, what):
        self.asked.append(what)
        self.go.wait(5)
        if self.error:
            raise self.error
        return self.result

    def pause(self):
        self._do("pause")

    def resume(self):
        self._do("resume")

    def stop(self):
        self._do("stop")

    def save(self, refit=False):
        return self._do("save refit" if refit else "save")

    def plot(self, kind):
        return self._do(f"plot kind {kind}")

    def widen(self, **values):
        return self._do(" ".join(["widen", *(f"{name} {value}" for name, value in values.items())]))


@pytest.fixture
def open_panel(monkeypatch):
    """A panel and the list of what its page is sent."""

    def open_panel(progress, controls=None):
        panel = LivePanel(progress, controls or Controls())
        sent = []
        monkeypatch.setattr(panel.front, "send", lambda message: sent.append(message))
        return panel, sent

    return open_panel


def say(panel, **content):
    panel.front.hear(content)


def buttons(panel):
    return panel._buttons()["toggle"], panel._buttons()["stop"]


def test_a_page_that_greets_is_told_everything_and_then_what_changed(fifty_four, open_panel):
    panel, sent = open_panel(fifty_four)
    say(panel, kind="hello")
    assert sent[0]["curves"]["title"] == "val_accuracy, epoch by epoch"
    fifty_four.apply(EpochEnded("40", 4, {"val_accuracy": 0.5}))
    panel.draw(1000.0)
    assert list(sent[1]["trials"]) == [40]
    panel.draw(1000.0)
    assert len(sent) == 2


def test_a_page_whose_greeting_waits_behind_a_cell_is_told_everything_now_and_then(fifty_four, open_panel, monkeypatch):
    panel, sent = open_panel(fifty_four)
    panel.draw(1000.0)
    panel.draw(1000.0)
    assert [("grid" in message) for message in sent] == [True]
    monkeypatch.setattr("nbtune.views.notebook.panel.APART", 0.0)
    panel.draw(1000.0)
    assert "grid" in sent[-1]


def test_only_a_reloaded_page_writes_the_lasting_outputs_itself(fifty_four, open_panel):
    panel, sent = open_panel(fifty_four)
    say(panel, kind="hello")
    fifty_four.apply(StateChanged("stopped", 1010.0))
    panel.leave([{"data": {"text/plain": "stopped"}, "metadata": {}}])
    assert not any("lasting" in message for message in sent)
    say(panel, kind="hello")
    assert sent[-1]["lasting"][0]["data"] == {"text/plain": "stopped"}


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("planned", ["Start"]),
        ("running", ["Pause", "Stop"]),
        ("paused", ["Resume", "Stop", "Download"]),
        ("stopped", ["Resume", "Code", "Confusion matrix", "Save", "Refit", "Download", "Next steps"]),
        ("finished", ["Code", "Confusion matrix", "Save", "Refit", "Download", "Next steps"]),
    ],
)
def test_buttons_tell_the_state_and_none_is_dead(fifty_four, open_panel, state, shown):
    fifty_four.apply(StateChanged(state, 1010.0))
    fifty_four.held_out = HeldOut(360, 10, "3", 0.1)
    panel, _ = open_panel(fifty_four)
    buttons = [button for button in panel._buttons().values() if not button["hidden"]]
    assert [button["text"] for button in buttons if button["icon"] != "+"] == shown
    assert not any(button["disabled"] for button in buttons)


def test_a_button_adds_a_value_beyond_the_edge_that_is_best(open_panel):
    progress = search(product(units=[8, 16, 32]), events=[done(str(i), 0.5 + 0.1 * i) for i in range(3)])
    controls = Controls()
    controls.go.set()
    panel, _ = open_panel(progress, controls)
    assert "widen-units" not in panel._buttons()
    progress.apply(StateChanged("finished", 1010.0))
    button = panel._buttons()["widen-units"]
    assert (button["text"], button["hidden"]) == ("Add units 64", False)
    assert "largest" in button["title"]
    say(panel, kind="click", button="widen-units")
    until(lambda: controls.asked)
    assert controls.asked == ["widen units 64"]
    say(panel, kind="click", button="widen-layers")
    assert controls.asked == ["widen units 64"]


def test_pictures_and_files_that_an_action_makes_are_shown(fifty_four, open_panel, tmp_path):
    controls = Controls()
    controls.go.set()
    controls.result = tmp_path / "search.keras"
    fifty_four.apply(StateChanged("finished", 1010.0))
    fifty_four.held_out = HeldOut(360, 10, "3", 0.1)
    panel, sent = open_panel(fifty_four, controls)
    say(panel, kind="click", button="save")
    until(lambda: any('load_model("search.keras")' in message.get("text", "") for message in sent))
    until(lambda: not panel._asked)
    controls.result = new_figure()
    say(panel, kind="click", button="answers")
    until(lambda: any(message.get("picture") for message in sent))
    assert controls.asked == ["save", "plot kind confusion"]


def test_a_page_says_how_much_room_the_map_has(fifty_four, open_panel):
    panel, sent = open_panel(fifty_four)
    say(panel, kind="hello")
    say(panel, kind="size", width=600, height=400)
    assert (sent[-1]["map"]["width"], sent[-1]["map"]["height"]) == (600, 400)


def test_a_click_returns_at_once_and_the_buttons_wait(fifty_four, open_panel):
    controls = Controls()
    panel, sent = open_panel(fifty_four, controls)
    say(panel, kind="click", button="toggle")
    until(lambda: controls.asked)
    assert buttons(panel)[0]["text"] == "Pausing…"
    assert all(button["disabled"] for button in buttons(panel))
    say(panel, kind="click", button="stop")  # while the other is under way
    fifty_four.apply(StateChanged("paused", 1010.0))
    controls.go.set()
    until(lambda: sent[-1]["buttons"]["toggle"]["text"] == "Resume")
    assert controls.asked == ["pause"]


@pytest.mark.parametrize(
    ("error", "words"), [(UsageError("it is over"), "it is over"), (RuntimeError("<b>no</b>"), "RuntimeError: <b>no</b>")]
)
def test_a_click_that_fails_is_shown(fifty_four, open_panel, error, words):
    controls = Controls(error)
    controls.go.set()
    panel, sent = open_panel(fifty_four, controls)
    say(panel, kind="click", button="stop")
    until(lambda: panel.problem)
    assert sent[-1]["problem"] == words
    assert not sent[-1]["buttons"]["stop"]["disabled"]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"kind": "choose", "trial": 54},
        {"kind": "choose", "trial": "x"},
        {"kind": "click"},
        {"kind": "size"},
        {"kind": "size", "width": "1", "height": 2},
    ],
)
def test_nonsense_from_a_page_changes_nothing(fifty_four, open_panel, content):
    panel, sent = open_panel(fifty_four)
    panel.front.hear(content)
    assert sent == []
