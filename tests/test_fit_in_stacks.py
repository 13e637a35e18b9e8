"""What `fit` takes beside one label a row, in stacks: several outputs and weights of each, callbacks, how it evaluates."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import callbacks, layers

from nbtune import tune
from nbtune.errors import UsageError
from tests.cases import cases
from tests.test_fit_contract import QUICK, TRAIN, VAL, Y3, X, assert_same, by_fit, softmax

SIZE = X[:, 1]
WEIGHTS = np.random.default_rng(1).random((2, 96)).astype("float32")
STACK = {**QUICK, "engine": "fused"}


def pair(as_dict, one, other):
    """Something for the outputs "kind" and "size"."""
    return {"kind": one, "size": other} if as_dict else [one, other]


def two_heads(units, as_dict=True, share=1.0):
    inputs = keras.Input((6,))
    hidden = layers.Dense(units, activation="relu")(inputs)
    outputs = pair(as_dict, layers.Dense(3, activation="softmax", name="kind")(hidden), layers.Dense(1, name="size")(hidden))
    model = keras.Model(inputs, outputs)
    losses, metrics = pair(as_dict, "sparse_categorical_crossentropy", "mse"), pair(as_dict, ["accuracy"], ["mae"])
    model.compile("adam", losses, metrics=metrics, loss_weights=pair(as_dict, 1.0, share), weighted_metrics=metrics)
    return model


def labels(as_dict, rows):
    return pair(as_dict, Y3[rows], SIZE[rows])


@pytest.mark.parametrize(("as_dict", "batch"), cases([(False, None), (True, 7)], [(True, 7)]))
def test_several_outputs_train_together(as_dict, batch, here):
    """Of 70 rows the last batch is a shorter one: Keras counts it in full for the losses of the outputs, and in an evaluation."""
    train, val = [(X[rows], labels(as_dict, rows)) for rows in (slice(70), slice(70, None))]
    terms = {**STACK, "units": [4], "validation_batch_size": batch, "objective": "val_size_mae", "dir": str(here)}
    search = tune(two_heads, train, validation_data=val, axis={"share": [0.1, 3.0], "as_dict": [as_dict]}, **terms)
    for trial in search.trials:
        share, given = trial.values["share"], {"validation_data": val, "validation_batch_size": batch}
        assert not trial.alone
        assert_same(trial, by_fit(lambda share=share: two_heads(4, as_dict, share), *train, **given))
    assert ("validation_batch_size=7" in search.code()) is bool(batch)


@pytest.mark.slow
def test_weights_of_rows_for_each_output(here):
    rows, held_out, weights = slice(70), slice(70, None), pair(True, *WEIGHTS[:, :70])
    val = X[held_out], labels(True, held_out)
    terms = {**STACK, "validation_data": val, "dir": str(here), "objective": "val_loss"}
    search = tune(two_heads, (X[rows], labels(True, rows), weights), units=[3, 4], **terms)
    given = {"sample_weight": weights, "validation_data": val}
    assert not search.trials[0].alone
    assert_same(search.trials[0], by_fit(lambda: two_heads(3), X[rows], labels(True, rows), **given))


def test_weights_have_the_structure_of_the_labels(here):
    with pytest.raises(UsageError, match="not the structure of the labels"):
        tune(two_heads, (X, labels(True, slice(None)), {"kind": WEIGHTS[0]}), units=[4], dir=str(here), **QUICK)
    with pytest.raises(UsageError, match="weights 'size' go down to -0.98"):
        tune(two_heads, (X, labels(True, slice(None)), pair(True, WEIGHTS[0], WEIGHTS[1] - 1)), units=[4], dir=str(here), **QUICK)


WATCHING = {
    "dense": lambda: [callbacks.ReduceLROnPlateau(factor=0.5, patience=1, min_delta=10.0), callbacks.TerminateOnNaN()],
    "mapped": lambda: [
        callbacks.LearningRateScheduler(lambda epoch, rate: rate / (epoch + 2)),
        callbacks.EarlyStopping(monitor="loss", patience=2, min_delta=10.0, restore_best_weights=True),
    ],
}


def normalised(units):
    hidden = [layers.Dense(units), layers.BatchNormalization(), layers.Activation("relu")]
    model = keras.Sequential([keras.Input((6,)), *hidden, layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize(("build", "name"), cases([(softmax, "dense"), (normalised, "mapped")], [(softmax, "dense")]))
def test_known_callbacks_watch_trials_in_a_stack(build, name, here):
    """Each trial's learning rate goes its own way, and with it all that follows."""
    search = tune(
        build, TRAIN, validation_data=VAL, units=[3, 4], callbacks=WATCHING[name], dir=str(here), **{**STACK, "epochs": 5}
    )
    expected = by_fit(lambda: build(3), *TRAIN, validation_data=VAL, callbacks=WATCHING[name](), epochs=5)
    trial = search.trials[0]
    assert not trial.alone
    assert set(trial.history) == set(expected)
    assert len(trial.history["loss"]) == len(expected["loss"])
    assert_same(trial, expected)


def test_a_callback_that_needs_the_model_trains_its_trials_alone(here):
    made = lambda: [callbacks.ModelCheckpoint("best.keras"), callbacks.CSVLogger("logs/log.csv")]  # noqa: E731
    search = tune(softmax, TRAIN, validation_data=VAL, units=[3, 4], repeats=2, callbacks=made, dir=str(here), **STACK)
    assert search.trials[0].alone == "the callback ModelCheckpoint"
    for trial in search.trials:
        for seed in (0, 1):
            folder = search.directory / f"trial_{trial.id}" / f"seed_{seed}"
            assert sorted(path.name for path in folder.rglob("*.*")) == ["best.keras", "log.csv"]


def test_rows_in_their_order_as_fit_has_them_without_shuffling(here):
    search = tune(softmax, (X, Y3), validation_split=0.3, shuffle=False, units=[3, 4], dir=str(here), **STACK)
    assert not search.trials[0].alone
    assert_same(search.trials[0], by_fit(lambda: softmax(3), X, Y3, validation_split=0.3, shuffle=False))
    assert "shuffle=False" in search.code()


def without_input(layers, units):
    hidden = [keras.layers.Dense(units, activation="relu") for _ in range(layers)]
    model = keras.Sequential([*hidden, keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_sizes_of_a_network_without_an_input_share_a_stack(here):
    """Their weights come with the first rows, after the second seed."""
    search = tune(without_input, TRAIN, validation_data=VAL, layers=[1, 2], units=[3, 5], **STACK, dir=str(here))
    assert len({known.name for known in search._run.space.architectures}) == 1
    for trial in search.trials:
        assert not trial.alone
        assert_same(trial, by_fit(lambda values=trial.values: without_input(**values), *TRAIN, validation_data=VAL))
