"""A function's optimizer under an axis of learning rates or schedules is the one that it compiled, with all that it set on it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops
from keras.optimizers import SGD, Adam, AdamW, schedules

from nbtune import tune
from nbtune.training.fused import optimizers
from nbtune.training.private import keras as private
from tests.cases import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 6)).astype("float32")
Y = np.digitize(X[:, 0] * X[:, 1], [-0.4, 0.4])
TRAIN, VAL = (X[:80], Y[:80]), (X[80:], Y[80:])
RATES = [0.05, 0.01]


class Damped(SGD):
    """As people write one: without `get_config`."""

    def __init__(self, learning_rate=0.1, damping=1.0, **settings):
        super().__init__(learning_rate, **settings)
        self.damping = damping

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(self.damping * gradient, variable, learning_rate)


class Needy(SGD):
    def __init__(self, damping):
        super().__init__(0.1)
        self.damping = damping


def without_decay():
    optimizer = AdamW(0.1, weight_decay=0.3)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def from_step_100():
    optimizer = Adam(0.1)
    optimizer.iterations.assign(100)
    return optimizer


def with_own_method():
    optimizer = SGD(0.1)
    own = optimizer.update_step
    optimizer.update_step = lambda gradient, variable, rate: own(ops.sign(gradient), variable, rate)
    return optimizer


def changed_later():
    optimizer = SGD(0.1)
    optimizer.momentum, optimizer.clipnorm = 0.5, 0.2
    return optimizer


OPTIMIZERS = {
    "exclude_from_weight_decay": (without_decay, "exclude_from_weight_decay"),
    "LossScaleOptimizer": (lambda: keras.optimizers.LossScaleOptimizer(Adam(0.1)), "LossScaleOptimizer"),
    "a setting without get_config": (lambda: Damped(damping=0.3), "Damped"),
    "a class that is not made without a setting": (lambda: Needy(0.3), "Needy"),
    "steps behind it": (from_step_100, "used before"),
    "a method of one's own": (with_own_method, "update_step"),
    "settings changed later": (changed_later, ""),
    "a schedule, replaced": (lambda: Adam(schedules.CosineDecay(0.1, 9)), ""),
    "a function as the rate": (lambda: Adam(lambda: 0.1), ""),
}


def compiled(optimizer):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def by_model_fit(optimizer, rate):
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    model = compiled(optimizer)
    if rate is not None:
        model.optimizer.learning_rate = rate
    keras.utils.set_random_seed(0)
    return model.fit(*TRAIN, epochs=1, validation_data=VAL, verbose=0).history


def expect(trial, theirs):
    assert trial.error is None, trial.error
    for name, values in theirs.items():
        np.testing.assert_allclose(trial.history[name], values, rtol=1e-5, atol=1e-7, err_msg=name)


ONE_EPOCH = {"validation_data": VAL, "epochs": 1, "workers": 0}


def expected(name, rate):
    """Keras takes no number in place of a schedule or a function."""
    make, _ = OPTIMIZERS[name]
    return by_model_fit(Adam(rate), None) if "schedule" in name or "function" in name else by_model_fit(make(), rate)


@pytest.mark.parametrize("name", cases(OPTIMIZERS, ["exclude_from_weight_decay", "LossScaleOptimizer", "a function as the rate"]))
def test_a_learning_rate_leaves_all_else_as_the_function_set_it(name, here):
    make, _ = OPTIMIZERS[name]
    (trial,) = tune(lambda: compiled(make()), TRAIN, learning_rate=[0.05], engine="trial", **ONE_EPOCH).trials
    expect(trial, expected(name, 0.05))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_a_stack_cannot_give_to_each_trial_is_named(name):
    make, why = OPTIMIZERS[name]
    optimizer = make()
    private.set_learning_rate(optimizer, 0.05)
    found = optimizers.obstacle(compiled(optimizer).optimizer)
    assert why in found if why else found is None


@pytest.mark.parametrize("name", [name for name, (_, why) in OPTIMIZERS.items() if not why])
def test_a_stack_has_the_same_settings(name, here):
    make, _ = OPTIMIZERS[name]
    for trial in tune(lambda: compiled(make()), TRAIN, learning_rate=RATES, engine="fused", **ONE_EPOCH).trials:
        assert trial.alone is None
        expect(trial, expected(name, trial.values["learning_rate"]))


def with_an_object():
    return compiled(without_decay())


def with_a_name():
    return compiled("adam")


@pytest.mark.parametrize("build", cases([with_an_object, with_a_name], [with_a_name]), ids=["objects", "names"])
def test_each_schedule_begins_at_the_rate_of_the_function(build, here):
    search = tune(build, TRAIN, schedule=["cosine", "constant"], engine="fused", **ONE_EPOCH)
    first = build().optimizer
    rate = float(first.learning_rate.numpy())
    for trial in search.trials:
        optimizer = build().optimizer
        if trial.values["schedule"] == "cosine":
            optimizer.learning_rate = schedules.CosineDecay(rate, 3)
        expect(trial, by_model_fit(optimizer, None))


def test_one_optimizer_outside_of_the_function_serves_all_its_models(here):
    optimizer = Adam(0.1)
    search = tune(lambda: compiled(optimizer), TRAIN, learning_rate=RATES, engine="trial", **ONE_EPOCH)
    for trial in search.trials:
        expect(trial, by_model_fit(Adam(trial.values["learning_rate"]), None))


def test_the_page_of_python_keeps_what_the_function_compiled(here):
    def build():
        def own_loss(true, predicted):
            return keras.losses.sparse_categorical_crossentropy(true, predicted) ** 2

        model = compiled(without_decay())
        model.compile(model.optimizer, own_loss)
        return model

    search = tune(build, TRAIN, learning_rate=RATES, objective="val_accuracy", **ONE_EPOCH)
    names = {**globals(), "x": TRAIN[0], "y": TRAIN[1], "x_val": VAL[0], "y_val": VAL[1]}
    exec(search.code(), names)
    expect(search.best, {name: names["history"][name] for name in search.best.history})
