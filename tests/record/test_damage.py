"""Projects that are damaged at random: what can be read is used, the rest is trained again, and nothing outside is touched."""

from __future__ import annotations

import json
import os
import time

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtune.ask.objective import Objective
from nbtune.ask.space import Axis, Space
from nbtune.errors import UsageError
from nbtune.record import files, log
from nbtune.record.events import DONE, STOPPED, TrialEnded, TrialStarted
from nbtune.record.progress import Progress
from nbtune.record.project import Project
from nbtune.record.resume import earlier
from nbtune.record.store import Store

SPACE = Space.product([Axis.of("units", [4, 8, 16]), Axis.of("loss", ["mse", "mae"])])
ACCURACY = Objective("val_accuracy", "max")
KEEP = 2
FINGERPRINT = {"function": "f", "data": "d"}
FILES = ["events.jsonl", "oracle.json", "tuner0.json", "nbtune.json", "trial_3/trial.json", "trial_5/checkpoint.weights.h5"]
ODD = [None, "", "../../outside", "/etc", -1, 1e308, 10**400, True, [], {}, {"a": []}, float("nan"), "running", "<b>", "ä" * 300]


def train(folder):
    """What `Run` does to a project, without Keras: the score of a combination is known beforehand."""
    project = Project.open(folder, "search", FINGERPRINT, fresh=False)
    try:
        before = earlier(project.path, SPACE, {}, ACCURACY, KEEP)
        progress = Progress(SPACE.combinations, ACCURACY, 1, 1, before.ids)
        for event in before.ended:
            progress.apply(event)
        store = Store(project.path, SPACE, progress, 0, KEEP, before.known)
        store.record(*before.added)
        for index, trial in enumerate(progress.trials):
            if not trial.ended:
                for event in outcome(project.path, trial.id, index):
                    progress.apply(event)
                    store.record(event)
        store.write_oracle()
    finally:
        project.release()
    return progress


def outcome(project, id, index):
    weights = project / f"trial_{id}" / "checkpoint.weights.h5"

    files.write(weights, project, b"")  # makes way
    with h5py.File(weights, "w") as file:
        file.create_group("layers")
    score, stamp = index / 10, files.stamp(weights, project)
    return [TrialStarted(id, 0.0), TrialEnded(id, DONE, score, 1, {"val_accuracy": [score]}, 1.0, weights=stamp)]


@st.composite
def damages(draw):
    """A function that does something bad to a file."""
    at, noise = draw(st.floats(0, 1)), draw(st.binary(max_size=20))
    key, odd = draw(st.integers(0, 6)), draw(st.sampled_from(ODD))

    def cut(data):
        return data[: int(at * len(data))]

    def overwrite(data):
        i = int(at * len(data))
        return data[:i] + noise + data[i + len(noise) :]

    def change_a_value(data):
        lines = data.split(b"\n")
        i = int(at * (len(lines) - 1))
        try:
            state = json.loads(lines[i])
            state[list(state)[key % len(state)]] = odd
        except (ValueError, TypeError, ZeroDivisionError):
            return data
        return b"\n".join([*lines[:i], json.dumps(state).encode(), *lines[i + 1 :]])

    def repeat_a_line(data):
        lines = data.split(b"\n")
        return b"\n".join([lines[int(at * (len(lines) - 1))], *lines])

    def lose_a_line(data):
        lines = data.split(b"\n")
        lines.pop(int(at * (len(lines) - 1)))
        return b"\n".join(lines)

    return draw(st.sampled_from([cut, overwrite, change_a_value, repeat_a_line, lose_a_line]))


def snapshot(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.iterdir())


@settings(max_examples=300)
@given(what=st.lists(st.tuples(st.sampled_from(FILES), damages()), min_size=1, max_size=3))
def test_whatever_is_damaged_every_combination_is_accounted_for(tmp_path_factory, what):
    parent = tmp_path_factory.mktemp("damaged")
    train(parent / "projects")
    around = snapshot(parent)
    for name, damage in what:
        file = parent / "projects" / "search" / name
        file.write_bytes(damage(file.read_bytes()))
    progress = train(parent / "projects")
    assert progress.coverage.total == len(SPACE) == len({trial.id for trial in progress.trials})
    assert progress.coverage.pending == progress.coverage.stopped == 0
    assert [dict(trial.values) for trial in progress.trials] == list(SPACE)
    assert progress.best is not None
    assert snapshot(parent) == around, "nothing outside is touched"
    assert not [event for event in train(parent / "projects").trials if not event.ended]


@pytest.mark.parametrize("name", [*FILES, "trial_5", "trial_0"])
def test_what_is_gone_is_made_anew(tmp_path, name):
    train(tmp_path)
    (tmp_path / "search" / name).rename(tmp_path / "elsewhere")
    assert train(tmp_path).coverage.done == len(SPACE)


# ---- what somebody else has put in the place of a file

ODD_FILES = {
    "a link": lambda path, outside: path.symlink_to(outside / "file"),
    "a link to a folder": lambda path, outside: path.symlink_to(outside),
    "a link to nothing": lambda path, outside: path.symlink_to(outside / "nothing"),
    "a pipe": lambda path, outside: os.mkfifo(path),
    "a device": lambda path, outside: path.symlink_to("/dev/zero"),
    "a folder": lambda path, outside: path.mkdir(),
    "a bomb": lambda path, outside: path.write_bytes(b"[" * 100_000),
    "a huge file": lambda path, outside: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 10**12),
}
ODD_NAMES = {**ODD_FILES, "a hard link": lambda path, outside: path.hardlink_to(outside / "file")}
PLACES = [*FILES, ".lock", "trial_5/trial.json", "trial_5/outcome.jsonl", "trial_0", "trial_5", "trial_77"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ODD_NAMES)
def test_whatever_is_in_the_place_of_a_file_nothing_outside_changes(tmp_path, place, kind):
    train(tmp_path / "projects")
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("file", "trial.json", "checkpoint.weights.h5", ".x.weights.h5", "outcome.jsonl"):
        (outside / name).write_text("mine")
    path = tmp_path / "projects" / "search" / place
    if path.is_dir():
        path.rename(tmp_path / "projects" / "was")
    path.unlink(missing_ok=True)
    ODD_NAMES[kind](path, outside)
    begun = time.monotonic()
    try:
        progress = train(tmp_path / "projects")
        assert progress.coverage.done == len(SPACE)
        assert progress.best is not None
    except (OSError, UsageError) as error:  # the search makes one line of it
        is_odd = kind in ("a folder", "a bomb", "a huge file", "a hard link")
        assert str(path) in str(error) or is_odd or place.startswith("trial_")
    assert time.monotonic() - begun < 5
    assert sorted(file.name for file in outside.iterdir()) == sorted(
        ["file", "trial.json", "checkpoint.weights.h5", ".x.weights.h5", "outcome.jsonl"]
    )
    assert all(file.read_text() == "mine" for file in outside.iterdir())


@settings(max_examples=100)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), name=st.sampled_from([FILES[0], FILES[-1]]))
def test_no_flipped_bit_gives_another_winner(tmp_path_factory, place, bit, name):
    parent = tmp_path_factory.mktemp("flipped")
    whole = train(parent)
    file = parent / "search" / name
    data = bytearray(file.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    file.write_bytes(data)
    again = train(parent)
    assert again.ranking == whole.ranking


def test_a_trial_that_failed_is_never_the_best(tmp_path):
    project = Project.open(tmp_path, "search", FINGERPRINT, fresh=False)
    before = earlier(project.path, SPACE, {}, ACCURACY, KEEP)
    progress = Progress(SPACE.combinations, ACCURACY, 1, 1, before.ids)
    for id, status, score in (("0", "failed", 0.99), ("1", "diverged", 0.98), ("2", DONE, 0.5)):
        progress.apply(TrialStarted(id, 0.0))
        progress.apply(TrialEnded(id, status, score, 1, {"val_accuracy": [score]}))
    project.release()
    assert progress.best.id == "2"


def test_a_score_that_its_history_does_not_have_is_not_believed(tmp_path):
    train(tmp_path)
    project = Project.open(tmp_path, "search", FINGERPRINT, fresh=False)
    log.Log(project.path).add(TrialEnded("1", DONE, 0.99, 1, {"val_accuracy": [0.1]}))
    before = earlier(project.path, SPACE, {}, ACCURACY, KEEP)
    project.release()
    assert "The score of trial 1 is not what its history says" in "".join(before.notes)
    assert "1" not in {event.trial for event in before.ended}


def test_a_log_without_its_end_costs_nothing(tmp_path):
    whole = train(tmp_path)
    file = tmp_path / "search" / "events.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    project = Project.open(tmp_path, "search", FINGERPRINT, fresh=False)
    before = earlier(project.path, SPACE, {}, ACCURACY, KEEP)
    project.release()
    assert len(before.ended) == len(SPACE)
    assert "which the folders of the trials still had" in "".join(before.notes)
    assert train(tmp_path).ranking == whole.ranking


def test_a_provisional_score_is_checked_as_a_finished_one(tmp_path):
    train(tmp_path)
    project = Project.open(tmp_path, "search", FINGERPRINT, fresh=False)
    wrong = TrialEnded("1", STOPPED, 0.99, 1, {"val_accuracy": [0.1]})
    log.Log(project.path).add(wrong, TrialEnded("2", STOPPED, 0.5, 2, {"val_accuracy": [0.1, 0.5]}))
    before = earlier(project.path, SPACE, {}, ACCURACY, KEEP)
    project.release()
    assert "The score of trial 1 is not what its history says" in "".join(before.notes)
    assert {event.trial: event.status for event in before.ended}["2"] == STOPPED
    assert "1" not in {event.trial for event in before.ended}
    progress = train(tmp_path)
    assert (progress.coverage.stopped, progress.best.id, progress.best.provisional) == (1, "2", True)


def reopened(folder):
    """The project as the next run finds it, and what is left of it."""
    project = Project.open(folder, "search", FINGERPRINT, fresh=False)
    project.release()
    return project, earlier(project.path, SPACE, {}, ACCURACY, KEEP)


@pytest.mark.parametrize("name", ["nbtune.json", "nbtune-copy.json"])
@pytest.mark.parametrize("kind", [*ODD_FILES, "a flipped digit", "nothing"])
def test_a_header_that_alone_is_damaged_costs_nothing(tmp_path, name, kind):
    train(tmp_path / "projects")
    outside = tmp_path / "outside"
    outside.mkdir()
    path = tmp_path / "projects" / "search" / name
    data = path.read_bytes()
    path.unlink()
    if kind == "a flipped digit":
        path.write_bytes(data.replace(b'"d"', b'"c"'))
    elif kind != "nothing":
        ODD_FILES[kind](path, outside)
    project, before = reopened(tmp_path / "projects")
    assert project.path.name == "search"
    assert len(before.ended) == len(SPACE)
    assert ("its copy is whole" in project.note) == (name == "nbtune.json")
    assert not list(outside.iterdir())
    assert not reopened(tmp_path / "projects")[0].note, "it is whole again"


def test_a_header_and_its_copy_that_are_damaged_are_named(tmp_path):
    train(tmp_path)
    for name in ("nbtune.json", "nbtune-copy.json"):
        (tmp_path / "search" / name).write_bytes(b"{")
    project, _ = reopened(tmp_path)
    assert project.path.name == "search-2"
    assert "has a damaged nbtune.json" in project.note


@pytest.mark.parametrize("kind", ODD_FILES)
@pytest.mark.parametrize("name", ["trial_5/checkpoint.weights.h5", "trial_5/trial.json", "trial_5/outcome.jsonl", "trial_5"])
def test_what_stands_in_the_place_of_a_trials_file_costs_that_trial_at_most(tmp_path, name, kind):
    whole = train(tmp_path / "projects")
    outside = tmp_path / "outside"
    outside.mkdir()
    path = tmp_path / "projects" / "search" / name
    path.rename(tmp_path / "was")
    ODD_FILES[kind](path, outside)
    _, before = reopened(tmp_path / "projects")
    hurt = name.endswith((".h5", "_5"))
    assert {event.trial for event in before.ended} == {"0", "1", "2", "3", "4", "5"} - ({"5"} if hurt else set())
    assert ("trial_5" in "".join(before.notes)) == hurt
    again = train(tmp_path / "projects")
    assert again.ranking == whole.ranking
    if hurt:
        assert not path.is_symlink()
        assert path.is_dir() == (name == "trial_5")
    assert not reopened(tmp_path / "projects")[1].notes
    assert not list(outside.iterdir())
