"""What past searches say of how long stacks take on this machine."""

import json

import pytest

from nbtune.ask.objective import Objective
from nbtune.record.events import EpochEnded, StateChanged, TrialEnded, TrialStarted
from nbtune.record.pace import FILE, OPERATIONS_A_SECOND, Pace
from nbtune.record.progress import Progress, Unit


def trained(folder, seconds, kind="a", epochs=10, end="done", stacks=1):
    """Learns from stacks of two that by the costs take 4 s to make and 6 s for all of ten epochs, and take `seconds`."""
    pace = Pace(folder)
    progress = Progress([{"units": i} for i in range(2 * stacks)], Objective("val_loss", "min"), 10, 1)
    expected = [pace.seconds(n * OPERATIONS_A_SECOND, kind) for n in (4, 6)]
    progress.units = tuple(Unit((f"{2 * i}", f"{2 * i + 1}"), *expected, kind) for i in range(stacks))
    progress.apply(StateChanged("running", 100.0))
    for unit in progress.units:
        for trial in unit.trials:
            progress.apply(TrialStarted(trial, 101.0))  # after a second in which it was built
        for trial in unit.trials:
            progress.apply(EpochEnded(trial, 1, {"val_loss": 1.0}, 100.0 + seconds))
            progress.apply(TrialEnded(trial, end, 1.0, 1, {"val_loss": [1.0] * epochs}, 1.0))
    pace.learn(progress)


def test_a_machine_that_nothing_is_known_of_is_that_of_the_costs(tmp_path):
    assert Pace(tmp_path).seconds(OPERATIONS_A_SECOND, "a") == 1


def test_a_kind_takes_as_long_as_it_took_in_the_search_before_and_another_as_long_as_most(tmp_path):
    trained(tmp_path, 30.0)
    trained(tmp_path, 10.0, "b")
    trained(tmp_path, 20.0, "c", epochs=5)  # 7 s by the costs
    known = Pace(tmp_path)
    assert known.seconds(OPERATIONS_A_SECOND, "a") == pytest.approx(3.0)
    assert known.seconds(OPERATIONS_A_SECOND, "d") == pytest.approx(20 / 7)


def test_several_stacks_of_a_kind_count_together(tmp_path):
    trained(tmp_path, 10.0, stacks=3)
    trained(tmp_path, 40.0, stacks=3)
    assert Pace(tmp_path).seconds(OPERATIONS_A_SECOND, "a") == pytest.approx(2.0)


def test_what_did_not_train_to_its_end_says_nothing(tmp_path):
    trained(tmp_path, 30.0, end="stopped")
    assert Pace(tmp_path).seconds(OPERATIONS_A_SECOND, "a") == 1


def test_a_search_moves_what_is_known_half_of_the_way(tmp_path):
    trained(tmp_path, 40.0)
    trained(tmp_path, 10.0)
    assert Pace(tmp_path).seconds(OPERATIONS_A_SECOND, "a") == pytest.approx(2.0)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"a": "fast", "b": -1.0, "c": 1e300, "d": None})])
def test_a_damaged_file_is_as_none(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert Pace(tmp_path).seconds(OPERATIONS_A_SECOND, "a") == 1
    trained(tmp_path, 30.0)
    assert Pace(tmp_path).seconds(OPERATIONS_A_SECOND, "a") == pytest.approx(3.0)


def test_a_folder_that_cannot_be_written_is_no_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    trained(tmp_path / "file", 30.0)
