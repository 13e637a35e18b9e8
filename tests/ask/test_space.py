"""Axes and grids, against `itertools.product`."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtune.ask.space import Axis, Grid, Space
from nbtune.errors import UsageError


def axes_of(sizes):
    return [Axis.of(f"a{i}", [10 * i + j for j in range(size)]) for i, size in enumerate(sizes)]


def product_of(axes):
    return [
        dict(zip([axis.name for axis in axes], values, strict=True))
        for values in itertools.product(*(axis.values for axis in axes))
    ]


sizes = st.lists(st.integers(1, 4), max_size=5)


# ---- grids


@given(sizes)
def test_a_grid_is_the_product_in_its_order(sizes):
    axes = axes_of(sizes)
    expected = product_of(axes)
    assert list(Grid(axes)) == expected
    assert len(Grid(axes)) == len(expected)


@given(sizes, st.data())
def test_a_grid_is_indexed_as_a_list_is(sizes, data):
    axes = axes_of(sizes)
    expected, grid = product_of(axes), Grid(axes)
    i = data.draw(st.integers(-len(expected), len(expected) - 1))
    assert grid[i] == expected[i]
    assert list(grid[i]) == [axis.name for axis in axes]
    part = data.draw(st.slices(len(expected)))
    assert grid[part] == expected[part]


@given(sizes, st.integers(0, 3))
def test_a_grid_ends_where_it_ends(sizes, beyond):
    grid = Grid(axes_of(sizes))
    with pytest.raises(IndexError):
        grid[len(grid) + beyond]
    with pytest.raises(IndexError):
        grid[-len(grid) - 1 - beyond]


def test_a_large_grid_is_not_stored():
    grid = Grid([Axis.of(f"a{i}", range(1000)) for i in range(4)])
    assert len(grid) == 10**12
    assert grid[-1] == {f"a{i}": 999 for i in range(4)}
    assert grid[123_456_789_012] == {"a0": 123, "a1": 456, "a2": 789, "a3": 12}


def test_a_grid_without_axes_has_the_one_combination_of_nothing():
    assert list(Grid([])) == [{}]


# ---- axes


@pytest.mark.parametrize(
    ("given", "values", "kind"),
    [
        ([1, 2, 3], (1, 2, 3), int),
        ((0.1, 0.2), (0.1, 0.2), float),
        (range(1, 4), (1, 2, 3), int),
        (np.array([16, 32]), (16, 32), int),
        (np.geomspace(1, 100, 3), (1.0, 10.0, 100.0), float),
        ([np.int64(3), np.int8(4)], (3, 4), int),
        ([np.float64(0.5), np.float32(0.25)], (0.5, 0.25), float),
        (np.array([True, False]), (True, False), bool),
        (np.array(["relu", "tanh"]), ("relu", "tanh"), str),
        (pd.Series([8, 16]), (8, 16), int),
        ((n for n in (1, 2)), (1, 2), int),
        ([1, 0.5], (1.0, 0.5), float),
        (16, (16,), int),
        (np.int64(16), (16,), int),
        (np.array(16), (16,), int),
        (0.1, (0.1,), float),
        ("relu", ("relu",), str),
        (True, (True,), bool),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_become_plain_python_values_of_one_kind(given, values, kind):
    axis = Axis.of("a", given)
    assert axis.values == values
    assert all(type(value) is kind for value in axis.values)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "no values"),
        ([1, "relu"], "mixes whole numbers and text"),
        ([True, 2], "mixes True or False and whole numbers"),
        ([0.1, "relu", True], "mixes"),
        ([16, 32, 16], "16 twice"),
        ([1, 1.0], "twice"),
        (["relu", "relu"], "'relu' twice"),
        ([0.0, -0.0], "twice"),
        ([float("nan")], "not a finite number"),
        ([1.0, float("inf")], "not a finite number"),
        ([None, None], "'None' twice"),
        ([None, 1, 1], "'1' twice"),
        ([[1, 2], [3]], "cannot be a value"),
        ([{"a": 1}], "cannot be a value"),
        ([10**400, 0.5], "finite"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_values_that_make_no_axis_are_a_mistake_in_one_line(given, words):
    with pytest.raises(UsageError, match=words) as error:
        Axis.of("rate", given)
    assert "rate" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_functions_stand_in_the_grid_by_their_names():
    def swish(x):
        return x

    def square(x):
        return x * x

    axis = Axis.of("activation", [swish, square, "relu"])
    assert axis.values == ("swish", "square", "relu")
    assert axis.objects == {"swish": swish, "square": square}


@pytest.mark.parametrize("given", [[None, "batch"], [None, 0.1, 0.5], [None, 3, 4], [True, False, None]], ids=str)
def test_none_is_none_and_not_a_text(given):
    axis = Axis.of("norm", given)
    assert [axis.objects.get(value, value) for value in axis.values] == given
    assert {type(value) for value in axis.values} == {str}, "a KerasTuner Choice holds one kind, and no None"


def test_things_of_one_name_are_told_apart():
    first, second = (lambda x: x), (lambda x: x * x)
    axis = Axis.of("activation", [first, second])
    assert len(set(axis.values)) == 2
    assert [axis.objects[name] for name in axis.values] == [first, second]


def test_an_object_without_a_name_stands_by_its_class():
    class Schedule:
        pass

    schedule = Schedule()
    axis = Axis.of("learning_rate", schedule)
    assert axis.values == ("Schedule",)
    assert axis.objects["Schedule"] is schedule


# ---- spaces


def test_a_product_space_is_its_grid():
    space = Space.product(axes_of([2, 3]))
    assert list(space) == product_of(space.axes)
    assert len(space) == 6
    assert space.is_product


def test_a_listed_space_finds_the_values_of_each_name_in_order():
    combinations = [
        {"layers": 1, "u0": 8},
        {"layers": 1, "u0": 4},
        {"layers": 2, "u0": 8, "u1": 16},
        {"layers": 2, "u0": 4, "u1": 16},
    ]
    space = Space.listed(combinations, [])
    assert list(space) == combinations
    assert {axis.name: axis.values for axis in space.axes} == {"layers": (1, 2), "u0": (8, 4), "u1": (16,)}
    assert list(space.axes[0].values) == [1, 2]


def test_a_listed_space_with_a_closed_scope_is_no_product():
    closed = Space.listed([{"a": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 2}], [])
    assert not closed.is_product
    full = Space.listed([{"a": a, "b": b} for a in (1, 2) for b in (3, 4)], [])
    assert full.is_product


@given(sizes)
def test_keras_tuner_is_told_every_axis_and_its_values(sizes):
    space = Space.product(axes_of(sizes))
    told = space.hyperparameters({"a0": 1})
    assert [(hp["config"]["name"], hp["config"]["values"]) for hp in told["space"]] == [
        (axis.name, list(axis.values)) for axis in space.axes
    ]
    assert told["values"] == {"a0": 1}
