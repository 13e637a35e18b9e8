"""How close two first steps must be, by numbers; `test_other_numbers` has the models."""

from __future__ import annotations

import numpy as np
import pytest

from nbtune.training.fused.first_steps import Steps, difference

GRADIENT = np.array([0.3, -0.2, 1e-9], "float32")


def steps(loss=1.0, weights=(0.01, -0.01, 0.01), momentum=GRADIENT, state=5.0, accuracy=0.5):
    """After Adam's first step, of which the last weight's gradient is rounding."""
    return Steps(
        logs={"loss": loss, "accuracy": accuracy},
        start={"dense/kernel": np.zeros(3, "float32")},
        weights={"dense/kernel": np.array(weights, "float32")},
        slots={"adam/dense_kernel_momentum": np.array(momentum, "float32"), "adam/iteration": np.array(1)},
        state={"norm/mean": np.array(state, "float32")},
    )


@pytest.mark.parametrize(
    "other",
    [
        steps(loss=1.0 + 1e-6),
        steps(momentum=GRADIENT * (1 + 1e-6)),
        steps(weights=(0.01, -0.01, -0.01), momentum=GRADIENT * [1, 1, -1]),  # rounding, of which Adam made a step
        steps(state=5.00001),
        steps(accuracy=0.52),  # one row of fifty
    ],
    ids=["loss", "gradient", "a gradient that is rounding", "state", "a row that tipped over"],
)
def test_rounding_is_no_difference(other):
    assert difference(steps(), other, rows=50) is None


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (steps(loss=1.01), "loss"),
        (steps(loss=float("nan")), "loss"),
        (steps(momentum=GRADIENT * 1.02), "adam/dense_kernel_momentum"),
        (steps(weights=(0.01, -0.005, 0.01)), "dense/kernel"),
        (steps(state=5.1), "norm/mean"),
        (steps(accuracy=0.7), "accuracy"),
    ],
)
def test_what_differs_is_named(other, named):
    assert difference(steps(), other, rows=50) == named


def test_a_loss_that_is_nan_by_both_is_none():
    nan = steps(loss=float("nan"))
    assert difference(nan, nan, rows=50) is None
