import numpy as np
import pytest
from scipy.stats import wilcoxon

import nbtune
from nbtune.errors import UsageError
from nbtune.report.compare import comparison
from tests.views.conftest import done, product, search

AXES = {"layers": [1, 2], "units": [8, 16, 32, 64]}


def scored(scores, axes=AXES, objective="val_accuracy"):
    return search(product(**axes), objective, [done(str(i), float(score)) for i, score in enumerate(scores)])


def test_pairs_are_the_combinations_that_both_have_and_the_test_is_wilcoxons():
    draws = np.random.default_rng(0)
    one = draws.random(8)
    two = one + draws.normal(0.1, 0.1, 8)
    found = comparison(("small", "large"), scored(one), scored(two))
    assert len(found.pairs) == 8
    assert found.p == pytest.approx(wilcoxon(two - one).pvalue)
    assert found.wins == (int((two < one).sum()), int((two > one).sum()))
    assert list(found.to_frame().columns) == ["layers", "units", "small", "large", "difference"]
    assert "8 combinations in both" in str(found)
    assert found.plot().axes


def test_other_axes_are_paired_by_what_both_share_and_the_best_stands_for_it():
    one = scored([0.5, 0.6], {"units": [8, 16]})
    two = scored([0.1, 0.7, 0.8, 0.2], {"units": [16, 32], "rate": [1, 2]})
    found = comparison(("a", "b"), one, two)
    assert found.pairs == (({"units": 16}, 0.6, 0.7),)
    assert found.p is None


def test_the_smaller_loss_wins():
    found = comparison(("a", "b"), scored([1, 2], {"units": [1, 2]}, "val_loss"), scored([2, 1], {"units": [1, 2]}, "val_loss"))
    assert found.wins == (1, 1)
    found = comparison(("a", "b"), scored([1, 1], {"units": [1, 2]}, "val_loss"), scored([2, 3], {"units": [1, 2]}, "val_loss"))
    assert found.wins == (2, 0)


def test_mistakes():
    with pytest.raises(UsageError, match="one objective, not val_accuracy and val_loss"):
        comparison(("a", "b"), scored([1]), scored([1], objective="val_loss"))
    with pytest.raises(UsageError, match="two searches, and got int"):
        nbtune.compare(1, 2)
