from dataclasses import replace

import pytest

from nbtune.errors import UsageError
from nbtune.views.figures.lr import lr_info
from nbtune.views.figures.plots import plot

from ..conftest import done, product, search

KINDS = product(schedule=["constant", "cosine"], learning_rate=[0.1, 0.01], units=[4, 8])


def at_rates(trial, score, rates):
    return replace(done(trial, score), rates=list(rates))


def test_each_course_of_the_rate_is_drawn_once_by_its_best_trial():
    constant, falling = [0.1] * 5, [0.1, 0.09, 0.06, 0.03, 0.01]
    events = [
        at_rates("0", 0.8, constant),
        at_rates("1", 0.9, constant),
        at_rates("4", 0.7, falling),
        at_rates("5", 0.6, falling),
    ]
    progress = search(KINDS, events=events)
    info = lr_info(progress)
    assert [(curve.trial, curve.rates) for curve in info.curves] == [("1", tuple(constant)), ("4", tuple(falling))]
    assert info.log, "a tenth is seen on a log scale"
    assert plot(progress, "lr")._repr_png_()[:4] == b"\x89PNG"


def test_before_any_trial_has_ended_there_is_nothing_to_see():
    with pytest.raises(UsageError, match="no learning rates are known yet"):
        lr_info(search(KINDS))
