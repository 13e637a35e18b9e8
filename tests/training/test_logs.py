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
def test_what_is_no_number_is_left_out_and_named(value):
    with pytest.warns(UserWarning, match=f"leaves 'note' out, .* logs as a {type(value).__name__}: only numbers"):
        assert scalars({"note": value, "loss": 0.5}) == {"loss": 0.5}


def test_so_is_a_list_that_grows():
    with pytest.warns(UserWarning, match="leaves 'so_far' out"):
        assert histories({"loss": [0.5, 0.25], "so_far": [[1.0], [1.0, 2.0]]}) == {"loss": [0.5, 0.25]}


def test_so_is_a_whole_array():
    assert len(scalars({"matrix": np.zeros((100, 100))})) == MOST
    with pytest.warns(UserWarning, match="leaves 'matrix' out, .* logs as 10,100 numbers: no more than 10,000"):
        assert scalars({"matrix": np.zeros((100, 101))}) == {}
