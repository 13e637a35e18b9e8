import math

from matplotlib.figure import Figure

from nbtune.record.events import DIVERGED, DONE, EpochEnded, StateChanged, TrialEnded, TrialStarted
from nbtune.views.figures.curves import curves_info, draw_curves

from ..conftest import done, product, search


def test_best_and_running_are_highlighted_and_the_best_comes_last(fifty_four):
    info = curves_info(fifty_four)
    lit = [curve for curve in info.curves if curve.highlighted]
    assert [(curve.status, curve.role) for curve in lit] == [
        ("running", "running-1"),
        ("running", "running-2"),
        (DONE, "best-3"),
        (DONE, "best-2"),
        (DONE, "best-1"),
    ]
    assert info.curves[-1].trial == fifty_four.best.id
    assert [key.role for key in info.keys] == ["best-1", "best-2", "best-3", "running-1", "running-2"]


def test_a_trial_under_way_can_lead():
    events = [TrialStarted("0", 0), EpochEnded("0", 1, {"val_accuracy": 0.95}), done("1", 0.9)]
    info = curves_info(search(product(units=[1, 2, 3]), events=events))
    assert [(key.role, key.score) for key in info.keys] == [("best-1", "0.9500 so far"), ("best-2", "0.9000")]


def test_a_curve_has_epochs_from_one_and_its_best_epoch(fifty_four):
    best = curves_info(fifty_four).curves[-1]
    assert [epoch for epoch, _ in best.points] == [1, 2, 3, 4, 5]
    assert best.best_epoch == 4
    assert best.values[3] == fifty_four.best.score
    assert len(best.training) == 5


def test_a_key_names_what_differs_among_the_highlighted_curves_only():
    events = [done("0", 0.9), done("1", 0.8)]
    info = curves_info(search(product(layers=[2, 3], units=[16, 32], rate=[0.1]), events=events))
    assert [key.values for key in info.keys] == [("units 16",), ("units 32",)]
    assert info.shared == ("layers 2", "rate 0.1")


def test_faint_curves_are_capped(two_thousand):
    info = curves_info(two_thousand, most=100)
    faint = sum(not curve.highlighted for curve in info.curves)
    assert 50 < faint <= 100
    begun = sum("val_accuracy" in trial.history for trial in two_thousand.trials)
    assert faint + info.left_out + 5 == begun


def test_infinite_values_become_gaps_and_do_not_stretch_the_scale():
    history = {"val_accuracy": [0.5, math.inf, math.nan]}
    events = [StateChanged("running", 0), TrialEnded("0", DIVERGED, history=history), done("1", 0.9)]
    info = curves_info(search(product(units=[1, 2]), events=events))
    assert math.isnan(info.curves[0].values[1])
    assert all(map(math.isfinite, info.limits))


def test_losses_over_several_decades_are_logarithmic():
    history = {"val_loss": [100.0, 10.0, 1.0, 0.1, 0.01]}
    info = curves_info(search(product(units=[1]), "val_loss", [TrialEnded("0", DONE, 0.01, 5, history)]))
    assert info.log


def test_an_objective_on_the_training_data_has_one_curve():
    info = curves_info(search(product(units=[1]), "accuracy", [done("0", 0.9)]))
    assert info.curves[0].training == ()


def test_drawing_needs_no_trial(untouched):
    figure = Figure()
    draw_curves(curves_info(untouched), figure)
    assert "waiting for the first epoch" in [text.get_text() for axes in figure.axes for text in axes.texts]


def test_where_names_have_no_room_they_stand_once_above_the_values():
    axes = {"layers": [1, 2], "units": [16, 32], "activation": ["relu", "sigmoid"], "rate": [0.1]}
    figure = Figure(figsize=(4.8, 4))
    draw_curves(curves_info(search(product(**axes), events=[done("0", 0.9), done("3", 0.8), done("5", 0.7)])), figure)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "layers · units · activation · all with rate 0.1" in texts
    assert {"0.9000  1 · 16 · relu", "0.8000  1 · 32 · sigmoid", "0.7000  2 · 16 · sigmoid"} <= set(texts)
