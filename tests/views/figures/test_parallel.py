from nbtune.views.figures import parallel
from nbtune.views.figures.parallel import parallel_info

from ..conftest import done, product, search


def test_a_line_leads_through_its_values_and_the_best_comes_last():
    events = [done(str(i), score) for i, score in enumerate([0.4, 0.9, 0.6, 0.5])]
    info = parallel_info(search(product(layers=[1, 2], act=["relu", "tanh"]), events=events))
    assert [(side.name, side.values) for side in info.sides] == [("layers", ("1", "2")), ("act", ("relu", "tanh"))]
    assert [line.rank for line in info.lines] == [4, 3, 2, 1]
    best = info.lines[-1]
    assert (best.trial, best.places, best.score) == ("1", (0, 1), 0.9)


def test_lines_are_capped_and_the_weakest_left_out(two_thousand, monkeypatch):
    monkeypatch.setattr(parallel, "MOST_LINES", 100)
    info = parallel_info(two_thousand)
    assert len(info.lines) == 100
    assert info.left_out == len(two_thousand.ranking) - 100
    assert info.lines[-1].trial == two_thousand.best.id
