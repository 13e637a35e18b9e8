"""Where the callbacks of a trial write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest

from nbtune import tune
from nbtune.training.callbacks import made_callbacks


@dataclass
class Asked:
    """As much of a job as is read here."""

    callbacks: Any

    def resolved(self, values):
        return values


def made(callback, folder):
    (found,) = made_callbacks(Asked(lambda: callback), {}, folder)
    return found


def test_paths_made_of_a_relative_one_go_below_the_folder_of_the_trial(tmp_path):
    found = made(keras.callbacks.BackupAndRestore("backup"), tmp_path)
    assert found.backup_dir == str(tmp_path / "backup")
    assert found._weights_path == str(tmp_path / "backup" / "latest.weights.h5")


@pytest.mark.parametrize("path", [".", "logs"])
def test_other_texts_stay(tmp_path, path):
    found = made(keras.callbacks.TensorBoard(path, update_freq="epoch"), tmp_path)
    assert (found.log_dir, found.update_freq) == (str(tmp_path / path), "epoch")


def test_absolute_paths_stay(tmp_path):
    assert made(keras.callbacks.CSVLogger(str(tmp_path / "log.csv")), tmp_path / "trial").filename == str(tmp_path / "log.csv")


def test_trials_do_not_go_on_from_each_others_backups(tmp_path):
    shared = tmp_path / "backup"
    found = made(keras.callbacks.BackupAndRestore(str(shared)), tmp_path / "trial")
    assert found.backup_dir == str(tmp_path / "trial" / "backup")
    assert found._training_metadata_path == str(tmp_path / "trial" / "backup" / "training_metadata.json")


def test_a_backup_of_a_killed_worker_is_not_gone_on_from(tmp_path):
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "training_metadata.json").write_text('{"epoch": 3}')
    made(keras.callbacks.BackupAndRestore("backup"), tmp_path)
    assert not (tmp_path / "backup").exists()


def test_a_trial_with_backups_trains_as_without(here):
    x, y = np.linspace(-1, 1, 40).reshape(20, 2), np.arange(20) % 2

    def build(units):
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units), keras.layers.Dense(2, activation="softmax")])

    backups = lambda values: [keras.callbacks.BackupAndRestore("backup")]  # noqa: E731
    plain, backed = (
        tune(build, (x, y), units=[3], epochs=2, workers=0, engine="trial", callbacks=own, dir=f"{here}/{own is None}")
        for own in (None, backups)
    )
    assert backed.trials[0].history == plain.trials[0].history
