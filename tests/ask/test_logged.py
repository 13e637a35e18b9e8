"""What ranks trials where nothing is said."""

from __future__ import annotations

import numpy as np
import pytest

from nbtune.ask.logged import usual_objective
from nbtune.ask.targets import Output, Targets

CLASSES, NUMBERS = np.arange(12) % 3, np.linspace(0, 1, 12)


@pytest.mark.parametrize(
    ("y", "units", "logged", "name"),
    [
        (CLASSES, 3, None, "val_accuracy"),
        (CLASSES, 3, ["loss"], "val_accuracy"),
        (CLASSES, 3, ["loss", "sparse_categorical_accuracy"], "val_sparse_categorical_accuracy"),
        (CLASSES, 3, ["loss", "acc", "accuracy"], "val_accuracy"),
        (NUMBERS, 1, ["loss"], "val_mean_absolute_error"),
        (NUMBERS, 1, ["loss", "mae"], "val_mae"),
        (NUMBERS, 1, ["loss", "mse", "mean_absolute_error"], "val_mean_absolute_error"),
    ],
)
def test_a_metric_that_the_model_logs_is_not_added_by_another_name(y, units, logged, name):
    targets = Targets.of(y, (Output("out", (units,), None),), [], False)
    assert usual_objective(targets, logged).name == name
