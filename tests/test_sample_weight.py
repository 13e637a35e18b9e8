"""Weights of rows on their way from the user to the workers, the fingerprint and the written out Python."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers

from nbtune import Panel, tune
from nbtune.ask.function import Function
from nbtune.ask.labels import Labels
from nbtune.ask.options import Options
from nbtune.data.arrays import read, write
from nbtune.data.fingerprint import fingerprint
from nbtune.data.read import read_data
from tests.conftest import dense
from tests.data.test_arrays import CLASSES, X, Y, mistake, targets, written
from tests.test_magic import QUICK, shell
from tests.test_magic import tune as tune_cell

W = np.linspace(0, 2, 20)

__all__ = ["shell"]  # a fixture


class Batches(keras.utils.PyDataset):
    """Five batches of four rows."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows], W[rows]


@pytest.mark.parametrize(
    "data",
    [
        (X, Y, W),
        (X, Y, W[:, None]),
        [X, Y, W.tolist()],
        (pd.DataFrame(X), pd.Series(Y), pd.Series(W, index=range(7, 27))),
        (tf.constant(X), tf.constant(Y), tf.constant(W)),
        tf.data.Dataset.from_tensor_slices((X, Y, W)).batch(6),
        Batches(),
    ],
    ids=["arrays", "a column", "lists", "pandas", "tensors", "dataset", "PyDataset"],
)
def test_every_kind_of_data_brings_its_weights(data):
    found = read_data(data, validation_data=data)
    for rows in found.parts:
        np.testing.assert_array_equal(rows.x, X)
        np.testing.assert_array_equal(rows.y, Y)
        np.testing.assert_array_equal(rows.sample_weight, W.astype("float32"))


@pytest.mark.parametrize("kind", ["int64", "uint8", "bool", "float16"])
def test_whole_numbers_are_weights_too(kind):
    found = read_data((X, Y, np.ones(20, kind))).sample_weight
    assert (found.dtype, found.sum()) == ("float32", 20)


def changed(value, row=3):
    return np.where(np.arange(20) == row, value, W)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (W[:-1], ["shape (19,)", "(20,)", "a row"]),
        (np.ones((20, 2)), ["shape (20, 2)"]),
        (changed(-0.5), ["-0.5", "0 or more"]),
        (changed(np.nan), ["NaN in 1 row"]),
        (changed(np.inf), ["infinity in 1 row"]),
        (changed(1e300), ["infinite"]),
        (np.zeros(20), ["all 0"]),
        (np.array(["a"] * 20), ["not numbers"]),
        (2.0, ["2.0"]),
    ],
    ids=[
        "short",
        "two",
        "negative",
        "NaN",
        "infinite",
        "infinite as float32",
        "all zero",
        "text",
        "one number",
    ],
)
def test_what_are_no_weights_is_a_mistake_in_one_line(weights, words):
    for text in (mistake((X, Y, weights)), mistake((X, Y), (X, Y, weights))):
        assert all(word in text for word in ["weights", *words]), text


def test_steps_and_pixels_may_have_weights_of_their_own():
    assert read_data((X, np.zeros((20, 5, 1)), np.ones((20, 5)))).sample_weight.shape == (20, 5)
    assert read_data((X, np.zeros((20, 5, 1)), W)).sample_weight.shape == (20,)
    assert "shape (20, 4)" in mistake((X, np.zeros((20, 5, 1)), np.ones((20, 4))))


def test_a_dataset_gives_weights_in_every_batch_or_in_none():
    class Odd(Batches):
        def __getitem__(self, index):
            return super().__getitem__(index)[: 2 + (index != 2)]

    assert "(x, y, weights)" in mistake(Odd())


def test_the_split_keeps_rows_labels_and_weights_together(tmp_path):
    arrays = written(read_data((X, Y, X[:, 0])), tmp_path)
    assert isinstance(arrays.sample_weight, np.memmap)
    np.testing.assert_array_equal(arrays.sample_weight, arrays.x[:, 0])
    np.testing.assert_array_equal(arrays.sample_weight_val, arrays.x_val[:, 0])
    both = arrays.joined()
    np.testing.assert_array_equal(both.sample_weight, both.x[:, 0])
    assert sorted(both.sample_weight) == X[:, 0].tolist()


@pytest.mark.parametrize("weighted", ["training", "validation", "neither"])
def test_each_part_has_weights_of_its_own(tmp_path, weighted):
    train, val = ((X, Y, W) if weighted == part else (X, Y) for part in ("training", "validation"))
    write(read_data(train, val), tmp_path, targets(CLASSES), 0)
    arrays = read(tmp_path)
    assert (arrays.sample_weight is not None, arrays.sample_weight_val is not None) == (
        weighted == "training",
        weighted == "validation",
    )
    both = {"training": [*W, *np.ones(20)], "validation": [*np.ones(20), *W]}.get(weighted)
    if both is None:
        assert arrays.joined().sample_weight is None
    else:
        np.testing.assert_allclose(arrays.joined().sample_weight, both, rtol=1e-6)


def test_weights_are_part_of_what_the_data_are():
    def hashed(*args):
        return fingerprint(Options.of(build=dense), Function.of(dense), read_data(*args))["data"]

    some = [hashed((X, Y)), hashed((X, Y, W)), hashed((X, Y, changed(0.7))), hashed((X, Y), (X, Y)), hashed((X, Y), (X, Y, W))]
    assert len(set(some)) == len(some)
    assert hashed((X, Y, W)) == hashed((X, Y, W.copy()))


# ---- the written out Python


def weighed(units):
    model = dense(1, units)
    model.compile(
        "adam",
        "sparse_categorical_crossentropy",
        metrics=["sparse_categorical_crossentropy"],
        weighted_metrics=["sparse_categorical_accuracy"],
    )
    return model


CODES = {
    "the split": (dense, (), {"loss": ["categorical_crossentropy", "mean_squared_error"]}),
    "validation data": (dense, ("sample_weight_val",), {}),
    "validation data of equal rows": (dense, (), {"validated": True}),
    "weighted metrics": (weighed, ("sample_weight_val",), {"objective": "val_sparse_categorical_accuracy"}),
    "a metric added": (weighed, (), {"objective": "val_accuracy"}),
}


@pytest.mark.parametrize("case", CODES)
def test_the_code_finds_the_scores_of_the_search(flowers, here, case):
    build, extra, options = CODES[case]
    x, y = flowers
    weights = 10 ** np.random.default_rng(0).uniform(-2, 1, 90)
    names = {"x": x, "y": y, "sample_weight": weights}
    given = {}
    if options.pop("validated", extra):
        names |= {"x_val": x[::3] + 0.1, "y_val": y[::3], **dict.fromkeys(extra, weights[::3])}
        given = {"validation_data": tuple(names[name] for name in ("x_val", "y_val", *extra))}
    search = tune(build, (x, y, weights), **given, units=[8], epochs=3, engine="trial", workers=0, dir=str(here), **options)
    code = search.code()
    exec(code, names)
    assert set(names["history"]) == set(search.best.history)
    for name, values in search.best.history.items():
        assert names["history"][name] == pytest.approx(list(values), rel=1e-5), name


def test_the_code_of_a_dataset_with_validation_arrays(flowers, here):
    x, y = flowers
    dataset = tf.data.Dataset.from_tensor_slices((x, y, y + 1.0)).batch(20)
    search = tune(dense, dataset, validation_data=(x, y), units=[8], epochs=2, workers=0, dir=str(here))
    names = {"dataset": dataset, "x_val": x, "y_val": y}
    exec(search.code(), names)
    assert names["history"]["val_loss"] == pytest.approx(list(search.best.history["val_loss"]), rel=1e-5)


# ---- the notebook


def test_a_cell_with_weights(shell):
    shell.user_ns["w"] = np.linspace(0, 3, 60)
    assert tune_cell(shell, QUICK.replace("x,y", "x,y,w")) is None
    code = shell.user_ns["search"].code()
    assert "x, y, sample_weight = x,y,w" in code
    assert "sample_weight=sample_weight" in code


def test_a_panel_with_weights(flowers, monkeypatch):
    x, y = flowers
    monkeypatch.setattr("nbtune.panel.setup.clicks_work", lambda shell: True)
    panel = Panel(dense, (x, y, np.ones(90)))
    assert "--data x,y,sample_weight" in panel.cell


def test_the_best_model_evaluates_weighted_rows_whatever_the_loss(flowers, here):
    """A loss for one-hot labels is given class numbers there."""
    x, y = flowers
    weights = np.linspace(0, 3, 90)

    def build():
        return keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])

    for loss in ("mean_squared_error", keras.losses.CategoricalCrossentropy(label_smoothing=0.1)):
        search = tune(build, (x, y, weights), loss=[loss], epochs=1, engine="trial", workers=0, dir=str(here), fresh=True)
        model = search.best_model
        expected = keras.losses.get(loss)(
            np.eye(3)[y], model.predict(x, verbose=0), *([] if isinstance(loss, str) else [weights])
        )
        if isinstance(loss, str):
            expected = np.mean(np.asarray(expected) * weights)
        assert model.evaluate(x, y, sample_weight=weights, batch_size=90, verbose=0)[0] == pytest.approx(
            float(expected), rel=1e-5
        )


def test_labels_are_stratified_whatever_they_weigh(tmp_path):
    arrays = written(read_data((X, Y, W)), tmp_path, Labels.of(Y, []))
    np.testing.assert_array_equal(arrays.x_val, written(read_data((X, Y)), tmp_path / "plain").x_val)
