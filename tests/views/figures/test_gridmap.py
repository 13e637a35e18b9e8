import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nbtune.ask.objective import Objective
from nbtune.record.events import EpochEnded, TrialEnded, TrialStarted
from nbtune.record.progress import Progress
from nbtune.views.figures.gridmap import draw_grid, grid_info
from nbtune.views.figures.maplayout import fitted, layout
from nbtune.views.figures.palette import PALETTE

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
    """Read as mathematics, `$…$` would lose its signs, and what is no mathematics would raise while it is rendered."""
    figure = Figure()
    draw_grid(grid_info(search(product(cost=["$\\frac$", "$2"]), events=[done("0", 0.9)])), figure)
    FigureCanvasAgg(figure).draw()
    words = [text for axes in figure.axes for text in axes.texts]
    assert {"$\\frac$", "$2"} <= {text.get_text() for text in words}
    assert not any(text.get_parse_math() for text in words)


def drawn(progress):
    figure = Figure((5, 4.6), 100)
    draw_grid(grid_info(progress), figure)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.buffer_rgba()


def test_a_provisional_score_is_hatched():
    """Same scores, same colours: the hatch is the only difference in a cell beside its mark."""
    under_way = [TrialStarted("0", 0), EpochEnded("0", 1, {"val_accuracy": 0.5}), done("1", 0.9)]
    progress = search(product(units=[1, 2]), events=under_way)
    assert [(cell.score, cell.provisional) for cell in grid_info(progress).cells] == [(0.5, True), (0.9, False)]
    worst = np.array([0x44, 0x01, 0x54])  # of the palette, where the cell of 0.5 is
    hatched = (np.asarray(drawn(progress))[..., :3] == worst).all(-1).sum()
    progress.apply(done("0", 0.5))
    plain = (np.asarray(drawn(progress))[..., :3] == worst).all(-1).sum()
    assert 0.4 * plain < hatched < 0.95 * plain


@pytest.mark.parametrize("shade", PALETTE)
def test_scores_can_be_read_on_every_shade(shade):
    """By WCAG 2.1's formula for contrast, as matplotlib reads the colours: 4.5 is what it asks of small text, 3 of large."""
    light = []
    for color in shade:
        rgb = np.array(to_rgb(color))
        light.append(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])
    assert (max(light) + 0.05) / (min(light) + 0.05) > 3.9


def test_the_palette_is_viridis():
    from matplotlib import colormaps

    ours = np.array([to_rgb(shade.fill) for shade in PALETTE])
    assert np.abs(ours - colormaps["viridis"](np.linspace(0, 1, len(PALETTE)))[:, :3]).max() < 0.07


@pytest.mark.parametrize(("direction", "best"), [("val_accuracy", 0.75), ("val_loss", 0.25)])
def test_the_better_end_is_the_bright_one(direction, best):
    progress = search(product(units=[1, 2]), direction, [TrialEnded(str(i), "done", s, 1) for i, s in enumerate((0.25, 0.75))])
    info = grid_info(progress)
    shades = {cell.score: info.shade(cell) for cell in info.cells}
    assert shades == {best: len(PALETTE) - 1, 1 - best: 0}
    assert info.ends[0] == f"{best:.4f}"


def test_repeats_are_on_the_map():
    scores = [[0.95, 0.97, 0.99], [0.94, 0.96, 0.98], [0.70, 0.71, 0.72]]
    ends = [TrialEnded(str(i), "done", s[1], 1, {"val_accuracy": [s[1]]}, scores=s) for i, s in enumerate(scores)]
    cells = grid_info(search(product(units=[8, 16, 32]), events=ends)).cells
    assert [(round(cell.std, 3), cell.best, cell.tie) for cell in cells] == [
        (0.02, True, False),
        (0.02, False, True),
        (0.01, False, False),
    ]


def test_what_where_leaves_out_is_marked_and_counted():
    grid = [values for values in product(layers=[1, 2], units=[8, 16, 32]) if values["layers"] * values["units"] < 64]
    progress = Progress(grid, Objective.of("val_accuracy"), 10, 2, excluded=1)
    info = grid_info(progress)
    assert [(info.x.values[place.column], info.y.values[place.row]) for place in info.left_out] == [("32", "2")]
    assert info.legend[-1] == ("left-out", "1 excluded")
    assert not grid_info(search(grid)).left_out  # a conditional space has no such combination
    figure = Figure()
    draw_grid(info, figure)


@pytest.mark.parametrize(
    ("most", "expected"), [(20, "learning_rate 0.0001"), (12, "lear… 0.0001"), (9, "l… 0.0001"), (7, "0.0001"), (5, "lea…1")]
)
def test_in_a_narrow_title_the_name_gives_way_and_not_the_value(most, expected):
    assert fitted("learning_rate 0.0001", most) == expected
