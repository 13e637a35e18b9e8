"""The folder of a search: found, kept apart, cleaned."""

from __future__ import annotations

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


@pytest.mark.parametrize("header", ["", "{", "[]", '{"fingerprint": 3}', "\x00"])
def test_a_damaged_header_is_no_match(tmp_path, header):
    first = opened(tmp_path)
    (first.path / "nbtune.json").write_text(header)
    assert opened(tmp_path).path != first.path


def test_clean_removes_what_was_replaced_and_nothing_else(tmp_path):
    first, second, third = opened(tmp_path), opened(tmp_path, OTHER), opened(tmp_path, fresh=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine-2").mkdir()
    second.acquire()
    assert [path for path, _ in clean(tmp_path)] == [first.path]
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
