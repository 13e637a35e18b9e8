from dataclasses import replace

import pytest

from nbtune.errors import UsageError
from nbtune.views.figures.plots import plot
from nbtune.views.figures.size import size_info
from nbtune.views.table import columns, rows

from ..conftest import done, product, search

UNITS = product(units=[8, 64, 16])


def of_size(trial, score, size, scores=()):
    return replace(done(trial, score), size=size, scores=list(scores))


def test_networks_stand_in_order_of_size_with_both_scores():
    progress = search(UNITS, events=[of_size("0", 0.8, 90), of_size("1", 0.7, 700), of_size("2", 0.9, 200)])
    info = size_info(progress)
    assert [(point.weights, point.score) for point in info.points] == [(90, 0.8), (200, 0.9), (700, 0.7)]
    assert [point.training for point in info.points] == pytest.approx([0.81, 0.91, 0.71]), "in the best epoch"
    assert info.best.weights == 200
    assert info.note == "best: 200 weights, 0.9000"
    assert plot(progress, "size")._repr_png_()[:4] == b"\x89PNG"


def test_the_smallest_that_cannot_be_told_from_the_best_is_named():
    scores = [[0.89, 0.9, 0.92], [0.88, 0.91, 0.93], [0.5, 0.51, 0.52]]
    events = [of_size(str(i), sum(s) / 3, size, s) for i, (s, size) in enumerate(zip(scores, (90, 700, 20), strict=True))]
    assert "smallest not significantly different from it: 90 weights" in size_info(search(UNITS, events=events)).note


def test_a_loss_on_the_training_data_has_one_score():
    progress = search(UNITS, "loss", [of_size("0", 0.8, 90), of_size("1", 0.7, 700)])
    assert [point.training for point in size_info(progress).points] == [None, None]


def test_one_network_has_no_plot():
    with pytest.raises(UsageError, match="two combinations"):
        size_info(search(UNITS, events=[of_size("0", 0.8, 90), done("1", 0.5)]))


def test_the_table_has_the_weights_where_their_number_differs():
    two = search(UNITS, events=[of_size("0", 0.8, 90), of_size("1", 0.7, 7000)])
    at = [column.name for column in columns(two)].index("weights")
    assert [row[at] for row in rows(two)] == ["90", "7,000"]
    same = search(UNITS, events=[of_size("0", 0.8, 90), of_size("1", 0.7, 90)])
    assert "weights" not in [column.name for column in columns(same)]
