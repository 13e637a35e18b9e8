"""Layers that compute more than a function of their inputs and weights: trained as `model.fit` trains them, or one by one."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from nbtune import tune
from tests.cases import cases
from tests.conformance.reference import Terms, difference, fit

TERMS = Terms(epochs=2, batch_size=16)
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(80, 6)).astype("float32"), RNG.integers(0, 3, 80)
TRAIN, VALIDATION = tuple(part[:64] for part in ROWS), tuple(part[64:] for part in ROWS)


class Centred(layers.Layer):
    """Assigns a moving mean, and takes off what it has just assigned."""

    def build(self, shape):
        self.mean = self.add_weight(shape=shape[1:], initializer="zeros", trainable=False)

    def call(self, inputs, training=None):
        if training:
            self.mean.assign(0.5 * self.mean + 0.5 * keras.ops.mean(inputs, axis=0))
        return inputs - self.mean


class Clipped(layers.Layer):
    """Keeps its trained weight small by assigning it."""

    def build(self, shape):
        self.scale = self.add_weight(shape=shape[1:], initializer="ones")

    def call(self, inputs):
        self.scale.assign(keras.ops.clip(self.scale, -0.9, 0.9))
        return inputs * self.scale


class Masked(layers.Layer):
    """Leaves out features that were drawn when it was made, kept as NumPy, as a tensor or as a Python number."""

    def __init__(self, kept_as="numpy", **settings):
        super().__init__(**settings)
        drawn = (np.random.rand(8) > 0.5).astype("float32")
        self.mask = {"numpy": drawn, "tensor": keras.ops.convert_to_tensor(drawn), "python": float(drawn.mean() + 0.1)}[kept_as]

    def call(self, inputs):
        return inputs * self.mask


class Traced(layers.Layer):
    """Depends on how often Python ran it."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.times = 0

    def call(self, inputs):
        self.times += 1
        return inputs * float(self.times % 5)


def network(layer, optimizer=None):
    hidden = layers.Dense(8, activation="relu")
    model = keras.Sequential([keras.Input((6,)), hidden, layer, layers.Dense(3, activation="softmax")])
    model.compile(optimizer or keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def centred():
    return network(Centred())


def clipped():
    return network(Clipped())


def averaged():
    """By the optimizer, whose averages `fit` puts in the place of the weights at its end."""
    return network(layers.Lambda(lambda inputs: inputs * 2.0), keras.optimizers.Adam(0.02, use_ema=True, ema_momentum=0.5))


def masked_by_numpy():
    return network(Masked("numpy"))


def masked_by_tensor():
    return network(Masked("tensor"))


def masked_by_python():
    return network(Masked("python"))


def constant_between_layers():
    mask = (np.random.rand(8) > 0.5).astype("float32")
    inputs = keras.Input((6,))
    hidden = layers.Dense(8, activation="relu")(inputs) * mask
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def traced():
    return network(Traced())


def searched(build, here, **options):
    terms = {"epochs": TERMS.epochs, "batch_size": [TERMS.batch_size], "patience": None, "objective": TERMS.objective}
    options = {"learning_rate": [0.01, 0.003], "engine": "fused", **options}
    search = tune(build, TRAIN, validation_data=VALIDATION, workers=0, dir=str(here), **terms, **options)
    assert search.coverage.done == len(search.trials), search.trials[0].error
    return search


MASKS = [masked_by_numpy, masked_by_tensor, masked_by_python, constant_between_layers]
WHY = {"clipped": "which a layer assigns itself", "traced": "not what it is with model.fit"}


OF_EACH_KIND = [centred, clipped, averaged, traced, masked_by_numpy]


@pytest.mark.parametrize("build", cases(OF_EACH_KIND, [centred, masked_by_numpy]), ids=lambda build: build.__name__)
def test_the_numbers_are_those_of_model_fit(build, here):
    trials = searched(build, here).trials
    for trial in trials:
        assert WHY.get(build.__name__, "") in (trial.alone or "")
        assert bool(trial.alone) == (build.__name__ in WHY)
    expected = fit(build, {"learning_rate": 0.003}, TRAIN, VALIDATION, TERMS)
    assert difference(trials[1].history, expected.history) < 1e-5


def test_a_setting_that_a_loss_does_not_tell_is_each_trials_own(here):
    def build(delta):
        model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.02), keras.losses.Huber(delta=delta))
        return model

    train, validation = ((x, 3 * x[:, 0]) for x, _ in (TRAIN, VALIDATION))
    terms = {"epochs": TERMS.epochs, "batch_size": [TERMS.batch_size], "patience": None, "objective": TERMS.objective}
    deltas = {"axis": {"delta": [0.1, 2.0]}, "engine": "fused"}
    search = tune(build, train, validation_data=validation, workers=0, dir=str(here), **terms, **deltas)
    for trial in search.trials:
        expected = fit(build, {"delta": trial.values["delta"]}, train, validation, TERMS)
        assert difference(trial.history, expected.history) < 1e-5


@pytest.mark.slow
def test_a_loss_that_compares_rows_proves_itself_first(here):
    def build(units):
        last = [layers.Dense(4, use_bias=False), layers.UnitNormalization()]
        model = keras.Sequential([keras.Input((6,)), layers.Dense(units, activation="relu"), *last])
        model.compile("adam", keras.losses.Circle())
        return model

    for trial in searched(build, here, learning_rate=[0.01], units=[4, 5]).trials:
        expected = fit(build, trial.values, TRAIN, VALIDATION, TERMS)
        assert difference(trial.history, expected.history) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["RMSprop", "Adagrad", "Adadelta"])
def test_an_embedding_under_an_optimizer_that_divides_its_gradient(name, here):
    def build():
        hidden = [layers.Embedding(9, 4), layers.GlobalAveragePooling1D()]
        model = keras.Sequential([keras.Input((6,)), *hidden, layers.Dense(3, activation="softmax")])
        model.compile(getattr(keras.optimizers, name)(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    tokens = RNG.integers(0, 9, (80, 6))
    train, validation = (tokens[:64], TRAIN[1]), (tokens[64:], VALIDATION[1])
    terms = {"epochs": TERMS.epochs, "batch_size": [TERMS.batch_size], "patience": None, "objective": TERMS.objective}
    rates = {"learning_rate": [0.01, 0.003], "engine": "fused"}
    search = tune(build, train, validation_data=validation, workers=0, dir=str(here), **terms, **rates)
    assert [trial.alone for trial in search.trials] == [None, None]
    expected = fit(build, {"learning_rate": 0.003}, train, validation, TERMS)
    assert difference(search.trials[1].history, expected.history) < 1e-5


def backwards_over_masked_steps():
    """Written out, Keras's own loop zeroes other steps than those that are masked."""
    recurrent = layers.Bidirectional(layers.GRU(3, return_sequences=True))
    hidden = [layers.Embedding(9, 4, mask_zero=True), recurrent, layers.GlobalAveragePooling1D()]
    return keras.Sequential([keras.Input((6,)), *hidden, layers.Dense(3, activation="softmax")])


def counted_by_class():
    """Its metric makes its variables when it sees the first labels."""
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")])


@pytest.mark.slow
@pytest.mark.parametrize("network", [backwards_over_masked_steps, counted_by_class])
def test_tokens(network, here):
    def build():
        model = network()
        model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy", metrics=[keras.metrics.F1Score(average="macro")])
        return model

    tokens, classes = RNG.integers(1, 9, (80, 6)), keras.utils.to_categorical(np.arange(80) % 3)
    tokens[np.arange(6) >= RNG.integers(2, 7, (80, 1))] = 0
    train, validation = (tokens[:64], classes[:64]), (tokens[64:], classes[64:])
    terms = {"epochs": 2, "batch_size": [TERMS.batch_size], "patience": None, "objective": TERMS.objective}
    rates = {"learning_rate": [0.01, 0.003], "engine": "fused"}
    search = tune(build, train, validation_data=validation, workers=0, dir=str(here), **terms, **rates)
    assert [trial.alone for trial in search.trials] == [None, None]
    expected = fit(build, {"learning_rate": 0.003}, train, validation, Terms(2, TERMS.batch_size))
    assert difference(search.trials[1].history, expected.history) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(("build", "engine"), [(build, "fused") for build in MASKS] + [(masked_by_numpy, "trial")])
def test_each_repeat_has_its_own_constants(build, engine, here):
    search = searched(build, here, repeats=2, engine=engine)
    for trial in search.trials:
        values = {"learning_rate": trial.values["learning_rate"]}
        runs = [fit(build, values, TRAIN, VALIDATION, Terms(TERMS.epochs, TERMS.batch_size, seed=seed)) for seed in range(2)]
        assert trial.scores == pytest.approx([min(run.history["val_loss"]) for run in runs], rel=1e-5)
    state = np.random.get_state()[1].copy()
    score = search.best_model.evaluate(*VALIDATION, verbose=0)[0]
    assert score == pytest.approx(min(search.best.scores), rel=1e-5)
    assert np.array_equal(np.random.get_state()[1], state), "the user's own draws go on as if nothing had been built"
