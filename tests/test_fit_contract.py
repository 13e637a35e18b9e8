"""What else `fit` takes: streams, weights of classes, callbacks, several outputs, a hypermodel's own fit."""

from __future__ import annotations

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from nbtune import tune
from nbtune.errors import UsageError
from tests.cases import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 6)).astype("float32")
Y3 = np.digitize(X[:, 0], [-0.5, 0.5])
TRAIN, VAL = (X[:64], Y3[:64]), (X[64:], Y3[64:])
QUICK = {"workers": 0, "epochs": 2, "patience": "off"}


def softmax(units):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(units), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def two_heads(units, as_dict):
    inputs = keras.Input((6,))
    hidden = layers.Dense(units)(inputs)
    kind, size = layers.Dense(3, activation="softmax", name="kind")(hidden), layers.Dense(1, name="size")(hidden)
    return keras.Model(inputs, {"kind": kind, "size": size} if as_dict else [kind, size])


def by_fit(build, *args, **kwargs):
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    model = build()
    keras.utils.set_random_seed(0)
    return model.fit(*args, **{"epochs": 2, "verbose": 0, **kwargs}).history


def assert_same(trial, expected):
    assert trial.status == "done", trial.error
    for name, values in expected.items():
        np.testing.assert_allclose(trial.history[name], values, rtol=2e-5, atol=1e-6, err_msg=name)


class Noisy(keras.utils.PyDataset):
    """Noise of its own in each batch, so that a batch read twice is another one."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(1)

    def __len__(self):
        return 4

    def __getitem__(self, i):
        rows = slice(16 * i, 16 * i + 16)
        return X[rows] + self.rng.normal(size=(16, 6)).astype("float32"), Y3[rows]


class Plain(keras.utils.PyDataset):
    """The same batches each time, whose order `fit` draws for each epoch."""

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return X[16 * i : 16 * i + 16], Y3[16 * i : 16 * i + 16]


@pytest.mark.parametrize("shuffle", cases([True, False], [True]))
def test_the_batches_of_a_dataset_come_in_the_order_of_fit(here, shuffle):
    search = tune(softmax, Plain(), validation_data=VAL, units=[4], shuffle=shuffle, dir=str(here), **QUICK)
    assert_same(search.trials[0], by_fit(lambda: softmax(4), Plain(), validation_data=VAL, shuffle=shuffle))


def test_a_stream_is_read_anew_in_each_epoch_as_fit_does(here):
    search = tune(softmax, Noisy(), validation_data=VAL, units=[4], dir=str(here), **QUICK)
    assert_same(search.trials[0], by_fit(lambda: softmax(4), Noisy(), validation_data=VAL))
    assert search.refit(1).count_params()


def test_a_dataset_in_its_own_order_trains_in_that_order(here):
    dataset = tf.data.Dataset.from_tensor_slices(TRAIN).batch(24)
    search = tune(softmax, dataset, validation_data=VAL, units=[3, 4], engine="fused", dir=str(here), **QUICK)
    assert_same(search.trials[0], by_fit(lambda: softmax(3), dataset, validation_data=VAL, validation_batch_size=24))


@pytest.mark.slow
def test_a_shuffle_with_a_seed_gives_the_orders_that_fit_has(here):
    given, again = (tf.data.Dataset.from_tensor_slices(TRAIN).shuffle(90, seed=3).batch(24) for _ in range(2))
    search = tune(softmax, given, validation_data=VAL, units=[3, 4], dir=str(here), **QUICK)
    assert_same(search.trials[0], by_fit(lambda: softmax(3), again, validation_data=VAL, validation_batch_size=24))


@pytest.mark.parametrize("engine", cases(["trial", "fused"], ["fused"]))
def test_weights_of_classes_are_those_of_fit(engine, here):
    weights = {0: 1.0, 1: 5.0}
    terms = {**QUICK, "validation_data": VAL, "dir": str(here), "engine": engine}
    search = tune(softmax, TRAIN, units=[3, 4], class_weight=[None, weights], **terms)
    plain, heavy = search.trials[:2]
    assert_same(plain, by_fit(lambda: softmax(3), *TRAIN, validation_data=VAL))
    assert_same(heavy, by_fit(lambda: softmax(3), *TRAIN, validation_data=VAL, class_weight=weights))


@pytest.mark.slow
def test_balanced_weights_are_those_of_scikit_learn(here):
    from sklearn.utils.class_weight import compute_class_weight

    each = dict(enumerate(compute_class_weight("balanced", classes=np.arange(3), y=TRAIN[1])))
    search = tune(softmax, TRAIN, validation_data=VAL, units=[4], class_weight="balanced", dir=str(here), **QUICK)
    assert_same(search.trials[0], by_fit(lambda: softmax(4), *TRAIN, validation_data=VAL, class_weight=each))


def test_weights_of_classes_need_classes(here):
    with pytest.raises(UsageError, match="single output"):
        tune(two_heads, (X, [Y3, X[:, 0]]), units=[4], axis={"as_dict": [False]}, class_weight="balanced", dir=str(here), **QUICK)


def test_callbacks_are_made_for_each_trial(here):
    def callbacks(values):
        return [keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 / values["units"]), keras.callbacks.CSVLogger("log.csv")]

    search = tune(softmax, TRAIN, validation_data=VAL, units=[3, 4], callbacks=callbacks, dir=str(here), **QUICK)
    for trial in search.trials:
        units = trial.values["units"]
        own = callbacks(trial.values)[:1]
        assert_same(trial, by_fit(lambda units=units: softmax(units), *TRAIN, validation_data=VAL, callbacks=own))
    assert sorted(path.parent.name for path in search.directory.rglob("log.csv")) == ["trial_0", "trial_1"]


@pytest.mark.parametrize("as_dict", cases([False, True], [True]))
def test_several_outputs_are_compiled_each_for_its_labels(as_dict, here):
    y = {"kind": Y3, "size": X[:, 1]} if as_dict else [Y3, X[:, 1]]
    part = lambda rows: keras.tree.map_structure(lambda each: each[rows], y)  # noqa: E731
    train, val = (X[:64], part(slice(64))), (X[64:], part(slice(64, None)))
    terms = {**QUICK, "validation_data": val, "dir": str(here), "objective": "val_kind_accuracy"}
    search = tune(two_heads, train, units=[4], axis={"as_dict": [as_dict]}, **terms)

    def compiled():
        model = two_heads(4, as_dict)
        losses, metrics = ["sparse_categorical_crossentropy", "mean_squared_error"], [["accuracy"], ["mean_absolute_error"]]
        names = ["kind", "size"]
        if as_dict:
            losses, metrics = dict(zip(names, losses, strict=True)), dict(zip(names, metrics, strict=True))
        model.compile("adam", losses, metrics=metrics)
        return model

    assert_same(search.trials[0], by_fit(compiled, *train, validation_data=val))
    assert search.best.score == max(search.trials[0].history["val_kind_accuracy"])
    assert search.best_model.count_params() == two_heads(4, as_dict).count_params()


def test_labels_and_outputs_that_do_not_go_together(here):
    with pytest.raises(UsageError, match="2 outputs"):
        tune(two_heads, (X, Y3), units=[4], axis={"as_dict": [False]}, dir=str(here), **QUICK)
    with pytest.raises(UsageError, match="1 output and y"):
        tune(softmax, (X, {"a": Y3, "b": Y3}), units=[4], dir=str(here), **QUICK)


SCORES = {3: (3.0, 1.0, 2.0), 4: (9.0, 8.0, 7.0)}


class Looping(keras_tuner.HyperModel):
    """A training loop of its own, as KerasTuner's guide has it: it tells the callbacks, and returns its best."""

    def build(self, hp):
        return keras.Sequential([keras.Input((6,)), layers.Dense(hp.Choice("units", [3, 4]), kernel_initializer="zeros")])

    def fit(self, hp, model, x, y, validation_data, callbacks=None, **kwargs):
        for callback in callbacks:
            callback.set_model(model)
        for epoch, score in enumerate(SCORES[hp.get("units")]):
            model.layers[0].bias.assign_add(keras.ops.ones_like(model.layers[0].bias))
            for callback in callbacks:
                callback.on_epoch_end(epoch, logs={"my_metric": score})
        return min(SCORES[hp.get("units")])


def test_a_loop_of_ones_own_has_its_epochs_and_the_weights_of_the_best(here):
    search = tune(
        Looping(), TRAIN, validation_data=VAL, objective=keras_tuner.Objective("my_metric", "min"), dir=str(here), **QUICK
    )
    assert [trial.history["my_metric"] for trial in search.trials] == [SCORES[3], SCORES[4]]
    assert (search.best.score, search.best.best_epoch) == (1.0, 2)
    np.testing.assert_array_equal(search.best_model.layers[0].bias, 2.0)


class Fitted(keras_tuner.HyperModel):
    def build(self, hp):
        return softmax(hp.Choice("units", [3]))

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, shuffle=hp.Boolean("shuffle"), batch_size=hp.Choice("batch", [8]), **kwargs)


def test_a_hypermodel_fits_by_itself(here):
    search = tune(Fitted(), TRAIN, validation_data=VAL, dir=str(here), **QUICK)
    assert sorted(trial.values["shuffle"] for trial in search.trials) == [False, True]
    for trial in search.trials:
        shuffle = trial.values["shuffle"]
        assert_same(trial, by_fit(lambda: softmax(3), *TRAIN, validation_data=VAL, shuffle=shuffle, batch_size=8))
    with pytest.raises(UsageError, match=r"Fitted\(\)"):
        tune(Fitted, TRAIN, dir=str(here))


def test_metrics_beside_the_objective_are_logged(here):
    search = tune(softmax, TRAIN, units=[4], objective=["val_accuracy", "val_auc"], dir=str(here), **QUICK)
    assert "val_auc" in search.trials[0].history


class Inner(keras.Model):
    """Needs no labels: its loss is its own."""

    def __init__(self, units):
        super().__init__()
        self.inner, self.outer = layers.Dense(units), layers.Dense(6)

    def call(self, x):
        back = self.outer(self.inner(x))
        self.add_loss(keras.ops.mean((back - x) ** 2))
        return back


def unlabelled(units):
    model = Inner(units)
    model.compile("adam")
    return model


def test_a_model_may_need_no_labels(here):
    search = tune(unlabelled, TRAIN[0], validation_data=VAL[0], units=[3], dir=str(here), **QUICK)
    assert_same(search.trials[0], by_fit(lambda: unlabelled(3), TRAIN[0], validation_data=(VAL[0],)))
    with pytest.raises(UsageError, match="no labels"):
        tune(lambda units: keras.Sequential([keras.Input((6,)), layers.Dense(units)]), X, units=[3], dir=str(here), **QUICK)
    with pytest.raises(UsageError, match="no labels, and the loss that the function compiled needs some"):
        tune(softmax, TRAIN[0], validation_data=VAL[0], units=[3], dir=str(here), **QUICK)


def test_text_reaches_its_layers(here):
    words = np.array(["red", "green", "blue"])[Y3]

    def build():
        lookup = layers.StringLookup(vocabulary=["red", "green", "blue"], output_mode="one_hot")
        return keras.Sequential([keras.Input((1,), dtype="string"), lookup, layers.Dense(3, activation="softmax")])

    search = tune(build, (words[:, None], np.array(["c", "a", "b"])[Y3]), learning_rate=0.1, epochs=30, workers=0, dir=str(here))
    assert search.trials[0].status == "done", search.trials[0].error
    assert search.best.score > 0.9


def test_none_is_none_wherever_it_is_read(here):
    def build(units, clip):
        assert clip is None or clip == 0.5
        return softmax(units)

    search = tune(build, TRAIN, units=[4], clip=[None, 0.5], dir=str(here), **QUICK)
    assert [trial.values["clip"] for trial in search.trials] == [None, 0.5]
    assert build(**search.best_hyperparameters)
    assert search.best_model
    assert f"clip={search.best_hyperparameters['clip']}" in search.code()
