"""What Keras logs, as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from nbtune.training.logs import MOST, histories, scalars


def test_a_metric_of_several_numbers_becomes_several():
    assert scalars({"loss": np.float32(0.5), "f1": np.array([0.25, 0.75])}) == {"loss": 0.5, "f1_0": 0.25, "f1_1": 0.75}
    assert scalars({"f1": [0.25, 0.75]}) == {"f1_0": 0.25, "f1_1": 0.75}, "whatever a callback has them in"
    assert histories({"loss": [0.5, 0.25], "f1": [np.array([0, 1]), np.array([2, 3])]}) == {
        "loss": [0.5, 0.25],
        "f1_0": [0, 2],
        "f1_1": [1, 3],
    }


@pytest.mark.parametrize("value", ["best", object(), {"a": 1}], ids=lambda value: type(value).__name__)
def test_what_is_no_number_is_named(value):
    with pytest.raises(ValueError, match=f"logs 'val_loss' as a {type(value).__name__}; only numbers"):
        scalars({"val_loss": value})


def test_a_whole_array_is_refused():
    assert len(scalars({"matrix": np.zeros((100, 100))})) == MOST
    with pytest.raises(ValueError, match="logs 10,100 numbers as 'matrix'; more than 10,000"):
        scalars({"matrix": np.zeros((100, 101))})
