"""The folder of a search: found, kept apart, cleaned."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from nbtune import UsageError
from nbtune.record.project import Project, clean

ONE, OTHER = {"function": "a", "data": "b"}, {"function": "c", "data": "b"}


def opened(folder, fingerprint=ONE, fresh=False):
    project = Project.open(folder, "search", fingerprint, fresh)
    project.release()
    return project


def test_the_same_fingerprint_finds_its_project(tmp_path):
    first = opened(tmp_path)
    assert first.is_new
    again = opened(tmp_path)
    assert (again.path, again.is_new, again.note) == (first.path, False, "")


def test_another_fingerprint_takes_a_new_folder_and_says_why(tmp_path):
    first, second = opened(tmp_path), opened(tmp_path, OTHER)
    assert second.path.name == "search-2"
    assert "the function changed" in second.note
    assert "the data" not in second.note
    assert opened(tmp_path).path == first.path, "going back to the first function finds its results"


def test_the_usual_folder_stays_out_of_a_repository(tmp_path):
    opened(tmp_path / ".nbtune")
    assert (tmp_path / ".nbtune" / ".gitignore").read_text() == "*\n"
    (tmp_path / ".nbtune" / ".gitignore").unlink()
    opened(tmp_path / ".nbtune")
    opened(tmp_path / "results")
    assert [str(path) for path in tmp_path.rglob(".gitignore")] == [], "it is written once, and nowhere else"


@pytest.mark.parametrize("header", ["", "{", "[]", '{"fingerprint": 3}', "\x00"])
def test_a_damaged_header_is_no_match(tmp_path, header):
    first = opened(tmp_path)
    for name in ("nbtune.json", "nbtune-copy.json"):
        (first.path / name).write_text(header)
    assert opened(tmp_path).path != first.path


def test_clean_removes_what_was_replaced_and_nothing_else(tmp_path):
    first, second, third = opened(tmp_path), opened(tmp_path, OTHER), opened(tmp_path, fresh=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine-2").mkdir()
    second.acquire()
    assert [path for path, _ in clean(tmp_path).removed] == [first.path]
    assert second.path.exists(), "it is in use"
    assert third.path.exists(), "it is the latest"
    assert (tmp_path / "mine").exists(), "it is none of ours"
    second.release()


def test_no_file_of_a_project_is_run(tmp_path):
    """Whatever another person has put into the folder: only JSON is read there."""
    first = opened(tmp_path)
    for name in ("job.pickle", "conftest.py", "nbtune.py", "__init__.py"):
        (first.path / name).write_text("raise SystemExit('this ran')")
    assert opened(tmp_path).path == first.path


def test_two_at_once_are_refused(tmp_path):
    first = Project.open(tmp_path, "search", ONE, False)
    with pytest.raises(UsageError, match="in use"):
        Project.open(tmp_path, "search", ONE, False)
    first.release()


# ---- projects of somebody else, or damaged


HEADERS = {
    "a newer version": ('{"format": 99, "fingerprint": {}}', "was written by a newer version of nbtune"),
    "an older version": ('{"fingerprint": {"function": "a", "data": "b"}}', "was written by an older version of nbtune"),
    "a bomb": ("[" * 100_000, "has a damaged nbtune.json"),
    "a long number": ('{"format": ' + "9" * 5000 + "}", "has a damaged nbtune.json"),
    "nothing": ("", "has a damaged nbtune.json"),
}


@pytest.mark.parametrize("what", HEADERS)
def test_a_header_that_cannot_be_used_is_named_for_what_it_is(tmp_path, what):
    first = opened(tmp_path)
    text, said = HEADERS[what]
    (first.path / "nbtune.json").write_text(text)
    (first.path / "nbtune-copy.json").unlink()
    second = opened(tmp_path)
    assert second.path != first.path
    assert said in second.note
    assert (first.path / "nbtune.json").read_text() == text, "it is kept"


def test_every_flip_in_the_header_is_noticed(tmp_path):
    first = opened(tmp_path)
    whole = (first.path / "nbtune.json").read_bytes()
    (first.path / "nbtune-copy.json").unlink()
    for i in range(0, len(whole), 3):
        (first.path / "nbtune.json").write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        again = opened(tmp_path)
        assert again.path != first.path
        assert "changed since" not in again.note
        shutil.rmtree(again.path)


ODD = {
    "a link": lambda path, outside: path.symlink_to(outside),
    "a pipe": lambda path, outside: os.mkfifo(path),
    "a device": lambda path, outside: path.symlink_to("/dev/zero"),
    "a directory": lambda path, outside: path.mkdir(),
}


@pytest.mark.parametrize("file", ["nbtune.json", ".lock"])
@pytest.mark.parametrize("kind", ODD)
def test_nothing_outside_is_opened_for_a_project(tmp_path, kind, file):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    first = opened(tmp_path / "projects")
    (first.path / file).unlink(missing_ok=True)
    (first.path / "nbtune-copy.json").unlink()
    ODD[kind](first.path / file, outside)
    begun = time.monotonic()
    if file == ".lock":
        with pytest.raises(UsageError, match=r"cannot use .*\.lock: it is .* and no plain file"):
            opened(tmp_path / "projects")
    else:
        second = opened(tmp_path / "projects")
        assert second.path != first.path
        assert "has no nbtune.json that can be read (it is" in second.note
    assert time.monotonic() - begun < 2
    assert outside.read_text() == "mine"


def test_a_project_that_is_a_link_is_not_ours(tmp_path):
    elsewhere = opened(tmp_path / "elsewhere")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "search").symlink_to(elsewhere.path)
    project = opened(tmp_path / "here")
    assert project.path.name == "search-2"
    assert "search is a link, and none is followed" in project.note


def test_a_name_that_no_folder_can_have_is_a_mistake(tmp_path):
    with pytest.raises(UsageError, match="cannot be the name of a folder"):
        Project.open(Path("\0"), "search", ONE, False)


def test_clean_goes_on_past_an_odd_project(tmp_path):
    first, *_ = opened(tmp_path), opened(tmp_path, OTHER), opened(tmp_path, fresh=True)
    (first.path / ".lock").unlink()
    (first.path / ".lock").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    (tmp_path / "search-2" / "trial_0").symlink_to(outside)
    for odd in ("search-²", "search-" + "1" * 200):
        (tmp_path / odd).mkdir()
        (tmp_path / odd / "nbtune.json").touch()
    cleaned = clean(tmp_path)
    assert [path.name for path, _ in cleaned.removed] == ["search-2"]
    assert [(path.name, "is a directory" in reason) for path, reason in cleaned.left] == [("search", True)]
    assert (outside / "file").read_text() == "mine"
