"""Labels: what they are, which losses fit them, and how each loss gets them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtune.ask import names
from nbtune.ask.labels import CLASSES, MULTI_LABEL, NUMBERS, ONE_HOT, Labels
from nbtune.errors import UsageError

INTEGERS = np.array([0, 2, 1, 2, 0])
ONE_HOTS = np.eye(3)[INTEGERS]
BINARY = np.array([0, 1, 1, 0, 1])
SEVERAL = np.array([[1, 1, 0], [0, 0, 0], [0, 1, 0]])
PRICES = np.array([1.5, 2.25, 3.0, -1.0])
WHOLE_PRICES = np.array([150, 225, 300, 225])
SIGNS = np.array([-1, 1, 1, -1])
TWO_TARGETS = np.array([[1.5, 2.0], [0.1, 7.0], [3.0, 1.0]])


# ---- what they are


@pytest.mark.parametrize(
    ("y", "losses", "units", "form", "size"),
    [
        (INTEGERS, [], None, CLASSES, 3),
        (INTEGERS, [], 3, CLASSES, 3),
        (INTEGERS, [], 10, CLASSES, 3),
        (INTEGERS.astype("uint8"), [], 3, CLASSES, 3),
        (INTEGERS[:, None], ["sparse_categorical_crossentropy"], 3, CLASSES, 3),
        (INTEGERS, ["categorical_crossentropy", "mean_squared_error"], 3, CLASSES, 3),
        (INTEGERS, ["mean_squared_error"], 3, CLASSES, 3),
        (INTEGERS, ["mean_squared_error"], 1, NUMBERS, 1),
        (INTEGERS.astype("float32"), ["sparse_categorical_crossentropy"], 3, CLASSES, 3),
        (BINARY, [], 1, CLASSES, 2),
        (BINARY, ["binary_crossentropy"], 1, CLASSES, 2),
        (BINARY.astype(bool), ["binary_crossentropy"], 1, CLASSES, 2),
        (BINARY.astype("float32"), ["binary_crossentropy", "mean_squared_error"], 1, CLASSES, 2),
        (BINARY[:, None], [], 1, CLASSES, 2),
        (BINARY, ["hinge"], 1, CLASSES, 2),
        (ONE_HOTS, [], 3, ONE_HOT, 3),
        (ONE_HOTS.astype(int), ["categorical_crossentropy"], 3, ONE_HOT, 3),
        (ONE_HOTS.astype(bool), ["sparse_categorical_crossentropy"], 3, ONE_HOT, 3),
        (np.eye(2)[BINARY], ["binary_crossentropy"], 1, ONE_HOT, 2),
        (SEVERAL, [], 3, MULTI_LABEL, 3),
        (SEVERAL, ["binary_crossentropy"], 3, MULTI_LABEL, 3),
        (PRICES, [], 1, NUMBERS, 1),
        (PRICES[:, None], ["huber", "mean_absolute_error"], 1, NUMBERS, 1),
        (WHOLE_PRICES, ["mean_squared_error"], 1, NUMBERS, 1),
        (WHOLE_PRICES.astype("float32"), [], 1, NUMBERS, 1),
        (np.array([-1, 0, 1]), [], 1, NUMBERS, 1),
        (SIGNS, ["mean_squared_error"], 1, NUMBERS, 1),
        (TWO_TARGETS, [], 2, NUMBERS, 2),
        (TWO_TARGETS, ["mean_squared_error"], 2, NUMBERS, 2),
    ],
)
def test_labels_are_recognised(y, losses, units, form, size):
    labels = Labels.of(y, losses, units)
    assert (labels.form, labels.size) == (form, size)
    assert labels.are_classes == (form != NUMBERS)


@pytest.mark.parametrize("alias", ["mse", "mae", "msle"])
def test_a_short_name_of_a_loss_counts_as_the_loss(alias):
    assert Labels.of(WHOLE_PRICES, [alias], 1) == Labels.of(WHOLE_PRICES, [names.canonical(alias)], 1) == Labels(NUMBERS, 1)


# ---- what is usual for them


@pytest.mark.parametrize(
    ("form", "units", "loss", "metric"),
    [
        (CLASSES, 3, "sparse_categorical_crossentropy", "accuracy"),
        (CLASSES, 1, "binary_crossentropy", "accuracy"),
        (ONE_HOT, 3, "categorical_crossentropy", "accuracy"),
        (ONE_HOT, 1, "binary_crossentropy", "accuracy"),
        (MULTI_LABEL, 3, "binary_crossentropy", "binary_accuracy"),
        (NUMBERS, 1, "mean_squared_error", "mean_absolute_error"),
        (NUMBERS, 4, "mean_squared_error", "mean_absolute_error"),
    ],
)
def test_the_usual_loss_and_metric(form, units, loss, metric):
    labels = Labels(form, 3)
    assert labels.default_loss(units) == loss
    assert labels.metric == metric


@pytest.mark.parametrize(
    ("y", "units"), [(INTEGERS, 3), (BINARY, 1), (BINARY, 2), (ONE_HOTS, 3), (SEVERAL, 3), (PRICES, 1), (TWO_TARGETS, 2)]
)
def test_the_usual_loss_fits_the_labels_it_is_usual_for(y, units):
    labels = Labels.of(y, [], units)
    assert Labels.of(y, [labels.default_loss(units)], units) == labels


# ---- how a loss gets them


TWO_OR_MORE = st.lists(st.integers(0, 6), min_size=2, max_size=30).filter(lambda classes: len(set(classes)) > 1)


@pytest.mark.parametrize("y", [np.zeros(5, int), np.full((5, 1), 3), np.ones(5, bool)])
def test_one_class_is_nothing_to_learn(y):
    with pytest.raises(UsageError, match="nothing to tell apart"):
        Labels.of(y, ["binary_crossentropy"])


@given(TWO_OR_MORE, st.integers(0, 3), st.booleans())
def test_one_hot_rows_have_their_one_at_the_class(classes, spare, as_column):
    y = np.array(classes)
    units = max(2, y.max() + 1 + spare)
    given = y[:, None] if as_column else y
    encoded = Labels.of(given, ["categorical_crossentropy"], units).encode(given, "categorical_crossentropy", units)
    assert encoded.shape == (len(y), units)
    assert encoded.dtype == "float32"
    assert (encoded.argmax(axis=1) == y).all()
    assert (encoded.sum(axis=1) == 1).all()


@pytest.mark.parametrize("units", [3, 5])
@pytest.mark.parametrize("loss", ["categorical_crossentropy", "binary_crossentropy", "mean_squared_error"])
def test_one_hot_rows_are_those_of_keras(loss, units):
    from keras.utils import to_categorical

    encoded = Labels.of(INTEGERS, [loss], units).encode(INTEGERS, loss, units)
    np.testing.assert_array_equal(encoded, to_categorical(INTEGERS, units))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_a_sparse_loss_gets_whole_numbers_from_one_hot_rows(classes):
    y = np.eye(7)[classes]
    encoded = Labels.of(y, ["sparse_categorical_crossentropy"], 7).encode(y, "sparse_categorical_crossentropy", 7)
    assert encoded.shape == (len(y),)
    assert encoded.dtype.kind == "i"
    assert encoded.tolist() == classes


@pytest.mark.parametrize("loss", [*sorted(names.CLASS_LOSSES - names.SPARSE_LOSSES), "mean_squared_error", "huber"])
def test_every_loss_that_is_not_sparse_gets_the_shape_of_the_output(loss):
    labels = Labels.of(INTEGERS, [loss], 3)
    assert labels.encode(INTEGERS, loss, 3).tolist() == ONE_HOTS.tolist()


@pytest.mark.parametrize("y", [BINARY, BINARY[:, None], BINARY.astype(bool), np.eye(2)[BINARY]], ids=str)
@pytest.mark.parametrize("loss", ["binary_crossentropy", "bce", "hinge", "mean_squared_error"])
def test_one_output_gets_zeros_and_ones(y, loss):
    encoded = Labels.of(y, [loss], 1).encode(y, loss, 1)
    assert encoded.dtype == "float32"
    assert encoded.reshape(-1).tolist() == BINARY.tolist()


@pytest.mark.parametrize(
    ("y", "loss", "units"),
    [
        (PRICES, "mse", 1),
        (PRICES[:, None], "mean_absolute_error", 1),
        (WHOLE_PRICES, "huber", 1),
        (TWO_TARGETS, "mean_squared_error", 2),
        (SEVERAL, "binary_crossentropy", 3),
    ],
)
def test_numbers_stay_as_they_are(y, loss, units):
    encoded = Labels.of(y, [loss], units).encode(y, loss, units)
    assert encoded.dtype == "float32"
    np.testing.assert_array_equal(encoded, y.astype("float32"))


# ---- one class a row, for a stratified split


@pytest.mark.parametrize(
    ("y", "units", "strata"),
    [
        (INTEGERS, 3, INTEGERS),
        (INTEGERS[:, None], 3, INTEGERS),
        (ONE_HOTS, 3, INTEGERS),
        (BINARY, 1, BINARY),
        (np.eye(2)[BINARY], 2, BINARY),
    ],
)
def test_rows_of_one_class_are_stratified_by_it(y, units, strata):
    assert Labels.of(y, [], units).strata(y).tolist() == strata.tolist()


@pytest.mark.parametrize(("y", "units"), [(SEVERAL, 3), (PRICES, 1), (TWO_TARGETS, 2)])
def test_rows_without_a_single_class_have_no_strata(y, units):
    assert Labels.of(y, [], units).strata(y) is None


# ---- what does not fit


@pytest.mark.parametrize(
    ("y", "losses", "units", "words"),
    [
        (np.array(["setosa", "virginica"]), [], None, ["text like 'setosa'", "np.unique"]),
        (np.array(["a", "b"], dtype=object), ["categorical_crossentropy"], 2, ["text like 'a'"]),
        (np.array([None, 1], dtype=object), [], None, ["object"]),
        (np.array(["2024-01-01"], dtype="datetime64[D]"), [], None, ["datetime64"]),
        (PRICES, ["categorical_crossentropy"], None, ["categorical_crossentropy", "1.5", "mean_squared_error"]),
        (PRICES, ["mse", "sparse_categorical_crossentropy"], None, ["sparse_categorical_crossentropy", "numbers"]),
        (PRICES, ["binary_crossentropy"], 1, ["binary_crossentropy", "numbers"]),
        (TWO_TARGETS, ["categorical_crossentropy"], 2, ["categorical_crossentropy", "numbers"]),
        (SEVERAL, ["categorical_crossentropy"], 3, ["categorical_crossentropy", "binary_crossentropy"]),
        (SEVERAL, ["sparse_categorical_crossentropy"], None, ["one class a row", "binary_crossentropy"]),
        (INTEGERS, ["categorical_crossentropy"], 1, ["1 unit", "3 classes"]),
        (INTEGERS, ["sparse_categorical_crossentropy"], 1, ["1 unit", "3"]),
        (INTEGERS, ["binary_crossentropy"], 1, ["1 unit", "3 classes"]),
        (BINARY, ["categorical_crossentropy"], 1, ["1 unit", "2"]),
        (INTEGERS, ["mean_squared_error", "categorical_crossentropy"], 1, ["1 unit"]),
        (INTEGERS, [], 2, ["2 units", "up to 2", "end it in 3"]),
        (INTEGERS + 1, [], 3, ["3 units", "up to 3"]),
        (ONE_HOTS, [], 4, ["4 units", "3 columns"]),
        (ONE_HOTS, [], 1, ["1 unit", "3 columns"]),
        (TWO_TARGETS, [], 3, ["3 units", "2 targets"]),
        (PRICES, [], 2, ["2 units", "1 target"]),
        (SEVERAL, [], 2, ["2 units", "3 targets"]),
        (SIGNS, [], 1, ["-1 and 1", "(y > 0)", "mean_squared_error"]),
        (SIGNS, ["binary_crossentropy"], None, ["-1 and 1", "(y > 0)"]),
        (SIGNS[:, None], ["sparse_categorical_crossentropy"], 2, ["-1 and 1", "(y > 0)"]),
    ],
)
def test_what_does_not_fit_is_a_mistake_in_one_line(y, losses, units, words):
    with pytest.raises(UsageError) as error:
        Labels.of(y, losses, units)
    text = str(error.value)
    assert len(text.splitlines()) == 1
    assert all(word in text for word in words), text


def test_whole_numbers_for_a_model_that_ends_in_one_unit_are_told_of_regression_too():
    with pytest.raises(UsageError, match="mean_squared_error"):
        Labels.of(WHOLE_PRICES, [], 1)
