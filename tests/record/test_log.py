"""The log of a project: what was added comes back, whatever happened to the file's end."""

from __future__ import annotations

import time

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
    monkeypatch.setattr("os.open", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        one.add(*EVENTS[:2])
    monkeypatch.undo()
    one.add(EVENTS[2])
    assert log.read(project).events == EVENTS[:3]


# ---- damage


def lines_of(project):
    return (project / log.FILE).read_bytes().splitlines(keepends=True)


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_every_flipped_bit_is_noticed_and_costs_its_line_alone(tmp_path_factory, place, bit):
    project = tmp_path_factory.mktemp("log")
    log.Log(project).add(*EVENTS)
    whole = bytearray((project / log.FILE).read_bytes())
    at = int(place * len(whole))
    whole[at] ^= 1 << bit
    (project / log.FILE).write_bytes(whole)
    read = log.read(project)
    assert read != log.Read(EVENTS)
    assert len(read.events) >= len(EVENTS) - 2, "a flipped line end takes two lines"
    assert set(read.events) < set(EVENTS)


def test_a_line_that_is_gone_leaves_a_gap(project):
    log.Log(project).add(*EVENTS)
    whole = lines_of(project)
    for i in range(len(whole) - 1):
        (project / log.FILE).write_bytes(b"".join([*whole[:i], *whole[i + 1 :]]))
        assert log.read(project) == log.Read((*EVENTS[:i], *EVENTS[i + 1 :]), (), (i + 1,))


def test_a_line_of_another_log_does_not_belong(project, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    log.Log(project).add(*EVENTS)
    log.Log(other).add(TrialStarted("7", 1.0), TrialStarted("8", 1.0))
    (project / log.FILE).write_bytes(b"".join([*lines_of(project), lines_of(other)[1]]))
    assert log.read(project).gaps == (len(EVENTS) + 1,)


@pytest.mark.parametrize("bomb", [b"[" * 100_000, b'{"event":' * 100_000, b'{"a": ' + b"1" * 5000 + b"}", b"x" * 2**27])
def test_a_bomb_is_a_damaged_line(project, bomb):
    log.Log(project).add(*EVENTS)
    with (project / log.FILE).open("ab") as file:
        file.write(bomb + b"\n")
    begun = time.monotonic()
    assert log.read(project) == log.Read(EVENTS, (len(EVENTS) + 1,))
    assert time.monotonic() - begun < 5


def test_a_file_too_large_for_a_log_is_not_read(project):
    with (project / log.FILE).open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(OSError, match="larger than"):
        log.read(project)
