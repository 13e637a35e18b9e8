"""`Search.code()`: each page of Python is run, and has to find the very score that the search found."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import initializers as starts
from keras import layers
from keras.activations import relu as rectified
from keras.layers import Dense
from scipy.special import logsumexp

from nbtune import tune
from tests.cases import cases
from tests.conftest import dense

WIDTH = 6
RATES = {"low": 0.1}


def helper(size):
    return layers.Dense(size, activation="relu")


def with_surroundings(depth):
    model = keras.Sequential([layers.Input((4,))])
    for _ in range(depth):
        model.add(helper(WIDTH))
    model.add(layers.Dropout(RATES["low"]))
    model.add(layers.Dense(3, activation="softmax"))
    return model


def imported(width):
    hidden = Dense(width + int(logsumexp([0.0])), rectified, kernel_initializer=starts.HeNormal())
    return keras.Sequential([keras.Input((4,)), hidden, Dense(3, "softmax")])


def without_input(units):
    return keras.Sequential([keras.layers.Dense(units, activation="relu"), keras.layers.Dense(3, activation="softmax")])


def number(units):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation="tanh"), keras.layers.Dense(1)])


def hyper(hp):
    model = dense(1, hp.Choice("units", [4, 8]))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


CASES = {
    "class numbers, one-hot losses": (
        dense,
        "classes",
        {"units": [4, 8], "loss": ["categorical_crossentropy", "mean_squared_error"]},
    ),
    "one-hot labels, a sparse loss": (dense, "one-hot", {"units": [8], "loss": ["sparse_categorical_crossentropy"]}),
    "helpers and constants": (with_surroundings, "classes", {"axis": {"depth": [1, 2]}, "learning_rate": [0.05]}),
    "no Input, an initialiser": (without_input, "classes", {"units": [8], "init": ["normal:0.3"], "batch_size": [16]}),
    "regression": (number, "numbers", {"units": [4], "loss": ["huber"], "optimizer": ["rmsprop"], "learning_rate": [0.02]}),
    "a KerasTuner function": (hyper, "classes", {"learning_rate": [0.2, 0.3]}),
    "several inputs of validation data": (dense, "validated", {"units": [8]}),
}


def data_of(kind, x, y):
    return {
        "classes": (x, y),
        "validated": (x, y),
        "one-hot": (x, keras.utils.to_categorical(y)),
        "numbers": (x, x[:, 0] * 2.5 + y),
    }[kind]


@pytest.mark.parametrize("case", cases(CASES, ["class numbers, one-hot losses", "helpers and constants"]))
def test_the_code_finds_the_score_of_the_search(flowers, here, case, capsys):
    build, kind, options = CASES[case]
    x, y = data_of(kind, *flowers)
    validation = (x[::3] + 0.1, y[::3]) if kind == "validated" else None
    search = tune(build, (x, y), validation_data=validation, epochs=4, workers=0, dir=str(here), **options)
    assert search.coverage.done == len(search.trials)
    names = {"x": x, "y": y} | ({"x_val": validation[0], "y_val": validation[1]} if validation else {})
    code = search.code()
    exec(code, names)
    for name, values in search.best.history.items():
        assert names["history"][name] == pytest.approx(list(values), rel=1e-6), name
    printed = float(capsys.readouterr().out.strip().splitlines()[-1].split(":")[1])
    assert printed == pytest.approx(search.best.score)


def test_imports_are_from_where_people_import(flowers, here):
    search = tune(imported, flowers, axis={"width": [6]}, epochs=1, workers=0, dir=str(here))
    code = search.code()
    lines = code.splitlines()
    assert {"from keras.layers import Dense", "from keras.activations import relu as rectified"} <= set(lines)
    assert {"import keras.initializers as starts", "from scipy.special import logsumexp"} <= set(lines)
    assert not any(inner in code for inner in ("keras.src", "keras.api", "tensorflow.python", "_logsumexp"))
    exec(code, {"x": flowers[0], "y": flowers[1]})


def test_a_dataset(flowers, here):
    x, y = flowers
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(20)
    search = tune(dense, dataset, units=[8], epochs=3, workers=0, dir=str(here))
    assert "batch_size=20" in search.code()
    names = {"dataset": dataset}
    exec(search.code(), names)
    assert max(names["history"]["val_accuracy"]) == pytest.approx(search.best.score)


def test_the_code_is_readable(flowers, here):
    search = tune(dense, flowers, units=[8], learning_rate=[0.01], epochs=1, workers=0, dir=str(here))
    code = search.code()
    assert "model = dense(units=8)" in code
    assert "def dense(" in code
    assert "optimizer.learning_rate = 0.01" in code
    assert "nbtune" not in code
    assert np.max([len(line) for line in code.splitlines()]) < 120


def text_and_numbers(units):
    town = keras.Input((1,), name="town", dtype="string")
    age = keras.Input((1,), name="age")
    known = layers.StringLookup(vocabulary=["a", "b", "c"], output_mode="one_hot")(town)
    return keras.Model({"age": age, "town": town}, layers.Dense(2, activation="softmax")(layers.Concatenate()([age, known])))


def two_outputs(units):
    inputs = keras.Input((4,))
    hidden = layers.Dense(units)(inputs)
    return keras.Model(inputs, {"kind": layers.Dense(3, activation="softmax")(hidden), "size": layers.Dense(1)(hidden)})


def autoencoder(units):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(units), layers.Dense(4)])
    model.compile("adam", "mse")
    return model


def found_again(search, names):
    exec(search.code(), names)
    for name, values in search.best.history.items():
        assert names["history"][name] == pytest.approx(list(values), rel=1e-6), name


@pytest.mark.parametrize("weights", cases(["balanced", {0: 1.0, 2: 3.0}], ["balanced"]))
def test_weights_of_classes_are_written_out(flowers, here, weights):
    x, y = flowers
    search = tune(dense, (x, y, abs(x[:, 0])), epochs=3, workers=0, dir=str(here), class_weight=weights)
    found_again(search, {"x": x, "y": y, "sample_weight": abs(x[:, 0])})


OFFSET = tf.constant([0.1, 0.2, 0.3, 0.4])


def shifted(inputs):
    return inputs + OFFSET


def with_a_tensor(units):
    hidden = [layers.Lambda(shifted), layers.Dense(units, activation="relu")]
    return keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(3, activation="softmax")])


def test_a_tensor_of_the_notebook_is_left_to_the_user(flowers, here):
    search = tune(with_a_tensor, flowers, units=[4], learning_rate=[0.1], epochs=1, workers=0)
    assert "OFFSET" in str(search.code())


def test_text_and_named_classes_are_written_out(flowers, here):
    import pandas as pd

    x, y = flowers
    frame = pd.DataFrame({"age": x[:, 0], "town": np.array(["a", "b", "c"])[y]})
    kinds = np.where(y == 1, "yes", "no")
    search = tune(text_and_numbers, (frame, kinds), units=[4], epochs=3, workers=0, dir=str(here))
    found_again(search, {"x": frame, "y": kinds})


@pytest.mark.skipif(keras.__version__.split(".")[1] in ("10", "11"), reason="there metrics go by the names of layers")
def test_several_outputs_are_written_out(flowers, here):
    x, y = flowers
    both = {"kind": y, "size": x[:, 0]}
    search = tune(two_outputs, (x, both), units=[4], epochs=3, workers=0, dir=str(here))
    found_again(search, {"x": x, "y": both})


def compiled_outputs(units, as_dict):
    inputs = keras.Input((4,))
    hidden = layers.Dense(units)(inputs)
    kind, size = layers.Dense(3, activation="softmax", name="kind")(hidden), layers.Dense(1, name="size")(hidden)
    model = keras.Model(inputs, {"kind": kind, "size": size} if as_dict else [kind, size])
    losses, weights = {"kind": "sparse_categorical_crossentropy", "size": "mse"}, {"kind": 1.0, "size": 0.2}
    model.compile("adam", losses, loss_weights=weights, metrics={"kind": ["accuracy"]})
    return model


@pytest.mark.parametrize("as_dict", cases([True, False], [True]))
@pytest.mark.parametrize("metric", cases(["accuracy", "sparse_categorical_crossentropy"], ["accuracy"]))
def test_an_objective_of_one_of_several_outputs_is_written_out(flowers, here, as_dict, metric):
    x, y = flowers
    both = {"kind": y, "size": x[:, 0]} if as_dict else [y, x[:, 0]]
    terms = {"objective": f"val_kind_{metric}", "epochs": 3, "workers": 0, "dir": str(here)}
    search = tune(compiled_outputs, (x, both), axis={"as_dict": [as_dict]}, units=[4], learning_rate=[0.01], **terms)
    found_again(search, {"x": x, "y": both})


def test_a_stream_is_written_out(flowers, here):
    x, _ = flowers
    dataset = tf.data.Dataset.from_tensor_slices((x, x)).batch(30).map(lambda a, b: (a * 2, b))
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patched:
        patched.setattr("nbtune.data.streams.MOST_KEPT", 100)
        search = tune(autoencoder, dataset, validation_data=(x, x), units=[4], epochs=3, workers=0, dir=str(here))
    found_again(search, {"dataset": dataset, "x_val": x, "y_val": x})


def test_what_the_combination_takes_from_the_notebook_is_written_out(flowers, here, monkeypatch):
    def steeper(y_true, y_pred):
        return 2 * keras.losses.categorical_crossentropy(y_true, y_pred)

    def swish_like(value):
        return value * keras.ops.sigmoid(1.5 * value)

    def callbacks(values):
        return keras.callbacks.LearningRateScheduler(lambda epoch: values["learning_rate"] / (epoch + 1))

    def build(units):
        return keras.Sequential([keras.Input((4,)), Dense(units, activation="swish_like"), Dense(3, "softmax")])

    monkeypatch.setitem(keras.saving.get_custom_objects(), "swish_like", swish_like)
    options = {"loss": [steeper], "learning_rate": [0.05], "callbacks": callbacks, "engine": "trial"}
    search = tune(build, flowers, units=[6], epochs=3, workers=0, dir=str(here), **options)
    del keras.saving.get_custom_objects()["swish_like"]
    found_again(search, {"x": flowers[0], "y": flowers[1]})


def test_a_fit_of_ones_own_is_called(flowers, here):
    import keras_tuner

    class Own(keras_tuner.HyperModel):
        def build(self, hp):
            return hyper(hp)

        def fit(self, hp, model, *args, **kwargs):
            return model.fit(*args, batch_size=hp.Choice("batch", [7, 9]), **kwargs)

    search = tune(Own(), flowers, epochs=2, workers=0, dir=str(here))
    assert "Own().fit(" in search.code()
    names = {"x": flowers[0], "y": flowers[1]}
    exec(search.code(), names)
    assert names["history"].history["loss"] == pytest.approx(search.best.history["loss"], rel=1e-6)
