"""`--where` and `--sample` on the space, against plain Python over the whole grid."""

from __future__ import annotations

import itertools
import time
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtune.ask.sampling import LISTED
from nbtune.ask.selection import fair_order, select
from nbtune.ask.space import Axis, Space
from nbtune.ask.where import Where
from nbtune.errors import UsageError


def space_of(**axes):
    return Space.product([Axis.of(name, values) for name, values in axes.items()])


def selected(space, where=None, sample=None, seed=0, objects=None):
    return select(space, Where.of(where) if where else None, sample, seed, objects or {})


MIXED = space_of(layers=[1, 2, 3], units=[16, 32, 64, 128], act=["relu", "tanh"], rate=[0.0, 0.5])
LISTED_SPACE = Space.listed([{"a": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 2}, {"a": 3, "b": 1}], [])


@pytest.mark.parametrize(
    "where",
    [
        "layers * units <= 128",
        "units >= 32 and not (layers == 3 or act == 'tanh')",
        "act == 'relu'",
        "units in (16, 64) and rate < 0.1",
        "16 < units <= 64",
        "max(layers, 2) * units % 3 != 1",
        "rate if act == 'relu' else layers > 1",
        "units // layers > 20",
        "True",
    ],
)
def test_where_keeps_what_python_would_in_grid_order(where):
    found = selected(MIXED, where)
    expected = [values for values in MIXED if eval(where, {}, dict(values))]
    assert list(found) == expected
    assert (len(found), found.excluded, found.unsampled) == (len(expected), len(MIXED) - len(expected), 0)
    assert found.axes == MIXED.axes


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 40), st.integers(0, 6), st.integers(0, 3))
@settings(deadline=None)
def test_what_is_left_out_adds_up(sizes, sample, bound, seed):
    space = space_of(**{f"a{i}": range(size) for i, size in enumerate(sizes)})
    found = selected(space, f"a0 + a{len(sizes) - 1} <= {bound}", sample, seed)
    allowed = [values for values in space if values["a0"] + values[f"a{len(sizes) - 1}"] <= bound]
    assert len(found) == min(sample, len(allowed))
    assert len(found) + found.excluded + found.unsampled == len(space)
    assert found.excluded == len(space) - len(allowed)
    numbers = [allowed.index(values) for values in found]
    assert numbers == sorted(set(numbers)), "each once, in grid order"


@pytest.mark.parametrize(("sizes", "count"), [((3, 3, 3, 2), 12), ((5, 4, 10, 3), 60), ((100, 100, 2), 300), ((900, 900), 450)])
def test_each_value_is_sampled_about_equally_often(sizes, count):
    space = space_of(**{f"a{i}": range(size) for i, size in enumerate(sizes)})
    found = list(selected(space, sample=count))
    for i, size in enumerate(sizes):
        times = Counter(values[f"a{i}"] for values in found)
        assert max(times.values()) - min(times.get(v, 0) for v in range(size)) <= 2


def test_a_sample_that_is_widened_keeps_what_it_had():
    small, large = (list(selected(MIXED, "units > 16", n)) for n in (5, 17))
    assert all(values in large for values in small)
    assert list(selected(MIXED, sample=5, seed=1)) != list(selected(MIXED, sample=5, seed=2))
    assert list(selected(MIXED, sample=5)) == list(selected(MIXED, sample=5)), "the same one every time"


def test_every_first_part_of_the_order_of_training_is_a_fair_sample():
    order = list(fair_order(MIXED, iter(range(len(MIXED)))))
    assert sorted(order) == list(range(len(MIXED)))
    for part in range(1, len(order)):
        for axis in MIXED.axes:
            times = Counter(MIXED.combinations[i][axis.name] for i in order[:part])
            assert max(times.values()) - min(times.get(v, 0) for v in axis.values) <= 2


def test_combinations_of_a_keras_tuner_function_are_selected_too():
    assert list(selected(LISTED_SPACE, "a != 2")) == [{"a": 1}, {"a": 3, "b": 1}]
    assert list(selected(LISTED_SPACE, "b == 2")) == [{"a": 1}, {"a": 2, "b": 2}], "without b, there is nothing to compare"
    found = selected(LISTED_SPACE, sample=2)
    assert len(found) == 2
    assert found.unsampled == 2


def test_none_and_numbers_beside_it_are_compared_as_themselves():
    axis = Axis.of("clip", [None, 0.5, 2])
    space = Space.product([axis])
    found = selected(space, "clip is None or clip > 1", objects={"clip": axis.objects})
    assert [axis.objects[values["clip"]] for values in found] == [None, 2]


def test_a_huge_grid_takes_the_time_and_memory_of_its_axes():
    space = space_of(layers=range(1, 201), units=range(1, 1001), rate=[0.1, 0.01], batch=range(200), width=range(1000))
    tracemalloc.start()
    began = time.process_time()
    found = selected(space, "layers * batch <= 1000", 200)
    seconds, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 200
    assert len(found) + found.excluded + found.unsampled == 200 * 1000 * 2 * 200 * 1000
    assert all(values["layers"] * values["batch"] <= 1000 for values in found)
    assert peak < 20e6
    assert seconds < 20  # a second where memory is not watched


def test_few_of_very_many_are_found():
    space = space_of(a=range(1000), b=range(1000))
    assert len(space) > LISTED
    found = list(selected(space, "a + b <= 2", 4))
    assert len(found) == 4
    assert all(values["a"] + values["b"] <= 2 for values in found)
    assert list(selected(space, "a + b == 1")) == [{"a": 0, "b": 1}, {"a": 1, "b": 0}]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("layer > 1", "'layer' is not an axis; did you mean 'layers'?"),
        ("act == relu", "put text in quotes, and others around all: --where \"act == 'relu'\""),
        ("depth > 1", "'depth' is not an axis; the axes are layers, units, act, rate"),
        ("layers = 1", "is not an expression; compare with =="),
        ("layers >", "is not an expression"),
        ("__import__('os').system('true')", "is not allowed"),
        ("units.real > 3", "'units.real' is not allowed"),
        ("[u for u in (1, 2)]", "is not allowed"),
        ("(lambda: 1)()", "is not allowed"),
        ("open('x')", "is not allowed"),
        ("units ** units > 3", "is not allowed"),
        ("units / (layers - 1) > 3", "has no value for units 16, layers 1: division by zero"),
        ("act < 3", "has no value for act 'relu'"),
    ],
)
def test_what_is_no_such_expression_is_a_mistake_in_one_line(where, says):
    with pytest.raises(UsageError) as error:
        selected(MIXED, where)
    assert says in str(error.value)


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_a_mistake(text):
    try:
        Where.of(text)
    except UsageError as error:
        assert len(str(error).splitlines()) == 1


def test_what_cannot_be_counted_is_said():
    with pytest.raises(UsageError, match="more than can be counted"):
        selected(space_of(**{f"a{i}": range(1000) for i in range(7)}), sample=3)
    with pytest.raises(UsageError, match="can be compared"):
        selected(space_of(a=range(3000), b=range(3000)), "a < b", 3)


def test_all_of_it_is_the_space_itself():
    assert selected(MIXED) is MIXED
    assert list(itertools.islice(selected(MIXED, sample=10**6), 2)) == list(MIXED)[:2]
