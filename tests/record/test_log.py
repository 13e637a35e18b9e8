"""The log of a project: what was added comes back, whatever happened to the file's end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtune.record import log
from nbtune.record.events import TrialEnded, TrialStarted

EVENTS = tuple(TrialStarted(str(i), float(i)) for i in range(5))


@pytest.fixture
def project(tmp_path):
    return tmp_path


def test_what_was_added_comes_back_in_order(project):
    one = log.Log(project)
    one.add(*EVENTS[:2])
    log.Log(project).add(*EVENTS[2:])
    assert log.read(project) == log.Read(EVENTS, ())


def test_there_may_be_no_log(project):
    assert log.read(project).events == ()


@given(cut=st.integers(1, 40))
def test_a_torn_end_costs_its_line_alone(tmp_path_factory, cut):
    project = tmp_path_factory.mktemp("log")
    log.Log(project).add(*EVENTS)
    file = project / log.FILE
    lines = file.read_bytes()
    file.write_bytes(lines[:-cut])
    assert log.read(project) == log.Read(EVENTS[:4] if cut else EVENTS, ())
    log.Log(project).add(TrialEnded("9", "done"))
    assert log.read(project) == log.Read((*EVENTS[:4], TrialEnded("9", "done")), ())


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(tmp_path_factory, noise):
    project = tmp_path_factory.mktemp("log")
    log.Log(project).add(*EVENTS)
    with (project / log.FILE).open("ab") as file:
        file.write(noise + b"\n")
    read = log.read(project)
    assert read.events[: len(EVENTS)] == EVENTS
    log.Log(project).add(*EVENTS)
    assert log.read(project).events[-len(EVENTS) :] == EVENTS


def test_what_a_full_disk_did_not_take_is_written_later(project, monkeypatch):
    one = log.Log(project)
    monkeypatch.setattr(type(project), "open", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        one.add(*EVENTS[:2])
    monkeypatch.undo()
    one.add(EVENTS[2])
    assert log.read(project).events == EVENTS[:3]
