"""Arrays in lists and dicts."""

from __future__ import annotations

import json
from collections import OrderedDict

import keras
import numpy as np
import pytest

from nbtune import tune
from nbtune.data.read import read_data
from nbtune.data.tree import in_order_of, laid_out, layout, map_leaves
from tests.cases import cases

RNG = np.random.default_rng(0)
PARTS = {"b": RNG.normal(size=(40, 1)), "a": 3 * RNG.normal(size=(40, 1))}
Y = RNG.normal(size=40)


def test_an_ordered_dict_stays_one():
    given = OrderedDict(b=1, a=OrderedDict(d=2, c=3))
    doubled = map_leaves(lambda leaf: 2 * leaf, given)
    assert doubled == OrderedDict(b=2, a=OrderedDict(d=4, c=6))
    back = laid_out(json.loads(json.dumps(layout(given, lambda leaf: leaf))), lambda number: number)
    assert (back, type(back), type(back["a"])) == (given, OrderedDict, OrderedDict)
    assert list(in_order_of({"a": 0, "b": 0}, {"b": 1, "a": 2})) == ["a", "b"]
    assert list(in_order_of({"a": 0, "b": 0}, OrderedDict(b=1, a=2))) == ["b", "a"]


def of_two(units):
    inputs = {name: keras.Input((1,), name=name) for name in PARTS}
    hidden = keras.layers.Dense(units)(keras.layers.Concatenate()(list(inputs.values())))
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.compile("adam", "mse")
    return model


@pytest.mark.filterwarnings("ignore:The structure of")
@pytest.mark.parametrize("kind", cases([dict, OrderedDict], [OrderedDict]))
def test_keras_takes_an_ordered_dict_in_its_order_and_that_is_said(kind, here):
    x = kind(PARTS)
    assert ("dict(x)" in read_data((x, Y)).note) is (kind is OrderedDict)
    search = tune(
        of_two, (x, Y), validation_data=(x, Y), axis={"units": [2, 3]}, epochs=2, patience=None, workers=0, dir=str(here)
    )
    keras.utils.set_random_seed(0)
    model = of_two(2)
    keras.utils.set_random_seed(0)
    expected = model.fit(x, Y, validation_data=(x, Y), epochs=2, verbose=0).history
    for name, values in expected.items():
        assert search.trials[0].history[name] == pytest.approx(values, rel=1e-6), name
