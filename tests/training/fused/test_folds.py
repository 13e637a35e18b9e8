"""Cross-validation against scikit-learn's splitters and `model.fit`, on both engines."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from sklearn import model_selection as splitters
from sklearn.utils.class_weight import compute_sample_weight

from tests.cases import cases
from tests.training.fused.test_fit import alone, classifier, in_stacks, job_of, relu, rows  # noqa: F401 - a fixture among them

X, IMAGES, _, Y = rows()
X, IMAGES, Y = X[:101], IMAGES[:101], Y[:101]
GROUPS = np.repeat([f"day {i}" for i in range(12)], [3, 5, 30, 2, 9, 1, 4, 20, 7, 6, 10, 4])
TERMS = {"epochs": 5, "patience": 2, "objective": "val_loss"}


def by_hand(build, x, splits, values, seeds=(0,), weights=None, batch_size=32, balanced=False, optimizer=None):
    """The best validation loss and its epoch in each fold, and for each seed."""
    scores, epochs = [], []
    for seed in seeds:
        for train, val in splits:
            keras.utils.clear_session()
            keras.utils.set_random_seed(seed)
            model = build(**values)
            if hasattr(model, "norm"):
                model.norm.adapt(x[train])
            made = optimizer(len(train)) if optimizer else keras.optimizers.Adam(0.01)
            model.compile(made, "sparse_categorical_crossentropy")
            own = None if weights is None else weights[train]
            own = compute_sample_weight("balanced", Y[train]) if balanced else own
            held_out = (x[val], Y[val]) if weights is None else (x[val], Y[val], weights[val])
            keras.utils.set_random_seed(seed)
            stopper = keras.callbacks.EarlyStopping("val_loss", patience=2)
            terms = {"epochs": 5, "batch_size": batch_size, "verbose": 0, "callbacks": [stopper]}
            history = model.fit(x[train], Y[train], sample_weight=own, validation_data=held_out, **terms).history["val_loss"]
            scores.append(min(history))
            epochs.append(int(np.argmin(history)) + 1)
    return scores, epochs


def check(job, trials, expected, fused=True, both=False, rel=1e-5):
    """A stack comes to the scores by hand, which are those of the values of each trial; both: so does each trial alone."""
    ours = in_stacks(job, trials) if fused else {}
    for id, values in trials.items():
        scores, epochs = expected(values)
        theirs = alone(job, trials, id) if both or not fused else None
        for end in filter(None, (ours.get(id), theirs)):
            assert end.status == "done", end.error
            assert end.scores == pytest.approx(scores, rel=rel)
            assert end.best_epochs == epochs
            assert end.score == pytest.approx(np.mean(scores), rel=rel)


STRATIFIED = list(splitters.StratifiedKFold(3, shuffle=True, random_state=0).split(X, Y))
SPLITS = {
    "3": (STRATIFIED, {"folds": 3}),
    "in order": (list(splitters.KFold(3).split(X)), {"folds": 3, "shuffle": False}),
    "time:3": (list(splitters.TimeSeriesSplit(3).split(X)), {"folds": "time:3"}),
    "groups": (
        list(splitters.StratifiedGroupKFold(3, shuffle=True, random_state=0).split(X, Y, GROUPS)),
        {"folds": 3, "groups": list(GROUPS)},
    ),
}


def mlp(units):
    return classifier(lambda: layers.Dense(units, activation="relu"))()


@pytest.mark.parametrize("how", cases(["3", "time:3", "groups"], ["3", "time:3"]))
def test_the_scores_are_those_by_hand(job_of, how):  # noqa: F811
    splits, options = SPLITS[how]
    job, trials = job_of(mlp, (X, Y), units=[4], learning_rate=[0.01], **options, **TERMS)
    check(job, trials, lambda values: by_hand(mlp, X, splits, values_of(values)), both=how == "groups")


def test_in_the_order_of_the_rows(job_of):  # noqa: F811
    splits, options = SPLITS["in order"]
    job, _ = job_of(mlp, (X, Y), units=[4], learning_rate=[0.01], **options, **TERMS)
    from nbtune.data import arrays

    for ours, theirs in zip(arrays.folds(job.folder), splits, strict=True):
        np.testing.assert_array_equal(ours.train, theirs[0])
        np.testing.assert_array_equal(ours.val, theirs[1])


@pytest.mark.slow
def test_with_repeats_each_seed_sees_each_fold(job_of):  # noqa: F811
    job, trials = job_of(mlp, (X, Y), units=[4], learning_rate=[0.01], folds=3, repeats=2, **TERMS)
    check(job, trials, lambda values: by_hand(mlp, X, STRATIFIED, values_of(values), seeds=(0, 1)), both=True)


def values_of(values):
    return {"units": values["units"]}


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [80, 13])
def test_batches_that_folds_fill_differently(job_of, batch_size):  # noqa: F811
    """Of 67 and 68 rows: one batch that none fills, or as many of one row more or less."""
    job, trials = job_of(mlp, (X, Y), units=[4], learning_rate=[0.01], folds=3, batch_size=[batch_size], **TERMS)
    check(job, trials, lambda values: by_hand(mlp, X, STRATIFIED, values_of(values), batch_size=batch_size))


@pytest.mark.slow
def test_weights_of_rows(job_of):  # noqa: F811
    weights = np.linspace(0.5, 2, len(X)).astype("float32")
    job, trials = job_of(mlp, (X, Y, weights), units=[4], learning_rate=[0.01], folds=3, **TERMS)
    check(job, trials, lambda values: by_hand(mlp, X, STRATIFIED, values_of(values), weights=weights))


@pytest.mark.slow
def test_classes_are_balanced_by_the_training_rows_of_each_fold(job_of):  # noqa: F811
    job, trials = job_of(mlp, (X, Y), units=[4], learning_rate=[0.01], folds=3, class_weight="balanced", **TERMS)
    check(job, trials, lambda values: by_hand(mlp, X, STRATIFIED, values_of(values), balanced=True))


@pytest.mark.slow
def test_convolutions_and_batch_normalisation(job_of):  # noqa: F811
    def build(units):
        inner = [layers.Conv2D(units, 3), layers.BatchNormalization(), layers.Flatten()]
        return keras.Sequential([keras.Input((8, 8, 1)), *inner, layers.Dense(3, activation="softmax")])

    job, trials = job_of(build, (IMAGES, Y), units=[2], learning_rate=[0.01], folds=3, **TERMS)
    check(job, trials, lambda values: by_hand(build, IMAGES, STRATIFIED, values_of(values)), rel=2e-4)  # convolutions round


@pytest.mark.slow
def test_a_schedule_goes_by_the_steps_of_each_fold(job_of):  # noqa: F811
    """In the order of time a fold has more steps than the one before."""
    splits = SPLITS["time:3"][0]

    def optimizer(count):
        return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 5 * -(-count // 32)))

    job, trials = job_of(mlp, (X, Y), units=[4], learning_rate=[0.01], schedule=["cosine"], folds="time:3", **TERMS)
    check(job, trials, lambda values: by_hand(mlp, X, splits, values_of(values), optimizer=optimizer))


@pytest.mark.slow
def test_a_layer_that_was_adapted_sees_the_training_rows_of_the_fold_alone(job_of):  # noqa: F811
    shifted = (5 + X * np.arange(1, 9)).astype("float32")
    norm = layers.Normalization()
    norm.adapt(shifted)

    def around(units):
        return keras.Sequential([keras.Input((8,)), norm, layers.Dense(units), layers.Dense(3, activation="softmax")])

    def inside(units):
        model = around(units)
        own = layers.Normalization()
        own.adapt(shifted)
        return keras.Sequential([keras.Input((8,)), own, *model.layers[1:]])

    def anew(units):
        own = layers.Normalization()
        own.adapt(shifted)
        model = keras.Sequential([keras.Input((8,)), own, layers.Dense(units), layers.Dense(3, activation="softmax")])
        model.norm = own
        return model

    halves = list(splitters.StratifiedKFold(2, shuffle=True, random_state=0).split(shifted, Y))
    expected = by_hand(anew, shifted, halves, {"units": 4})
    for build in (around, inside):
        job, trials = job_of(build, (shifted, Y), units=[4], learning_rate=[0.01], folds=2, **TERMS)
        check(job, trials, lambda values: expected, fused=False)
    whole, _ = by_hand(lambda units: keras.Sequential(anew(units).layers), shifted, halves, {"units": 4})
    assert expected[0] != pytest.approx(whole, rel=1e-5)  # or the test would tell nothing
