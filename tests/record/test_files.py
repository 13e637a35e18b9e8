"""Nothing outside a project is read or written, whatever lies in it; and no file of it can make a reader wait or fill up."""

from __future__ import annotations

import os
import time

import pytest

from nbtune.record import files

KINDS = {
    "a link": lambda path, outside: path.symlink_to(outside),
    "a link to nothing": lambda path, outside: path.symlink_to(outside.with_name("nothing")),
    "a directory": lambda path, outside: path.mkdir(),
    "a pipe": lambda path, outside: os.mkfifo(path),
    "a device": lambda path, outside: path.symlink_to("/dev/zero"),
}


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def outside(tmp_path):
    file = tmp_path / "outside.txt"
    file.write_text("mine")
    return file


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC])
@pytest.mark.parametrize("kind", KINDS)
def test_only_plain_files_are_opened(project, outside, kind, flags):
    KINDS[kind](project / "file", outside)
    begun = time.monotonic()
    with pytest.raises(OSError, match="no plain file") as error:
        files.opened(project / "file", project, flags)
    assert error.value.filename == str(project / "file")
    assert time.monotonic() - begun < 2
    assert outside.read_text() == "mine"
    assert not outside.with_name("nothing").exists()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "a directory"])
def test_what_is_written_takes_the_place_of_a_link(project, outside, kind):
    KINDS[kind](project / "file", outside)
    files.write(project / "file", project, b"new")
    assert files.read(project / "file", project) == b"new"
    assert outside.read_text() == "mine"
    assert [path.name for path in project.iterdir()] == ["file"]


@pytest.mark.parametrize("act", [files.read, files.remove, files.stamp])
def test_a_folder_that_is_a_link_is_not_entered(project, tmp_path, act):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("mine")
    (project / "trial_0").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="is a link and no folder"):
        act(project / "trial_0" / "file", project)
    assert (tmp_path / "elsewhere" / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "act", [lambda path, root: files.append(path, root, "new"), lambda path, root: files.write(path, root, b"new")]
)
def test_what_is_in_the_way_of_a_new_file_is_moved_aside(project, tmp_path, act):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("mine")
    (project / "trial_0").symlink_to(tmp_path / "elsewhere")
    act(project / "trial_0" / "file", project)
    assert (project / "trial_0" / "file").read_text() == "new"
    assert (tmp_path / "elsewhere" / "file").read_text() == "mine"
    assert not (project / "trial_0").is_symlink()
    (aside,) = project.glob("trial_0.*.aside")
    assert aside.is_symlink()


def test_nothing_outside_is_named(project, outside):
    with pytest.raises(OSError, match="outside"):
        files.read(outside, project)


def test_a_file_that_is_too_large_is_not_read(project):
    with (project / "file").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(OSError, match="larger than"):
        files.read(project / "file", project)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"[]", b"1", b"", b"\xff", b'{"a": ' + b"1" * 5000 + b"}"])
def test_what_is_no_object_is_an_error(project, text):
    (project / "file").write_bytes(text)
    with pytest.raises(ValueError, match="."):
        files.read_json(project / "file", project)


def test_what_could_not_be_written_leaves_what_was_there(project, monkeypatch):
    files.write(project / "file", project, b"old")
    monkeypatch.setattr("os.replace", lambda *_, **__: (_ for _ in ()).throw(OSError("killed here")))
    with pytest.raises(OSError, match="killed here"):
        files.write(project / "file", project, b"new")
    assert [path.read_bytes() for path in project.iterdir()] == [b"old"]
