import math

import numpy as np
import pytest

from nbtune.views.figures.slices import slices_info

from ..conftest import done, product, search


def test_a_slice_has_the_best_and_the_quartiles_of_each_value():
    scores = {(layers, units): 0.5 + 0.1 * layers + units / 1000 for layers in (1, 2) for units in (8, 16, 32)}
    events = [done(str(i), score) for i, score in enumerate(scores.values())]
    info = slices_info(search(product(layers=[1, 2], units=[8, 16, 32]), events=events))
    layers, units = info.slices
    assert (layers.name, layers.values, layers.counts) == ("layers", ("1", "2"), (3, 3))
    of_one = [score for (layer, _), score in scores.items() if layer == 1]
    assert layers.best[0] == max(of_one)
    assert (layers.low[0], layers.middle[0], layers.high[0]) == pytest.approx(tuple(np.quantile(of_one, [0.25, 0.5, 0.75])))
    assert units.counts == (2, 2, 2)


def test_the_best_of_a_loss_is_the_smallest():
    info = slices_info(search(product(units=[1, 2], rate=[1, 2]), "val_loss", [done(str(i), i + 1.0) for i in range(4)]))
    assert info.slices[0].best == (1.0, 3.0)


def test_a_value_without_a_score_is_a_gap():
    info = slices_info(search(product(units=[1, 2]), events=[done("0", 0.5)]))
    assert info.slices[0].counts == (1, 0)
    assert math.isnan(info.slices[0].best[1])
    assert math.isnan(info.slices[0].middle[1])
