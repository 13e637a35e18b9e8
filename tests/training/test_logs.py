"""What Keras logs, as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from nbtune.training.logs import scalars


def test_a_metric_of_several_numbers_becomes_several():
    assert scalars({"loss": np.float32(0.5), "f1": np.array([0.25, 0.75])}) == {"loss": 0.5, "f1_0": 0.25, "f1_1": 0.75}
    assert scalars({"loss": [0.5, 0.25]}) == {"loss": [0.5, 0.25]}


@pytest.mark.parametrize("value", ["best", object(), {"a": 1}], ids=lambda value: type(value).__name__)
def test_what_is_no_number_is_named(value):
    with pytest.raises(ValueError, match=f"logs 'val_loss' as a {type(value).__name__}; only numbers"):
        scalars({"val_loss": value})
