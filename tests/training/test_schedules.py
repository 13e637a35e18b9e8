"""`--schedule` against `model.fit` with Keras's own schedules and callbacks, written out by hand."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import callbacks, layers
from keras.optimizers import SGD, Adam, schedules

from nbtune import UsageError, tune
from nbtune.ask.schedules import SCHEDULES
from nbtune.training.onecycle import OneCycle
from tests.cases import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 6)).astype("float32")
Y = np.digitize(X[:, 0] * X[:, 1], [-0.4, 0.4])
TRAIN, VAL = (X[:80], Y[:80]), (X[80:], Y[80:])
EPOCHS, STEPS, RATE = 6, 3, 0.05
TOTAL = EPOCHS * STEPS
QUICK = {"workers": 0, "epochs": EPOCHS, "patience": 4}


def softmax():
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")])


def of_its_own(momentum):
    model = softmax()
    model.compile(SGD(RATE, momentum=momentum), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def under_a_schedule():
    model = softmax()
    model.compile(Adam(schedules.CosineDecay(0.1, 9)), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def hyper(hp):
    return of_its_own(hp.Choice("momentum", [0.0, 0.9]))


def by_hand(kind, rate=RATE, total=TOTAL):
    """Each schedule as somebody would write it with Keras alone; `plateau` is a callback."""
    return {
        "constant": lambda: rate,
        "plateau": lambda: rate,
        "cosine": lambda: schedules.CosineDecay(rate, total),
        "exponential": lambda: schedules.ExponentialDecay(rate, total, 0.01),
        "step": lambda: schedules.PiecewiseConstantDecay([total // 2 - 1, total * 3 // 4 - 1], [rate, rate / 10, rate / 100]),
        "warmup": lambda: schedules.CosineDecay(
            rate / 10, total - total // 10, warmup_target=rate, warmup_steps=max(total // 10, 1)
        ),
        "one-cycle": lambda: OneCycle(rate, total),
    }[kind]()


def fitted(model, optimizer, data, plateau=False, **terms):
    """`model.fit` as the search stops it, and the rate at each epoch's first step."""
    seen = []
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    note = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(float(model.optimizer.learning_rate.numpy())))
    lower = callbacks.ReduceLROnPlateau("val_accuracy", factor=0.1, patience=2, mode="max")
    stop = callbacks.EarlyStopping("val_accuracy", mode="max", patience=4, restore_best_weights=True)
    keras.utils.set_random_seed(0)
    validated = "validation_data" in terms
    watching = [note, *([lower] if plateau else []), *([stop] if validated else [])]
    history = model.fit(*data, verbose=0, callbacks=watching, **terms).history
    return history, seen


def new():
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    return softmax()


@pytest.fixture(scope="module", params=cases(["fused", "trial"], ["fused"]))
def found(request, tmp_path_factory):
    kinds = ["cosine", "plateau"] if request.param == "trial" else list(SCHEDULES)
    folder = str(tmp_path_factory.mktemp("schedules"))
    terms = {**QUICK, "validation_data": VAL, "engine": request.param, "dir": folder}
    return tune(softmax, TRAIN, schedule=kinds, learning_rate=[RATE], **terms)


def test_every_schedule_is_that_of_model_fit_and_keras(found):
    for trial in found.trials:
        kind = trial.values["schedule"]
        assert trial.alone is None, trial.alone
        history, rates = fitted(
            new(), Adam(by_hand(kind)), TRAIN, kind == "plateau", epochs=EPOCHS, validation_data=VAL, batch_size=32
        )
        for name, values in history.items():
            np.testing.assert_allclose(trial.history[name], values, rtol=1e-4, atol=1e-6, err_msg=f"{kind} {name}")
        np.testing.assert_allclose(trial.rates, rates, rtol=1e-5, err_msg=kind)
        assert trial.history["learning_rate"] == trial.rates


def test_its_rates_are_drawn_and_exported(found):
    from nbtune.views.figures.lr import lr_info

    info = lr_info(found._run.progress)
    assert {curve.rates for curve in info.curves} <= {trial.rates for trial in found.trials}
    assert found.plot("lr")._repr_png_()[:4] == b"\x89PNG"


@pytest.mark.parametrize("kind", cases(["cosine", "plateau"], ["plateau"]))
def test_the_refitted_model_goes_through_the_same_rates(kind, here):
    terms = {**QUICK, "validation_data": VAL, "dir": str(here)}
    search = tune(softmax, TRAIN, schedule=[kind], learning_rate=[RATE], **terms)
    everything = (X, Y)
    steps = math.ceil(len(X) / 32)
    model, epochs = new(), search.best.best_epoch
    optimizer = Adam(by_hand(kind, total=EPOCHS * steps))
    if kind == "plateau":
        rates = search.best.rates
        again = callbacks.LearningRateScheduler(lambda epoch: rates[epoch])
        model.compile(optimizer, "sparse_categorical_crossentropy")
        keras.utils.set_random_seed(0)
        model.fit(*everything, epochs=epochs, verbose=0, callbacks=[again])
    else:
        fitted(model, optimizer, everything, epochs=epochs)
    for ours, theirs in zip(search.refit().get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("build", cases([of_its_own, hyper], [of_its_own]), ids=["a plain function", "a KerasTuner function"])
def test_a_compiled_optimizer_keeps_its_settings_under_a_schedule(build, here):
    terms = {**QUICK, "validation_data": VAL, "dir": str(here), "engine": "fused"}
    more = {"axis": {"momentum": [0.0, 0.9]}} if build is of_its_own else {}
    search = tune(build, TRAIN, schedule=["cosine"], **terms, **more)
    assert search.coverage.done == 2
    for trial in search.trials:
        optimizer = SGD(by_hand("cosine"), momentum=trial.values["momentum"])
        history, _ = fitted(new(), optimizer, TRAIN, epochs=EPOCHS, validation_data=VAL)
        np.testing.assert_allclose(trial.history["val_loss"], history["val_loss"], rtol=1e-4)


WRITTEN_OUT = [("one-cycle", softmax), ("plateau", of_its_own), ("warmup", of_its_own)]


@pytest.mark.parametrize(("kind", "build"), cases(WRITTEN_OUT, [("one-cycle", softmax)]))
def test_the_code_finds_the_same_numbers(kind, build, here):
    axis = {} if build is softmax else {"momentum": [0.9]}
    search = tune(build, (X, Y), schedule=[kind], axis=axis, dir=str(here), **QUICK)
    names = {"x": X, "y": Y}
    exec(search.code(), names)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(names["history"][name], search.best.history[name], rtol=1e-5)


@pytest.mark.parametrize("engine", cases(["fused", "trial"], ["fused"]))
def test_momentum_is_sgd_with_momentum(engine, here):
    terms = {**QUICK, "validation_data": VAL, "dir": str(here), "engine": engine, "learning_rate": [RATE, 0.01]}
    search = tune(softmax, TRAIN, optimizer=["momentum"], **terms)
    history, _ = fitted(new(), SGD(RATE, momentum=0.9), TRAIN, epochs=EPOCHS, validation_data=VAL)
    np.testing.assert_allclose(search.trials[0].history["val_loss"], history["val_loss"], rtol=1e-4)
    assert "optimizer = keras.optimizers.SGD(momentum=0.9)" in search.code()


def test_a_schedule_of_a_dataset_counts_its_batches(here):
    stream = tf.data.Dataset.from_tensor_slices(TRAIN).repeat().batch(20)
    terms = {**QUICK, "validation_data": VAL, "dir": str(here), "steps_per_epoch": 4, "learning_rate": [RATE]}
    trial = tune(softmax, stream, schedule=["cosine"], **terms).best
    expected = [float(schedules.CosineDecay(RATE, EPOCHS * 4)(4 * epoch)) for epoch in range(trial.epochs)]
    np.testing.assert_allclose(trial.rates, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"schedule": ["cosin"]}, "unknown schedule 'cosin'; did you mean 'cosine'?"),
        ({"schedule": [0.1]}, "unknown schedule 0.1; there are constant"),
        ({"schedule": [len]}, "len is not a keras.optimizers.schedules.LearningRateSchedule"),
        ({"build": under_a_schedule, "schedule": ["step"]}, "under_a_schedule compiles has a learning rate schedule of its own"),
    ],
)
def test_mistakes(terms, message, here):
    with pytest.raises(UsageError) as caught:
        tune(**{"build": softmax, "data": TRAIN, "dir": str(here), "workers": 0, **terms})
    assert message in str(caught.value)
    assert caught.value.about == "schedule"
