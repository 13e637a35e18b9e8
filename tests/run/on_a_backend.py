"""Searches on the backend of Keras that the environment names, against `model.fit` in this process: `on_a_backend.py WORKERS`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

import nbtune

EPOCHS, WEIGHTS = 4, {0: 1.0, 1: 3.0, 2: 1.0}
MANY = 150


def build(units):
    import keras
    from keras import layers

    hidden = [layers.Dense(units, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.2)]
    return keras.Sequential([keras.Input((8,)), *hidden, layers.Dense(3, activation="softmax")])


def fitted(values, train, validation, epochs=EPOCHS, patience=1):
    """History and model, as a careful user would write it."""
    import keras

    keras.utils.set_random_seed(0)
    model = build(values["units"])
    model.compile(keras.optimizers.Adam(values["learning_rate"]), "sparse_categorical_crossentropy", metrics=["accuracy"])
    keras.utils.set_random_seed(0)
    stopper = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=patience, restore_best_weights=True)
    terms = {"validation_data": validation, "epochs": epochs, "class_weight": WEIGHTS, "callbacks": [stopper], "verbose": 0}
    return model.fit(*train, **terms).history, model


def same(search, fit):
    """Histories, and the winner's weights, are those of `fit`."""
    for trial in search.trials:
        history, model = fit(trial.values)
        assert {name: list(values) for name, values in trial.history.items()} == history
        if trial is search.best:
            pairs = zip(search.best_model.get_weights(), model.get_weights(), strict=True)
            assert all(np.array_equal(a, b) for a, b in pairs)


def a_whole_search(train, validation, terms):
    search = nbtune.tune(build, train, units=[4, 8], epochs=EPOCHS, patience=1, wait=True, **terms)
    same(search, lambda values: fitted(values, train, validation))
    assert search.verify().difference == 0
    search.refit()
    import keras

    names = {"x": train[0], "y": train[1], "x_val": validation[0], "y_val": validation[1]}
    exec(str(search.code()), names)
    assert names["history"]["val_loss"] == list(search.best.history["val_loss"])
    print(keras.backend.backend())


def one_that_is_stopped(train, validation, terms):
    """It goes on at the epoch where it was, and ends with the numbers of one that was not stopped."""
    search = nbtune.tune(build, train, units=[8], epochs=MANY, patience=None, dir="stopped", wait=False, **terms)
    while search.trials[0].epochs < 5:
        assert search.state == "running"
        time.sleep(0.01)
    search.stop()
    (trial,) = search.trials
    assert trial.status == "stopped", trial
    assert "begin again" not in trial.error, trial.error
    search.resume()
    search.wait()
    same(search, lambda values: fitted(values, train, validation, MANY, MANY))
    told = map(json.loads, next(Path("stopped").rglob("events.jsonl")).read_text().splitlines())
    behind = [event["history"].get("loss", []) for event in told if event["event"] == "TrialStarted"][-1]
    assert 5 <= len(behind) < MANY


def main(workers):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 8)).astype("float32")
    y = np.digitize(x[:, 0], [-0.5, 0.5])
    train, validation = (x[:90], y[:90]), (x[90:], y[90:])
    terms = {"validation_data": validation, "learning_rate": [0.03], "class_weight": WEIGHTS, "workers": workers}
    if workers:
        one_that_is_stopped(train, validation, terms)
    a_whole_search(train, validation, terms)


if __name__ == "__main__":
    main(int(sys.argv[1]))
