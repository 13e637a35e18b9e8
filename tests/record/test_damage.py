"""Projects that are damaged at random: what can be read is used, the rest is trained again, and nothing outside is touched."""

from __future__ import annotations

import json

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtune.ask.objective import Objective
from nbtune.ask.space import Axis, Space
from nbtune.record import files
from nbtune.record.events import DONE, TrialEnded, TrialStarted
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
    weights.parent.mkdir(exist_ok=True)
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
