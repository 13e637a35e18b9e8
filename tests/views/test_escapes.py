"""What comes from a value or an error does not steer the terminal."""

from __future__ import annotations

import io

from nbtune.ask.objective import Objective
from nbtune.errors import UsageError, printable
from nbtune.record.events import MOST_ERROR, TrialEnded, TrialStarted
from nbtune.record.progress import Progress
from nbtune.views.terminal import TerminalSurface

TITLE, CLEAR, LINK = "\x1b]0;owned\x07", "\x1b[2J\x1b[31m", "\x1b]8;;http://x\x1b\\"


def test_a_table_has_no_escapes_of_values_and_errors(monkeypatch):
    progress = Progress([{"act": f"relu{CLEAR}{TITLE}"}], Objective("val_loss", "min"), 1, 1)
    progress.apply(TrialStarted("0", 0.0))
    progress.apply(TrialEnded("0", "failed", error=f"ValueError: {CLEAR}{LINK}bad\x9b2J\r"))
    stream = io.StringIO()
    surface = TerminalSurface(stream)
    surface.open(progress, None)
    surface.close(1.0)
    assert "relu" in stream.getvalue()
    assert not set(stream.getvalue()) & set("\x1b\x07\x9b\r")
    assert "\x1b" not in str(progress.trials[0]) + progress.trials[0].error


def test_text_is_left_as_it_is():
    assert printable("größer\n\t大きい → ✓") == "größer\n\t大きい → ✓"
    assert printable(f"a{CLEAR}b{TITLE}c{LINK}d\x1b(Be") == "abcde"


def test_errors_are_bounded():
    ended = TrialEnded("0", "failed", error="x" * 10**7 + "the end")
    assert len(ended.error) < MOST_ERROR + 100
    assert ended.error.endswith("the end")
    assert len(str(UsageError("y" * 10**6))) < 3000
