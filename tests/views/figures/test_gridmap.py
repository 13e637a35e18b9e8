import itertools

import pytest
from matplotlib.figure import Figure

from nbtune.record.events import TrialEnded
from nbtune.views.figures.gridmap import draw_grid, grid_info
from nbtune.views.figures.maplayout import layout

from ..conftest import done, product, search


def conditional(layers):
    """As many `units_i` as there are layers, and two other axes."""
    rest = product(activation=["relu", "tanh"], learning_rate=[0.01, 0.001])
    for n in range(1, layers + 1):
        for units in itertools.product([16, 32, 64], repeat=n):
            yield from ({"layers": n, **{f"units_{i}": u for i, u in enumerate(units)}, **others} for others in rest)


def test_two_axes_are_sides_and_the_others_small_multiples(fifty_four):
    info = grid_info(fifty_four)
    assert (info.y.name, info.x.name) == ("layers", "units")
    assert info.x.values == ("16", "32", "64")
    assert info.facet_names == ("learning_rate", "loss")
    assert len(info.facets) == 6
    assert info.over == ()


def test_every_trial_has_one_cell(fifty_four):
    info = grid_info(fifty_four)
    assert len(info.cells) == len({(c.column, c.row, c.facet) for c in info.cells}) == 54
    assert info.counts == {"done": 28, "failed": 4, "diverged": 4, "stopped": 4, "running": 2, "pending": 12}
    assert [cell.score for cell in info.cells if cell.best] == [fifty_four.best.score]


def test_a_cell_is_where_its_values_are(fifty_four):
    info = grid_info(fifty_four)
    trial, cell = fifty_four.trials[40], info.cells[40]
    assert info.y.values[cell.row] == str(trial.values["layers"])
    assert info.x.values[cell.column] == str(trial.values["units"])
    assert info.facets[cell.facet] == (f"{trial.values['learning_rate']:g}", trial.values["loss"])
    assert cell.status == "running"


def test_numbers_are_in_order_and_words_as_given():
    info = grid_info(search(product(rate=[0.1, 0.001, 0.01], kind=["z", "a", "m"])))
    sides = {side.name: side.values for side in (info.x, info.y)}
    assert sides == {"rate": ("0.001", "0.01", "0.1"), "kind": ("z", "a", "m")}


def test_long_words_stand_at_the_left():
    info = grid_info(search(product(init=["glorot_uniform", "he_normal"], optimizer=["adam", "sgd"])))
    assert (info.y.name, info.x.name) == ("init", "optimizer")


@pytest.mark.parametrize(
    "axes", [{}, {"units": [8]}, {"units": [8, 16]}, {"a": [1, 2], "b": [1, 2], "c": [1, 2], "d": [1, 2], "e": [1, 2]}]
)
def test_any_number_of_axes(axes):
    progress = search(product(**axes), events=[done("0" * len(str(2 ** len(axes))), 0.9)] if len(axes) < 4 else [])
    info = grid_info(progress)
    assert len(info.cells) == len(progress.trials)
    draw_grid(info, Figure())


def test_combinations_that_do_not_exist_stay_blank():
    info = grid_info(search(list(conditional(2))))
    assert len(info.cells) == 48 < len(info.x.values) * len(info.y.values) * len(info.facets)
    assert any("–" in facet for facet in info.facets)


def test_many_axes_fall_back_to_the_best_over_the_rest():
    combinations = list(conditional(4))
    best, other = str(len(combinations) - 1), str(len(combinations) - 2)
    info = grid_info(search(combinations, events=[done(best, 0.9), done(other, 0.5)]))
    assert len(info.facets) == 1
    assert set(info.over) == {"activation", "learning_rate", "units_1", "units_2", "units_3"}
    assert sum(cell.trials for cell in info.cells) == len(combinations)
    cell = next(cell for cell in info.cells if cell.best)
    assert (cell.score, cell.status) == (0.9, "done")


def test_one_hopeless_trial_does_not_flatten_the_colours():
    events = [done(f"{i:02d}", 0.95 + 0.001 * i) for i in range(11)] + [done("11", 0.1)]
    info = grid_info(search(product(a=[1, 2, 3], b=[1, 2, 3, 4]), events=events))
    assert info.clipped
    assert info.limits[0] > 0.9


@pytest.mark.parametrize("name", ["fifty_four", "two_thousand"])
def test_everything_lies_inside_the_figure(name, request):
    info = grid_info(request.getfixturevalue(name))
    places = layout(info, 360, 331)
    corners = [places.corner(cell) for cell in info.cells]
    assert len(set(corners)) == len(corners)
    assert min(x for x, _ in corners) > 0
    assert max(x for x, _ in corners) + places.cell[0] < 360
    assert min(y for _, y in corners) > 0
    assert max(y for _, y in corners) + places.cell[1] < 331


def test_dollar_signs_are_text():
    draw_grid(grid_info(search(product(cost=["$1", "$2"]), events=[done("0", 0.9)])), Figure())


def test_repeats_are_on_the_map():
    scores = [[0.95, 0.97, 0.99], [0.94, 0.96, 0.98], [0.70, 0.71, 0.72]]
    ends = [TrialEnded(str(i), "done", s[1], 1, {"val_accuracy": [s[1]]}, scores=s) for i, s in enumerate(scores)]
    cells = grid_info(search(product(units=[8, 16, 32]), events=ends)).cells
    assert [(round(cell.std, 3), cell.best, cell.tie) for cell in cells] == [
        (0.02, True, False),
        (0.02, False, True),
        (0.01, False, False),
    ]
