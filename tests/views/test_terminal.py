import io
import re

import pytest

from nbtune.record.events import StateChanged
from nbtune.views.terminal import TerminalSurface, progress_line


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_one_line_that_is_rewritten(fifty_four):
    stream = Terminal()
    surface = TerminalSurface(stream)
    surface.open(fifty_four, None)
    surface.line(1000.0)
    surface.whole(1001.0)
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().count("\r") == 2


@pytest.fixture
def finished(fifty_four):
    fifty_four.apply(StateChanged("finished", 1010.0))
    return fifty_four


@pytest.mark.parametrize(
    ("kind", "no_color", "colours"), [(Terminal, False, True), (Terminal, True, False), (io.StringIO, False, False)]
)
def test_only_a_terminal_gets_colours(finished, monkeypatch, kind, no_color, colours):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    stream = kind()
    surface = TerminalSurface(stream)
    surface.open(finished, None)
    surface.line(1000.0)
    surface.close(1010.0)
    assert ("\x1b[" in stream.getvalue()) is colours
    plain = re.sub(r"\x1b\[\d*m", "", stream.getvalue())
    assert "finished: 40 of 54" in plain
    assert str(finished.coverage) in plain


def test_a_file_gets_only_what_lasts(fifty_four):
    stream = io.StringIO()
    surface = TerminalSurface(stream)
    surface.open(fifty_four, None)
    surface.line(1000.0)
    assert stream.getvalue() == ""
    fifty_four.apply(StateChanged("stopped", 1010.0))
    surface.close(1010.0)
    assert stream.getvalue().startswith("stopped: 28 done, 6 stopped early, 4 failed, 4 diverged, 12 not reached of 54")
    assert "\r" not in stream.getvalue()
    assert str(fifty_four.coverage) in stream.getvalue()


def test_the_bar_counts_epochs_of_trials_under_way_too(fifty_four):
    """And of those that were stopped only what they have trained."""
    assert progress_line(fifty_four, 1000.0).startswith("[#############-------] running: 40 of 54")
