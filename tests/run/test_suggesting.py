"""Suggestions follow from the input's width, the rows and the labels; what is suggested is taken by `tune`."""

import numpy as np
import pytest

import nbtune
from nbtune.errors import UsageError
from nbtune.run.suggesting import suggest

DRAWS = np.random.default_rng(0)


def build(layers, units):
    raise AssertionError("nothing is built")


def renamed(n_layers, hidden_units, dropout=0.1):
    raise AssertionError("nothing is built")


def values(found, option):
    return next(each.values for each in found.axes if each.option == option)


@pytest.mark.parametrize("inputs", [1, 4, 13, 30, 64, 784])
def test_a_first_hidden_layer_wider_than_the_input_is_among_them_and_a_narrower_one(inputs):
    found = suggest(build, (DRAWS.normal(size=(200, inputs)), DRAWS.integers(0, 2, 200)))
    widths = [int(units) for units in values(found, "--units").split(",")]
    assert min(widths) <= max(inputs, 2)
    assert inputs < max(widths)
    assert f"more than the {inputs} inputs" in str(found)


def test_more_rows_allow_more():
    few, many = (suggest(build, (DRAWS.normal(size=(n, 8)), DRAWS.integers(0, 2, n))) for n in (100, 5000))
    assert (values(few, "--layers"), values(many, "--layers")) == ("1:2", "1:3")
    assert len(values(many, "--units").split(",")) > len(values(few, "--units").split(","))


def test_an_autoencoder_is_to_be_deeper():
    x = DRAWS.uniform(size=(800, 16)).astype("float32")
    found = suggest(build, (x, x.copy()))
    assert values(found, "--layers") == "1:4"
    assert [loss.values for loss in found.losses] == ["binary_crossentropy", "mean_squared_error"]


def test_parameters_go_by_their_usual_names():
    found = suggest(renamed, (DRAWS.normal(size=(100, 4)), DRAWS.normal(size=100)))
    assert found.line == "--axis n_layers=1:2 --axis hidden_units=2,8 --learning-rate 1e-2,1e-3"


@pytest.mark.parametrize(
    ("y", "losses"),
    [
        (DRAWS.integers(0, 2, 90), ["binary_crossentropy", "sparse_categorical_crossentropy"]),
        (np.arange(90) % 3, ["sparse_categorical_crossentropy"]),
        (np.eye(3)[np.arange(90) % 3], ["categorical_crossentropy"]),
        (np.maximum(np.eye(3)[np.arange(90) % 3], np.eye(3)[np.arange(90) % 2]), ["binary_crossentropy"]),
        (DRAWS.normal(size=90), ["mean_squared_error", "mean_absolute_error", "huber"]),
    ],
    ids=["two classes", "classes", "one-hot", "several classes", "numbers"],
)
def test_losses_follow_from_the_labels(y, losses):
    assert [loss.values for loss in suggest(build, (DRAWS.normal(size=(90, 4)), y)).losses] == losses


def test_a_search_without_axes_is_told_some(here):
    data = DRAWS.normal(size=(100, 4)), DRAWS.integers(0, 2, 100)
    with pytest.raises(UsageError) as caught:
        nbtune.tune(build, data, dir=str(here))
    problem, _, advice = str(caught.value).partition(". For these data try ")
    assert problem == "build needs 'layers' and no axis gives it; add --layers VALUES, or give it a default"
    assert advice == "--layers 1:2 --units 2,8 --learning-rate 1e-2,1e-3 (nbtune.suggest(build, data) gives the reasons)"


def test_what_is_suggested_can_be_pasted(here):
    from tests.conftest import dense

    x = DRAWS.normal(size=(60, 4)).astype("float32")
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)
    options = dict(each.text.split(" ") for each in suggest(dense, (x, y)).axes)
    axes = {name.removeprefix("--").replace("-", "_"): text for name, text in options.items()}
    search = nbtune.tune(dense, (x, y), epochs=1, workers=0, plan=True, dir=str(here), **axes)
    assert search.plan.trials == 2 * 2 * 2
