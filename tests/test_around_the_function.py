"""What stands around the function is for every trial, and for the winner, what it was when the search began."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from nbtune import tune
from tests.cases import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
TRAIN, VAL = (X[:60], Y[:60]), (X[60:], Y[60:])
TERMS = {"epochs": 2, "patience": None, "objective": "val_loss", "batch_size": [16]}


def for_two(model, rate):
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize(("engine", "workers"), cases([("trial", 0), ("fused", 1)], [("fused", 1)]))
def test_a_layer_outside_begins_each_trial_as_it_was(here, engine, workers):
    keras.utils.clear_session()
    shared = layers.Dense(8, activation="relu")  # by the name that Keras would give the first layer of the function
    shared.build((None, 6))
    start = [np.asarray(weight) for weight in shared.weights]

    def build(rate):
        inputs = keras.Input((6,))
        return for_two(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(shared(inputs))), rate)

    def fitted(rate):
        shared.set_weights(start)
        keras.utils.set_random_seed(0)
        model = build(rate)
        keras.utils.set_random_seed(0)
        return model.fit(*TRAIN, validation_data=VAL, batch_size=16, epochs=2, verbose=0).history

    search = tune(build, TRAIN, validation_data=VAL, axis={"rate": [0.1, 0.03]}, engine=engine, workers=workers, **TERMS)
    assert search.best_model.evaluate(*VAL, verbose=0)[0] == pytest.approx(search.best.score, rel=1e-5)
    assert all(np.array_equal(weight, before) for weight, before in zip(shared.weights, start, strict=True))
    for trial in search.trials:
        assert trial.error is None
        for name, values in fitted(trial.values["rate"]).items():
            assert trial.history[name] == pytest.approx(values, rel=1e-5)


@pytest.mark.parametrize("workers", cases([0, 1], [1]))
def test_the_winner_is_of_the_function_that_was_searched(here, workers):
    units, scale = 4, np.float32(2)

    class Scaled(layers.Layer):
        def __init__(self):
            super().__init__()
            self.drawn = np.random.rand()

        def call(self, x):
            return x * scale * self.drawn

    def build(rate):
        return for_two(keras.Sequential([Scaled(), layers.Dense(units), layers.Dense(1, activation="sigmoid")]), rate)

    search = tune(build, TRAIN, validation_data=VAL, axis={"rate": [0.1]}, repeats=2, workers=workers, **TERMS)
    best = min(search.best.scores)
    assert search.best_model.evaluate(*VAL, verbose=0)[0] == pytest.approx(best, rel=1e-5)
    units, scale = 7, np.float32(5)
    assert search.best_model.evaluate(*VAL, verbose=0)[0] == pytest.approx(best, rel=1e-5)
    assert search.refit().count_params() == 33
    assert build(0.1).layers[1].units == 7


MODULE = """
import keras
from keras import layers

GENERATOR = keras.random.SeedGenerator(5)
SHARED = layers.Dense(8, activation="relu")
SHARED.build((None, 6))

class Noisy(layers.Layer):
    def call(self, x, training=None):
        return x + keras.random.normal(keras.ops.shape(x), stddev=0.3, seed=GENERATOR) if training else x

def build(rate):
    inputs = keras.Input((6,))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(Noisy()(SHARED(inputs))))
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model
"""


def test_so_does_what_is_in_a_module(here, monkeypatch):
    (here / "nets_of_mine.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(here))
    import nets_of_mine as nets

    start, at = [np.asarray(weight) for weight in nets.SHARED.weights], np.asarray(nets.GENERATOR.state)

    def fitted(seed):
        nets.SHARED.set_weights(start)
        nets.GENERATOR.state.assign(at)
        keras.utils.set_random_seed(seed)
        model = nets.build(0.1)
        keras.utils.set_random_seed(seed)
        return model.fit(*TRAIN, validation_data=VAL, batch_size=16, epochs=2, verbose=0).history["val_loss"]

    search = tune(nets.build, TRAIN, validation_data=VAL, axis={"rate": [0.1]}, repeats=2, engine="trial", workers=1, **TERMS)
    assert search.best_model.evaluate(*VAL, verbose=0)[0] == pytest.approx(min(search.best.scores), rel=1e-5)
    assert all(np.array_equal(weight, before) for weight, before in zip(nets.SHARED.weights, start, strict=True))
    assert search.best.scores == pytest.approx([min(fitted(0)), min(fitted(1))], rel=1e-5)
