"""Cross-validation as people use it: the score, the table, out-of-fold predictions, the final model, and what is refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.model_selection import StratifiedKFold

import nbtune
from nbtune import tune
from nbtune.errors import UsageError
from tests.conftest import dense

TERMS = {"units": [8], "learning_rate": [0.03, 0.01], "epochs": 5, "patience": 2, "workers": 0}


@pytest.fixture(scope="module")
def found(flowers, tmp_path_factory):
    return tune(dense, flowers, folds=3, dir=str(tmp_path_factory.mktemp("folds")), **TERMS)


@pytest.fixture(scope="module")
def by_hand(found, flowers):
    """The best combination's histories and networks in each fold, and the rows."""
    x, y = flowers
    made = []
    for train, val in StratifiedKFold(3, shuffle=True, random_state=0).split(x, y):
        keras.utils.clear_session()
        keras.utils.set_random_seed(0)
        model = dense(1, 8)
        rate = found.best.values["learning_rate"]
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
        keras.utils.set_random_seed(0)
        stopper = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=2, restore_best_weights=True)
        terms = {"epochs": 5, "verbose": 0, "callbacks": [stopper], "validation_data": (x[val], y[val])}
        made.append((model.fit(x[train], y[train], **terms).history, model, val))
    return made


def test_the_score_is_the_mean_over_the_folds(found, by_hand):
    scores = [max(history["val_accuracy"]) for history, _, _ in by_hand]
    assert found.best.scores == pytest.approx(scores)
    assert found.best.score == pytest.approx(np.mean(scores))
    assert found.best.std == pytest.approx(np.std(scores, ddof=1))
    assert found.plan.held_out == "3 folds of 90 rows, stratified by class"
    assert "Cross-validated in 3 folds of 90 rows, stratified by class." in found._run.progress.notes


def test_out_of_fold_predictions_are_in_the_order_of_the_data(found, by_hand, flowers):
    x, y = flowers
    expected = np.empty((90, 3))
    for _, model, val in by_hand:
        expected[val] = model.predict(x[val], verbose=0)
    np.testing.assert_allclose(found.oof, expected, rtol=1e-4, atol=1e-5)
    assert (found.oof.argmax(axis=1) == y).mean() == pytest.approx(found.best.score)  # the folds are of one size


def test_the_table_has_the_columns_of_scikit_learn(found):
    frame = found.to_frame()
    splits = frame[[f"split{i}_test_score" for i in range(3)]]
    np.testing.assert_allclose(frame.mean_test_score, splits.mean(axis=1))
    np.testing.assert_allclose(frame.std_test_score, splits.std(axis=1, ddof=0))
    assert frame.param_learning_rate.tolist() == [0.03, 0.01]
    assert frame.params.iloc[0] == {"units": 8, "learning_rate": 0.03}
    best = frame.mean_test_score.max()
    assert [rank == 1 for rank in frame.rank_test_score] == [score == best for score in frame.mean_test_score]


def test_the_final_model_trains_on_all_rows_for_the_median_of_the_best_epochs(found, flowers):
    x, y = flowers
    epochs = sorted(found.best.best_epochs)[1]
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    model = dense(1, 8)
    model.compile(keras.optimizers.Adam(found.best.values["learning_rate"]), "sparse_categorical_crossentropy")
    keras.utils.set_random_seed(0)
    model.fit(x, y, epochs=epochs, verbose=0)
    np.testing.assert_allclose(found.refit().predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-4, atol=1e-5)


def test_the_best_network_is_that_of_the_best_fold(found, by_hand, flowers):
    _, model, _ = by_hand[int(np.argmax(found.best.scores))]
    np.testing.assert_allclose(found.best_model.predict(flowers[0], verbose=0), model.predict(flowers[0], verbose=0), atol=1e-5)
    assert found.verify().difference < 1e-4


def test_the_code_finds_the_same_scores_in_each_fold(found, flowers):
    names = {"x": flowers[0], "y": flowers[1]}
    exec(str(found.code()), names)
    assert names["scores"] == pytest.approx(found.best.scores, rel=1e-5)


def test_going_on_and_more_folds(found, flowers):
    again = tune(dense, flowers, folds=3, dir=str(found.directory.parent), **TERMS)
    assert again.best.scores == found.best.scores
    assert "nothing left to train" in " ".join(again._run.notes)
    other = tune(dense, flowers, folds=4, plan=True, dir=str(found.directory.parent), **TERMS)
    assert other.coverage.pending == 2


def test_layers_around_the_function_stay_as_they_are(flowers, here):
    x, y = flowers
    norm = layers.Normalization()
    norm.adapt(x)
    before = np.asarray(norm.adapt_mean)

    def build(units):
        return keras.Sequential([keras.Input((4,)), norm, layers.Dense(units), layers.Dense(3, activation="softmax")])

    search = tune(build, flowers, folds=2, units=[4], epochs=1, workers=0)
    fold = int(np.argmax(search.best.scores))
    train, _ = list(StratifiedKFold(2, shuffle=True, random_state=0).split(x, y))[fold]
    np.testing.assert_allclose(search.best_model.layers[0].adapt_mean, x[train].mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(norm.adapt_mean, before)


ROWS = np.arange(12.0)
WRONG = {
    "too few": ({"folds": 1}, "1 is too few"),
    "no number": ({"folds": "five"}, "neither a number of folds"),
    "time, too few": ({"folds": "time:1"}, "'time:1' is too few"),
    "a share": ({"folds": 0.2}, "neither a number of folds"),
    "more than rows": ({"folds": 13}, "12 rows are too few for 13 folds"),
    "time, more than rows": ({"folds": "time:12"}, "12 rows are too few for 12 folds in the order of time"),
    "a rare class": ({"folds": 5}, "class 1 has 3 rows, too few to be in each of 5 folds; take --folds 3 or leave them out"),
    "validation data": ({"folds": 3, "validation_data": (ROWS[:, None], ROWS > 8)}, "leave out --validation-data"),
    "a split": ({"folds": 3, "validation_split": 0.3}, "leave out --validation-split"),
    "groups alone": ({"groups": ROWS}, "add --folds 5"),
    "groups of other rows": ({"folds": 3, "groups": ROWS[:9]}, "groups has 9 values and the data 12 rows"),
    "groups with gaps": ({"folds": 3, "groups": np.where(ROWS > 9, np.nan, ROWS)}, "groups has 2 missing values"),
    "few groups": ({"folds": 3, "groups": ROWS > 5}, "groups has 2 groups, too few for 3 folds"),
    "groups in two dimensions": ({"folds": 3, "groups": np.ones((12, 2))}, "one value for each row"),
    "groups in time": ({"folds": "time:3", "groups": ROWS}, "do not go together"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused(name, here):
    def build(units):
        return keras.Sequential([keras.Input((1,)), layers.Dense(units), layers.Dense(2, activation="softmax")])

    options, said = WRONG[name]
    with pytest.raises(UsageError, match=said) as caught:
        tune(build, (ROWS[:, None], (ROWS > 8).astype(int)), units=[2], workers=0, **options)
    assert "\n" not in str(caught.value)


def test_a_dataset_that_is_read_anew_has_no_folds(here):
    import tensorflow as tf

    def rows():
        return tf.data.Dataset.from_tensor_slices((np.random.rand(8, 1), np.arange(8) % 2)).batch(4)

    with pytest.raises(UsageError, match="folds need the rows in memory"):
        tune(dense, rows, folds=2, units=[2], steps_per_epoch=2, workers=0)


def test_without_folds_there_are_no_predictions(flowers, here):
    search = tune(dense, flowers, units=[2], epochs=1, workers=0)
    with pytest.raises(UsageError, match="add --folds 5"):
        _ = search.oof
    assert not [name for name in search.to_frame() if name.startswith("split")]
    assert isinstance(search, nbtune.Search)
