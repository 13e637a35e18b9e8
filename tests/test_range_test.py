"""The range test on a problem whose answer is known: linear regression by gradient descent."""

import keras
import numpy as np
import pytest

import nbtune
from nbtune.errors import UsageError


def linear():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile("sgd", "mean_squared_error")
    return model


def test_it_diverges_where_the_largest_curvature_says(tmp_path):
    draws = np.random.default_rng(0)
    x = draws.normal(size=(64, 2)).astype("float32") * [1, 3]
    y = (x @ [1.0, -2.0])[:, None]
    curvature = np.linalg.eigvalsh(2 * x.T @ x / len(x)).max()
    found = nbtune.lr_range(
        linear, (x, y), validation_split=0, batch_size=[64], low=1e-4, high=1, points=17, epochs=40, workers=1, dir=str(tmp_path)
    )
    result = found.result
    assert result.best < 2 / curvature < result.diverging
    assert result.diverging == min(rate for rate in result.rates if rate > 2 / curvature)
    assert found._repr_png_()[:4] == b"\x89PNG"
    assert "--learning-rate" in str(found)


@pytest.mark.parametrize("terms", [{"low": 0}, {"low": 1, "high": 0.1}, {"points": 2}])
def test_a_range_that_is_none_is_refused(terms):
    with pytest.raises(UsageError, match="5 rates or more"):
        nbtune.lr_range(linear, (np.zeros((4, 2)), np.zeros(4)), **terms)


def test_another_axis_of_several_values_is_refused_before_anything_trains(tmp_path):
    with pytest.raises(UsageError, match="a single value of units, like 8"):
        nbtune.lr_range(wide, (np.zeros((4, 2)), np.zeros(4)), units=[4, 8], dir=str(tmp_path))


def wide(units, dropout):
    layers = keras.layers
    model = keras.Sequential([keras.Input((2,)), layers.Dense(units, "relu"), layers.Dropout(dropout), layers.Dense(1)])
    model.compile("sgd", "mean_squared_error")
    return model


def test_parameters_of_the_function_are_keywords(tmp_path):
    draws = np.random.default_rng(0)
    x = draws.normal(size=(64, 2)).astype("float32")
    found = nbtune.lr_range(wide, (x, x[:, 0]), units=[4], dropout=[0.1], points=5, workers=0, dir=str(tmp_path))
    assert {trial.values["dropout"] for trial in found.search.trials} == {0.1}
