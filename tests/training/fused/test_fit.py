"""Trials in stacks against the same trials on the reference engine, epoch by epoch."""

from __future__ import annotations

import functools
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, optimizers

from nbtune.ask.options import Options
from nbtune.execution.inline import Inline
from nbtune.record import checkpoint
from nbtune.record.events import EpochEnded, EpochUnderWay, TrialEnded, TrialStarted
from nbtune.run.prepare import prepare
from nbtune.run.request import Request
from nbtune.training import trial
from nbtune.training.fused import chunking, compilation, fit
from nbtune.training.fused.compaction import Compaction
from tests.cases import cases

RATES = [0.01, 0.003]


@functools.cache
def rows():
    """210 rows of three classes: features `(8,)`, images `(8, 8, 1)`, tokens `(6,)`, labels."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1, 2], 70))
    x = (rng.normal(size=(210, 8)) + y[:, None]).astype("float32")
    images = (rng.normal(size=(210, 8, 8, 1)) + 0.3 * y[:, None, None, None]).astype("float32")
    tokens = (rng.integers(0, 20, size=(210, 6)) + 3 * y[:, None]).astype("int32")
    return x, images, tokens, y


@pytest.fixture
def job_of(tmp_path):
    """Makes the job and the trials of a search that is not run."""

    def make(build, data, **options):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        (folder / "project").mkdir(parents=True)
        options = {"engine": "fused", "epochs": 6, "patience": 2, "learning_rate": RATES, **options}
        request = Request.of(Options.of(build=build, data=data, **{k: v for k, v in options.items() if v is not None}))
        space, job, _ = prepare(request, Inline(lambda events: None), folder, folder / "project")
        return job, {str(i): values for i, values in enumerate(space)}

    return make


@pytest.fixture
def compiled(monkeypatch):
    """How often a stack was traced so far, and so compiled."""
    made = []
    real = compilation.epoch_function
    monkeypatch.setattr(compilation, "epoch_function", lambda *args, **kw: made.append(real(*args, **kw)) or made[-1])
    return lambda: sum(function.experimental_get_tracing_count() for function in made)


def in_stacks(job, trials):
    """The ends of the trials; all have to be fused."""
    ended, refused = fit.fit_stack(job, lambda events: None, trials)
    assert not refused
    for state in job.project.glob(f"trial_*/{checkpoint.FILES}"):  # of a slow machine: nobody goes on from there
        state.unlink()
    return {end.trial: end for end in ended}


def alone(job, trials, id):
    return trial.fit(job, lambda events: None, id, trials[id])


def assert_same(ours, theirs):
    assert (ours.status, ours.best_epoch) == (theirs.status, theirs.best_epoch)
    assert list(ours.history) == list(theirs.history)
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    assert ours.error == theirs.error


def check(job, trials, ids=None):
    """Stacked and alone, these trials come to the same."""
    ended = in_stacks(job, trials)
    assert set(ended) == set(trials)
    for id in ids or trials:
        assert_same(ended[id], alone(job, trials, id))


def classifier(*hidden, shape=(8,)):
    """A plain function whose model has these layers, each made by a function, and three classes."""

    def build():
        return keras.Sequential([keras.Input(shape), *(make() for make in hidden), layers.Dense(3, activation="softmax")])

    return build


def relu():
    return layers.Dense(8, activation="relu")


def test_losses_that_take_the_labels_in_two_forms(job_of):
    x, _, _, y = rows()
    losses = ["sparse_categorical_crossentropy", "categorical_crossentropy", "mean_squared_error"]
    job, trials = job_of(classifier(relu), (x, y), learning_rate=[0.03, 0.003], loss=losses, epochs=8)
    check(job, trials, ids=["0", "4", "5"])


X, IMAGES, TOKENS, Y = rows()
ARCHITECTURES = {
    "dropout": (classifier(relu, lambda: layers.Dropout(0.3)), X),
    "noise and dropout": (classifier(lambda: layers.GaussianNoise(0.1), relu, lambda: layers.Dropout(0.3)), X),
    "batch normalisation": (classifier(lambda: layers.Dense(8, use_bias=False), layers.BatchNormalization, layers.ReLU), X),
    "layer normalisation": (classifier(relu, layers.LayerNormalization), X),
    "convolution": (
        classifier(lambda: layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D, layers.Flatten, shape=(8, 8, 1)),
        IMAGES,
    ),
    "masked embedding": (
        classifier(lambda: layers.Embedding(32, 5, mask_zero=True), layers.GlobalAveragePooling1D, shape=(6,)),
        TOKENS,
    ),
    "lstm": (classifier(lambda: layers.Embedding(32, 5), lambda: layers.LSTM(6), shape=(6,)), TOKENS),
    "bidirectional": (
        classifier(lambda: layers.Embedding(32, 5), lambda: layers.Bidirectional(layers.LSTM(3)), shape=(6,)),
        TOKENS,
    ),
    "weight regulariser": (classifier(lambda: layers.Dense(8, activation="relu", kernel_regularizer="l2")), X),
    "activity regulariser": (classifier(lambda: layers.Dense(8, activation="relu", activity_regularizer="l2")), X),
}


@pytest.mark.parametrize("name", cases(ARCHITECTURES, ["batch normalisation", "convolution", "lstm"]))
def test_architectures(job_of, name):
    build, x = ARCHITECTURES[name]
    check(*job_of(build, (x, Y)), ids=["0"])


def test_several_inputs_and_one_hot_labels(job_of):
    def build():
        a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
        hidden = layers.Dense(6, activation="tanh")(layers.concatenate([a, b]))
        return keras.Model({"a": a, "b": b}, layers.Dense(3, activation="softmax")(hidden))

    losses = ["categorical_crossentropy", "mean_squared_error"]
    check(*job_of(build, ({"a": X[:, :4], "b": X[:, 4:]}, np.eye(3)[Y]), loss=losses, learning_rate=[0.01]))


@pytest.mark.slow
def test_regression_with_two_targets(job_of):
    def build():
        return keras.Sequential([keras.Input((8,)), layers.Dense(6, activation="tanh"), layers.Dense(2)])

    check(*job_of(build, (X, 2.5 * X[:, :2] + 0.1), loss=["mean_squared_error", "huber"], learning_rate=[0.01]))


@pytest.mark.slow
def test_as_many_steps_as_rows_in_a_batch(job_of):
    def build():
        return keras.Sequential([keras.Input((8, 1)), layers.Dense(4, activation="tanh"), layers.Dense(1)])

    check(*job_of(build, (X[:, :, None], X[:, :, None] ** 2), batch_size=[8], learning_rate=[0.01], validation_split=0.3))


def test_metrics_that_are_no_means(job_of):
    def build():
        model = keras.Sequential([keras.Input((8,)), layers.Dense(1, activation="sigmoid")])
        metrics = [keras.metrics.AUC(name="auc"), keras.metrics.Precision(name="precision")]
        model.compile("adam", "binary_crossentropy", metrics=metrics)
        return model

    check(*job_of(build, (X, (Y > 1).astype(int)), objective="max:val_auc"), ids=["1"])


@pytest.mark.slow
def test_initialisers(job_of):
    check(*job_of(classifier(relu), (X, Y), init=["glorot_uniform", "he_normal", "zeros"], learning_rate=[0.01]))


def mlp(units=4, width=5, activation="relu"):
    return classifier(*(lambda size=size: layers.Dense(size, activation=activation) for size in (units, width)))()


@pytest.mark.parametrize("activation", cases(["relu", "tanh", "gelu"], ["relu"]))
def test_widths_share_a_stack(job_of, compiled, activation):
    def build(units, width):
        return mlp(units, width, activation)

    axis = {"width": [3, 9]}
    job, trials = job_of(build, (X, Y), units=[4, 8], axis=axis, loss=["sparse_categorical_crossentropy", "mean_squared_error"])
    check(job, trials, ids=["0", "3", "5", "14"])
    assert compiled() == 1


@pytest.mark.slow
def test_widths_none_of_which_holds_the_others_are_apart(job_of, compiled):
    def build(units, width):
        return mlp(units, width)

    job, trials = job_of(build, (X, Y), units=[4, 8], axis={"width": [3, 9]})
    some = {id: values for id, values in trials.items() if (values["units"] < 5) == (values["width"] > 5)}
    assert len(some) == 4
    check(job, some, ids=["2", "5"])
    assert compiled() == 2


@pytest.mark.slow
def test_widths_with_repeats_and_weights_of_their_own_shapes(job_of):
    job, trials = job_of(mlp, (X, Y), units=[3, 6], learning_rate=[0.01], repeats=2)
    ended = in_stacks(job, trials)
    for id in trials:
        model = trial.new_model(job, trials[id], X)
        model.optimizer.build(model.trainable_variables)
        model.load_weights(job.weights(id))
        assert model.layers[0].units == trials[id]["units"]
        reference = alone(job, trials, id)
        assert_same(ended[id], reference)
        np.testing.assert_allclose(ended[id].scores, reference.scores, rtol=1e-4)


OPTIMIZERS = {
    "Adam, clipnorm": lambda rate: optimizers.Adam(rate, clipnorm=0.1),
    "Adam, global clipnorm, decay": lambda rate: optimizers.Adam(rate, global_clipnorm=0.1, weight_decay=0.01),
    "Adam, amsgrad, average": lambda rate: optimizers.Adam(rate, amsgrad=True, use_ema=True),
    "AdamW": optimizers.AdamW,
    "SGD, momentum": lambda rate: optimizers.SGD(rate, momentum=0.9, nesterov=True),
    "RMSprop": lambda rate: optimizers.RMSprop(rate, centered=True, momentum=0.5),
    "Adagrad": optimizers.Adagrad,
    "Adadelta": optimizers.Adadelta,
    "Adamax": optimizers.Adamax,
    "Ftrl": optimizers.Ftrl,
    "Lion": optimizers.Lion,
    "schedule": lambda rate: optimizers.Adam(optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)),
}


@pytest.mark.parametrize("name", cases(OPTIMIZERS, ["Adam, global clipnorm, decay", "SGD, momentum"]))
def test_optimizers(job_of, compiled, name):
    def build(learning_rate, units):
        model = mlp(units)
        model.compile(OPTIMIZERS[name](learning_rate), "sparse_categorical_crossentropy")
        return model

    job, trials = job_of(build, (X, Y), units=[6, 3], epochs=4)
    check(job, trials, ids=["1", "3"])
    assert compiled() == 1


def test_a_sparse_gradient_under_several_optimizers(job_of):
    build = classifier(lambda: layers.Embedding(32, 3), layers.Flatten, shape=(6,))
    job, trials = job_of(build, (TOKENS, Y), optimizer=["sgd", "rmsprop"], learning_rate=[0.01], epochs=3)
    check(job, trials)


def test_a_trial_that_diverges_touches_no_other(job_of):
    def build(learning_rate):
        model = keras.Sequential([keras.Input((8,)), layers.Dense(4), layers.Dense(1)])
        model.compile(optimizers.SGD(learning_rate), "mean_squared_error")
        return model

    job, trials = job_of(build, (X * 1e3, Y * 1e3 + 0.5), learning_rate=[1e-9, 1e9, 1e-3, 1e-8])
    ended = in_stacks(job, trials)
    assert [ended[id].status for id in trials] == ["done", "diverged", "diverged", "done"]
    for id in trials:
        assert_same(ended[id], alone(job, trials, id))


def test_a_loss_that_is_not_chosen_cannot_spoil_another(job_of):
    def bad(y_true, y_pred):
        return keras.ops.sqrt(keras.ops.mean(y_pred, -1) - 1e9)  # NaN, and so is its gradient

    def build():
        return keras.Sequential([keras.Input((8,)), layers.Dense(1)])

    job, trials = job_of(build, (X, Y * 1.0 + 0.5), loss=["mean_squared_error"], learning_rate=[0.01])
    job.objects["loss"] = {"bad": bad}
    trials = {"0": trials["0"], "1": {**trials["0"], "loss": "bad"}}
    ended = in_stacks(job, trials)
    assert [ended[id].status for id in trials] == ["done", "diverged"]
    assert_same(ended["0"], alone(job, trials, "0"))


def test_early_stopping_in_its_own_epoch(job_of):
    job, trials = job_of(classifier(relu), (X, Y), learning_rate=[0.1, 0.03, 0.01, 1e-6], epochs=12, min_delta=0.01, patience=1)
    ended = in_stacks(job, trials)
    assert len({len(end.history["loss"]) for end in ended.values()}) > 1
    for id in ("0", "3"):
        assert_same(ended[id], alone(job, trials, id))


def test_trials_go_on_as_they_would_alone_when_the_stopped_are_left_behind(job_of, compiled, monkeypatch):
    monkeypatch.setattr(Compaction, "due", lambda self, seconds, live, size: 0 < live < size)
    rates = [0.1, 0.03, 0.003, 1e-7]
    terms = {"epochs": 10, "min_delta": 0.01, "patience": 1, "repeats": 2}
    job, trials = job_of(classifier(relu, lambda: layers.Dropout(0.2)), (X, Y), learning_rate=rates, **terms)
    check(job, trials, ids=["0", "3"])
    assert compiled() > 2


def test_trials_in_turn_stop_as_they_would_alone(job_of):
    """The first of them, whose seeds the others share, diverges; and another stops early."""

    def build(learning_rate):
        model = classifier(lambda: layers.Conv2D(2, 3), layers.Flatten, lambda: layers.Dropout(0.2), shape=(8, 8, 1))()
        model.compile(optimizers.SGD(learning_rate), "mean_squared_error", metrics=["accuracy"])
        model.layers[-1].activation = keras.activations.linear
        return model

    job, trials = job_of(build, (IMAGES, np.eye(3, dtype="float32")[Y]), learning_rate=[1e9, 1e-9, 0.003], epochs=5, patience=1)
    ended = in_stacks(job, trials)
    assert [(end.status, len(end.history["loss"])) for _, end in sorted(ended.items())][:2] == [("diverged", 1), ("done", 2)]
    for id in trials:
        assert_same(ended[id], alone(job, trials, id))


def test_patience_off_trains_every_epoch(job_of):
    job, trials = job_of(classifier(relu), (X, Y), learning_rate=[1e-6, 1e-7], epochs=5)
    job = replace(job, patience=None)
    assert {len(end.history["loss"]) for end in in_stacks(job, trials).values()} == {5}


def test_the_company_and_the_place_in_a_stack_change_nothing(job_of):
    rates = [0.03, 0.01, 0.003, 0.001]
    job, trials = job_of(classifier(relu, lambda: layers.Dropout(0.2)), (X, Y), learning_rate=rates)
    whole = in_stacks(job, trials)
    for some in (["2"], ["3", "2"], ["2", "0", "1"]):
        part = in_stacks(job, {id: trials[id] for id in some})
        for name, values in whole["2"].history.items():
            np.testing.assert_allclose(part["2"].history[name], values, rtol=1e-5, err_msg=f"{some}: {name}")


def test_the_saved_weights_are_those_of_the_best_epoch(job_of):
    import h5py

    job, trials = job_of(classifier(relu), (X, Y), learning_rate=[0.03, 0.01])
    in_stacks(job, trials)
    ours = _contents(h5py, job.weights("1"))
    alone(job, trials, "1")
    theirs = _contents(h5py, job.weights("1"))
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


def _contents(h5py, path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, thing: found.update({name: thing[()]}) if isinstance(thing, h5py.Dataset) else None)
    return found


def test_events_of_an_epoch_come_together(job_of):
    job, trials = job_of(classifier(relu), (X, Y), epochs=3)
    messages = []
    fit.fit_stack(job, messages.append, trials)
    assert [type(event) for event in messages[0]] == [TrialStarted, TrialStarted]
    epochs = [message for message in messages if isinstance(message[0], EpochEnded)]
    assert [[event.trial for event in message] for message in epochs] == [["0", "1"]] * 3
    assert [event.epoch for message in epochs for event in message] == [1, 1, 2, 2, 3, 3]
    assert [type(message[0]) for message in messages[-2:]] == [TrialEnded, TrialEnded]


@pytest.mark.parametrize("layer", [lambda: layers.Dense(4, "relu"), lambda: layers.BatchNormalization()], ids=["rows", "batches"])
def test_a_long_epoch_is_trained_in_parts_to_the_same_numbers(job_of, compiled, monkeypatch, layer):
    job, trials = job_of(classifier(layer), (X, Y), epochs=3, patience=None)  # 168 rows: 5 batches of 32, and 8 rows
    whole = in_stacks(job, trials)
    before = compiled()
    monkeypatch.setattr(chunking, "SECONDS", 1e-9)
    messages = []
    in_parts = {end.trial: end for end in fit.fit_stack(job, messages.append, trials).ended}
    assert {id: end.history for id, end in in_parts.items()} == {id: end.history for id, end in whole.items()}
    assert compiled() == 2 * before
    signs = [message for message in messages if isinstance(message[0], EpochUnderWay)]
    assert [[(sign.trials, sign.epoch, sign.share) for sign in message] for message in signs] == [
        [(["0", "1"], epoch, batches / 6)] for epoch in (1, 2, 3) for batches in range(1, 6)
    ]


def test_one_stack_is_compiled_once(job_of, compiled):
    job, trials = job_of(classifier(relu), (X, Y), epochs=5, loss=["mean_squared_error", "categorical_crossentropy"])
    in_stacks(job, trials)
    assert compiled() == 1


@pytest.mark.slow
def test_architectures_are_told_apart(job_of):
    def build(learning_rate, slope=0.1):
        act = (lambda v: v * slope) if learning_rate > 0.005 else "tanh"
        return classifier(lambda: layers.Dense(4, activation=act))()

    job, trials = job_of(build, (X, Y), learning_rate=[0.01, 0.003, 0.001], epochs=2)
    check(job, trials, ids=["0", "1"])


def _compiled(**settings):
    model = classifier(relu)()
    model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", **settings})
    return model


REFUSED = {
    "the optimizer Adafactor": lambda: _compiled(optimizer="adafactor"),
    "run_eagerly": lambda: _compiled(run_eagerly=True),
    "steps_per_execution": lambda: _compiled(steps_per_execution=2),
    "ema_overwrite_frequency": lambda: _compiled(optimizer=optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=2)),
    "which does more than compute": classifier(lambda: layers.Lambda(lambda v: v + keras.random.normal((8,)))),
    "bfloat16": classifier(lambda: layers.Dense(4, dtype="mixed_bfloat16")),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_fused_is_refused_with_its_reason(job_of, reason):
    x = np.repeat(X, 5, axis=1) if "40" in reason else X
    job, trials = job_of(REFUSED[reason], (x, Y), epochs=1)
    ended, refused = fit.fit_stack(job, lambda events: None, trials)
    assert not ended
    assert set(refused) == set(trials)
    assert all(reason in why for why in refused.values()), refused


def test_a_trial_that_does_not_build_leaves_the_others(job_of):
    def build(learning_rate):
        if learning_rate < 0.005:
            raise RuntimeError("too slow")
        return classifier(relu)()

    job, trials = job_of(build, (X, Y), learning_rate=[0.02, 0.01, 0.003], epochs=1)
    ended, refused = fit.fit_stack(job, lambda events: None, trials)
    assert {end.trial for end in ended} == {"0", "1"}
    assert list(refused) == ["2"]


def test_a_stack_that_finds_no_memory_is_halved(job_of, monkeypatch):
    job, trials = job_of(classifier(relu), (X, Y), learning_rate=[0.03, 0.02, 0.01, 0.003, 0.001], epochs=1)
    sizes = []
    real = fit.Fit.run

    def run(self):
        sizes.append(len(self._stack))
        if sizes[-1] > 2:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM")
        real(self)

    monkeypatch.setattr(fit.Fit, "run", run)
    assert set(in_stacks(job, trials)) == set(trials)
    assert sizes == [5, 3, 2, 1, 2]
