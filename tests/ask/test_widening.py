"""More values on the axes of a search."""

from __future__ import annotations

import pytest

from nbtune.ask.options import Options
from nbtune.ask.space import Axis
from nbtune.ask.widening import widened
from nbtune.errors import UsageError

GIVEN = Options.of(units=[8, 16], axis={"dropout": [0.0, 0.2], "kind": ["a"]}, fresh=True)


def test_values_are_added_where_the_axis_is():
    found = widened(GIVEN, GIVEN.axes, {"units": 32, "dropout": [0.4, 0.6]})
    assert [(axis.name, axis.values) for axis in found.axes] == [
        ("units", (8, 16, 32)),
        ("dropout", (0.0, 0.2, 0.4, 0.6)),
        ("kind", ("a",)),
    ]
    assert not found.fresh


def test_an_axis_that_only_a_kerastuner_function_knows_becomes_one_of_the_options():
    found = widened(Options.of(), [Axis("width", (4, 8))], {"width": 16})
    assert [(axis.name, axis.values) for axis in found.axes] == [("width", (4, 8, 16))]


def test_none_and_functions_stay_what_they_are():
    given = Options.of(axis={"rate": [None, 0.5]})
    (axis,) = widened(given, given.axes, {"rate": 0.7}).axes
    assert axis.objects == {"None": None, "0.5": 0.5, "0.7": 0.7}


@pytest.mark.parametrize(
    ("values", "words"),
    [({"unit": 3}, "units"), ({"units": 16}, "twice"), ({"units": "many"}, "whole number"), ({"kind": 3}, "mixes")],
)
def test_mistakes(values, words):
    with pytest.raises(UsageError, match=words):
        widened(GIVEN, GIVEN.axes, values)
