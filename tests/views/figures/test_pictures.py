"""Each figure beside a picture of how it looked when somebody found it right (in `baseline/`). After a change that is meant, look
at the new ones and keep them: `pytest tests/views/figures/test_pictures.py --mpl-generate-path tests/views/figures/baseline`.
"""

from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from nbtune.record.predicted import Predicted
from nbtune.record.rates import RateRange
from nbtune.views.figures.judged import judged
from nbtune.views.figures.plots import new_figure, plot
from nbtune.views.figures.rates import draw_rates

from ..conftest import done, product, search

AXES = {"layers": [1, 2, 3], "units": [16, 32, 64], "learning_rate": [0.1, 0.01]}
SAME = 2.0  # root mean square of 255; a line without its markers gives 5
looked_at = pytest.mark.mpl_image_compare(baseline_dir="baseline", tolerance=SAME, style="default")
pytestmark = pytest.mark.skipif(
    not matplotlib.__version__.startswith("3.11."), reason="other releases of matplotlib draw letters otherwise: 13 to 19 of 255"
)


@pytest.fixture
def finished():
    grid = product(**AXES)
    scores = 0.6 + 0.39 * np.random.default_rng(3).random(len(grid))
    return search(grid, events=[_ended(f"{i:02}", score, grid[i]) for i, score in enumerate(scores)])


def _ended(trial, score, values):
    rates = [values["learning_rate"] * 0.8**epoch for epoch in range(5)]
    return replace(done(trial, score), size=values["units"] * 65 * values["layers"], rates=rates)


@looked_at
@pytest.mark.parametrize("kind", ["curves", "grid", "slice", "parallel", "importance", "size", "lr"])
def test_a_finished_search(finished, kind):
    return plot(finished, kind)


@looked_at
@pytest.mark.parametrize("kind", ["curves", "grid"])
def test_half_way(fifty_four, kind):
    return plot(fifty_four, kind)


@looked_at
@pytest.mark.parametrize("kind", ["confusion", "mistakes"])
def test_classes(kind):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 120)
    output = rng.random((120, 4)) + 0.6 * np.eye(4)[y]
    pictures = rng.random((120, 8, 8)).astype("float32")
    return judged(Predicted("units 16", pictures, y, output / output.sum(axis=1, keepdims=True), 4, tuple("abcd")), kind)


@looked_at
def test_numbers():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(90, 1))
    return judged(Predicted("units 16", rng.normal(size=(90, 3)), y, y + 0.3 * rng.normal(size=(90, 1))), "residuals")


@looked_at
def test_a_range_test_of_learning_rates():
    rates = np.geomspace(1e-5, 10, 25)
    losses = np.where(rates < 1, 1.6 - 0.2 * np.log10(rates / 1e-5) / (1 + 0.002 / rates), 2.5 * rates)
    figure = new_figure()
    draw_rates(RateRange.of(rates, losses), figure)
    return figure
