import math

import numpy as np
import pytest

from nbtune.record.rates import RateRange

RATES = np.geomspace(1e-6, 1, 25)


def loss_of_gradient_descent(rate, curvature=20.0, steps=100):
    """On `curvature / 2 · w²` from w = 1: it converges below 2 / curvature, fastest at 1 / curvature, and diverges above."""
    return curvature / 2 * (1 - rate * curvature) ** (2 * steps)


def test_on_a_quadratic_the_bounds_are_where_theory_has_them():
    found = RateRange.of(RATES, [loss_of_gradient_descent(rate) for rate in RATES])
    assert found.best == min(RATES, key=lambda rate: abs(rate - 1 / 20))
    assert found.diverging == min(rate for rate in RATES if rate > 2 / 20)
    assert 1e-4 < found.steepest < found.best


def test_rates_come_in_any_order_and_what_is_not_finite_diverges():
    rates, losses = [1.0, 0.01, 0.001, 0.1, 1e-4], [math.nan, 0.5, 0.9, 0.2, 1.0]
    found = RateRange.of(rates, losses)
    assert found.rates == (1e-4, 0.001, 0.01, 0.1, 1.0)
    assert (found.best, found.diverging) == (0.1, 1.0)
    assert found.suggestion == "--learning-rate 0.01,0.03,0.1"


def test_the_suggestion_keeps_away_from_divergence():
    found = RateRange.of([1e-4, 1e-3, 1e-2, 1.1e-2], [1.0, 0.9, 0.1, 3.0])
    assert max(float(rate) for rate in found.suggestion.split(" ")[1].split(",")) <= 1.1e-2 / 2


def test_where_nothing_diverges_it_says_so():
    found = RateRange.of([1e-4, 1e-3, 1e-2], [1.0, 0.9, 0.8])
    assert found.diverging is None
    assert "none of these rates diverges" in str(found)


def test_too_few_losses_are_an_error():
    with pytest.raises(ValueError, match="fewer than three"):
        RateRange.of([1, 2, 3], [1.0, math.nan, math.nan])
