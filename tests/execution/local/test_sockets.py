"""Temporary folders with long paths, in which no socket can be made."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

import nbtune
from nbtune.errors import UsageError
from nbtune.execution.local import sockets
from tests.conftest import dense


def test_a_short_folder_is_used_as_it_is(monkeypatch):
    scratch = Path("/tmp/nbtune-12345678")
    assert sockets.folder_near(scratch) == scratch


def test_the_longest_path_that_fits_fits(monkeypatch):
    most = sockets.LONGEST - sockets.ADDED
    fits = Path("/" + "a" * (most - 1))
    assert sockets.folder_near(fits) == fits
    elsewhere = sockets.folder_near(Path("/" + "a" * most))
    assert elsewhere.exists()
    assert len(str(elsewhere)) < most
    elsewhere.rmdir()


def test_letters_of_several_bytes_count_as_such():
    elsewhere = sockets.folder_near(Path("/" + "é" * 40))
    assert elsewhere != Path("/" + "é" * 40)
    elsewhere.rmdir()


def test_without_a_short_place_it_is_said(monkeypatch):
    monkeypatch.setattr(sockets, "_ELSEWHERE", ("/no/such/place",))
    with pytest.raises(UsageError, match="set TMPDIR to a shorter one"):
        sockets.folder_near(Path("/" + "a" * 100))


def test_a_search_with_a_long_temporary_folder_trains_and_leaves_nothing(here, flowers, monkeypatch, nothing_in_reserve):
    long = here / ("a" * 40) / ("b" * 40)
    long.mkdir(parents=True)
    made = []
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setattr(sockets, "folder_near", lambda scratch, find=sockets.folder_near: made.append(find(scratch)) or made[-1])
    search = nbtune.tune(dense, flowers, layers=[1], units=[4], epochs=2, workers=1)
    assert search.coverage.done == 1
    assert made
    assert not made[0].is_relative_to(long)
    assert not made[0].exists()
    assert not list(long.iterdir())
