"""The reference engine against `model.fit` written out by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.model_selection import train_test_split

from nbtune import tune
from nbtune.record.events import EpochEnded, EpochUnderWay
from nbtune.training import reporting
from nbtune.training.stopping import never
from tests.conftest import dense


def search(data, here, build=dense, **options):
    return tune(build, data, workers=0, fresh=True, dir=str(here), **{"epochs": 6, "patience": 2, **options})


def by_hand(x, y, layers, units, rate, loss, epochs=6, patience=2, batch_size=32, seed=0, split=None):
    """What a careful user would write for one combination; returns its history and its model."""
    train, val = train_test_split(np.arange(len(y)), test_size=0.2, random_state=seed if split is None else split, stratify=y)
    targets = y if loss.startswith("sparse") else keras.utils.to_categorical(y, 3)
    keras.utils.set_random_seed(seed)
    model = dense(layers, units)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    keras.utils.set_random_seed(seed)
    stop = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=patience, restore_best_weights=True)
    history = model.fit(
        x[train],
        targets[train],
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(x[val], targets[val]),
        callbacks=[stop],
        verbose=0,
    ).history
    return history, model


@pytest.fixture(scope="module")
def found(flowers, tmp_path_factory):
    losses = ["sparse_categorical_crossentropy", "categorical_crossentropy", "mean_squared_error"]
    return search(flowers, tmp_path_factory.mktemp("trial"), layers=[1, 2], units=[8], learning_rate=[0.03, 0.003], loss=losses)


def test_every_epoch_equals_model_fit(found, flowers):
    for trial in found.trials[::3]:
        v = trial.values
        history, _ = by_hand(*flowers, v["layers"], v["units"], v["learning_rate"], v["loss"])
        assert set(trial.history) == set(history)
        for name, values in history.items():
            np.testing.assert_allclose(trial.history[name], values, rtol=1e-5, err_msg=f"{trial.label}: {name}")
        assert trial.score == pytest.approx(max(history["val_accuracy"]))
        assert trial.best_epoch == int(np.argmax(history["val_accuracy"])) + 1
        assert trial.epochs == len(history["loss"])


def test_best_weights_are_kept(found, flowers):
    v = found.best.values
    _, model = by_hand(*flowers, v["layers"], v["units"], v["learning_rate"], v["loss"])
    for ours, theirs in zip(found.best_model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_best_model_takes_labels_as_they_were_given(found, flowers):
    x, y = flowers
    _, val = train_test_split(np.arange(len(y)), test_size=0.2, random_state=0, stratify=y)
    assert found.best_model.evaluate(x[val], y[val], verbose=0)[1] == pytest.approx(found.best.score)


def test_the_same_seed_gives_the_same_result_and_another_seed_another(flowers, here):
    first, second, other = (search(flowers, here, units=[8], seed=seed, epochs=3) for seed in (7, 7, 0))
    assert first.trials[0].history == second.trials[0].history
    assert first.trials[0].history != other.trials[0].history


def test_a_trial_does_not_depend_on_those_before_it(flowers, here):
    alone = search(flowers, here, units=[8], epochs=3)
    among = search(flowers, here, units=[4, 8], epochs=3)
    assert alone.trials[0].history == among.trials[1].history


def test_early_stopping_can_be_turned_off(flowers, here):
    found = search(flowers, here, units=[8], learning_rate=[1e-6], epochs=9, patience=None)
    assert found.trials[0].epochs == 9
    stopped = search(flowers, here, units=[8], learning_rate=[1e-6], epochs=9, patience=1)
    assert stopped.trials[0].epochs < 9


def test_a_trial_that_raises_is_marked_and_the_others_go_on(flowers, here):
    def build(units):
        if units == 5:
            raise RuntimeError("no fives")
        return dense(1, units)

    found = search(flowers, here, build, units=[4, 5, 6], epochs=1)
    assert [trial.status for trial in found.trials] == ["done", "failed", "done"]
    assert "RuntimeError: no fives" in found.trials[1].error
    assert 'raise RuntimeError("no fives")' in found.trials[1].error
    assert found.coverage.failed == 1
    assert found.best.status == "done"


def test_a_trial_that_diverges_is_marked(flowers, here):
    def build(learning_rate):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(learning_rate), "mean_squared_error")
        return model

    x, y = flowers
    found = search((x * 1e3, y * 1e3 + 0.5), here, build, learning_rate=[1e-9, 1e9])
    assert [trial.status for trial in found.trials] == ["done", "diverged"]
    assert "NaN or infinite in epoch 1" in found.trials[1].error
    assert found.trials[1].score is None


def test_regression_with_two_targets(flowers, here):
    x, _ = flowers

    def build(units):
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation="tanh"), keras.layers.Dense(2)])

    found = search((x, x[:, :2] * 2.5), here, build, units=[4, 8], loss=["mean_squared_error", "huber"])
    assert found.coverage.done == 4
    assert found.trials[0].score == min(found.trials[0].history["val_mean_absolute_error"])


@pytest.mark.slow
def test_binary_labels(flowers, here):
    x, y = flowers

    def build():
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])

    found = search((x, y > 0), here, build, loss=["binary_crossentropy", "mean_squared_error"], learning_rate=[0.05])
    assert found.coverage.done == 2
    assert found.best.score > 0.6
    assert found.best_model.evaluate(x, y > 0, verbose=0)[1] > 0.6


def test_several_inputs(flowers, here):
    x, y = flowers

    def build(units):
        a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
        hidden = keras.layers.Dense(units, activation="relu")(keras.layers.concatenate([a, b]))
        return keras.Model({"a": a, "b": b}, keras.layers.Dense(3, activation="softmax")(hidden))

    found = search(({"a": x[:, :2], "b": x[:, 2:]}, y), here, build, units=[8])
    assert found.coverage.done == 1


def test_a_long_epoch_gives_signs_of_life(monkeypatch):
    monkeypatch.setattr(reporting, "SECONDS_BETWEEN_SIGNS", -1.0)
    events = []
    model = dense(1, 4)
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.zeros((80, 4), "float32"), np.arange(80) % 3
    model.fit(x, y, batch_size=32, epochs=2, callbacks=[reporting.Reporter(events.extend, "7", never, {})], verbose=0)
    signs = [(event.epoch, event.share) for event in events if isinstance(event, EpochUnderWay)]
    assert signs == [(1, 1 / 3), (1, 2 / 3), (2, 1 / 3), (2, 2 / 3)]
    assert [(event.trial, event.epoch) for event in events if isinstance(event, EpochEnded)] == [("7", 1), ("7", 2)]


def test_an_epoch_of_unknown_length_gives_no_signs(monkeypatch):
    monkeypatch.setattr(reporting, "SECONDS_BETWEEN_SIGNS", -1.0)
    events = []
    model = dense(1, 4)
    model.compile("sgd", "sparse_categorical_crossentropy")
    batches = tf.data.Dataset.from_tensor_slices((np.zeros((80, 4)), np.arange(80) % 3)).batch(32).filter(lambda x, y: True)
    model.fit(batches, epochs=2, callbacks=[reporting.Reporter(events.extend, "7", never, {})], verbose=0)
    assert [type(event) for event in events] == [EpochEnded, EpochEnded]
