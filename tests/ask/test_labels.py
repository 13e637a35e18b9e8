"""Labels: what they are, which losses fit them, and how each loss gets them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtune.ask import names
from nbtune.ask.labels import AS_GIVEN, CLASSES, MULTI_LABEL, NUMBERS, ONE_HOT, TO_CLASSES, TO_ONE_HOT, Labels
from nbtune.ask.logged import usual_objective
from nbtune.ask.targets import Output, Targets
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
        (SIGNS, ["hinge"], 1, NUMBERS, 1),
        (SIGNS, ["squared_hinge"], 1, NUMBERS, 1),
        (TWO_TARGETS, [], 2, NUMBERS, 2),
        (TWO_TARGETS, ["mean_squared_error"], 2, NUMBERS, 2),
    ],
)
def test_labels_are_recognised(y, losses, units, form, size):
    labels = Labels.of(y, losses, units and (units,))
    assert (labels.form, labels.size) == (form, size)
    assert labels.are_classes == (form != NUMBERS)


@pytest.mark.parametrize("alias", ["mse", "mae", "msle"])
def test_a_short_name_of_a_loss_counts_as_the_loss(alias):
    assert Labels.of(WHOLE_PRICES, [alias], (1,)) == Labels.of(WHOLE_PRICES, [names.canonical(alias)], (1,)) == Labels(NUMBERS, 1)


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
    labels = Labels.of(y, [], (units,))
    assert Labels.of(y, [labels.default_loss(units)], (units,)) == labels


# ---- what has to be done to them for a loss


@pytest.mark.parametrize("y", [np.zeros(5, int), np.full((5, 1), 3), np.ones(5, bool)])
def test_one_class_is_nothing_to_learn(y):
    with pytest.raises(UsageError, match="nothing to tell apart"):
        Labels.of(y, ["binary_crossentropy"])


@given(st.sampled_from(sorted(names.LOSSES)), st.integers(1, 5))
def test_only_a_sparse_loss_takes_classes_as_they_are_where_there_are_several_units(loss, units):
    is_sparse = "sparse" in loss
    assert Labels(CLASSES, 3).encoding(loss, units) == (TO_ONE_HOT if units > 1 and not is_sparse else AS_GIVEN)
    assert Labels(ONE_HOT, 3).encoding(loss, units) == (TO_CLASSES if units == 1 or is_sparse else AS_GIVEN)
    assert Labels(NUMBERS, 3).encoding(loss, units) == AS_GIVEN


def test_keras_itself_finds_out_what_accuracy_is_meant():
    assert Labels(CLASSES, 3).encoding("accuracy", 3) == AS_GIVEN


# ---- labels for each step or pixel of a row


TAGS = np.arange(14).reshape(2, 7) % 4


@pytest.mark.parametrize(
    ("y", "output", "form", "size", "loss"),
    [
        (TAGS, (7, 4), CLASSES, 4, "sparse_categorical_crossentropy"),
        (TAGS, (None, 4), CLASSES, 4, "sparse_categorical_crossentropy"),
        (TAGS[..., None], (7, 4), CLASSES, 4, "sparse_categorical_crossentropy"),
        (np.eye(4)[TAGS], (7, 4), ONE_HOT, 4, "categorical_crossentropy"),
        (TAGS / 3, (7, 1), NUMBERS, 1, "mean_squared_error"),
        (TAGS[..., None] / 3, (7, 1), NUMBERS, 1, "mean_squared_error"),
        (TAGS.reshape(2, 7, 1, 1) % 2, (7, 1, 1), CLASSES, 2, "binary_crossentropy"),
        (TAGS % 2, (7, 1), CLASSES, 2, "binary_crossentropy"),
    ],
)
def test_labels_of_steps_are_read_by_the_whole_output(y, output, form, size, loss):
    labels = Labels.of(y, [], output)
    assert labels == Labels(form, size, spread=True)
    assert labels.default_loss(output[-1]) == loss
    assert labels.strata(y) is None


def test_an_output_of_another_shape_is_a_mistake():
    with pytest.raises(UsageError, match=r"\(7, 3\).*one number"):
        Labels.of(INTEGERS, [], (7, 3))
    with pytest.raises(UsageError, match="up to 3"):
        Labels.of(TAGS, [], (7, 3))


def test_numbers_between_0_and_1_fit_the_binary_crossentropy():
    assert Labels.of(TWO_TARGETS / 10, ["binary_crossentropy"], (2,)).form == NUMBERS


def test_whole_numbers_in_floats_may_have_been_meant_as_classes():
    with pytest.raises(UsageError, match=r"y.astype\(int\)"):
        Labels.of(INTEGERS.astype(float), [], (3,))


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
    assert Labels.of(y, [], (units,)).strata(y).tolist() == strata.tolist()


@pytest.mark.parametrize(("y", "units"), [(PRICES, 1), (TWO_TARGETS, 2)])
def test_rows_without_a_single_class_have_no_strata(y, units):
    assert Labels.of(y, [], (units,)).strata(y) is None


def test_a_row_of_several_labels_counts_as_its_rarest():
    y = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 0, 1], [1, 1, 0]])
    assert Labels.of(y, [], (3,)).strata(y).tolist() == [1, 0, -1, 2, 1]


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
        (INTEGERS + 1, [], 3, ["3 units", "from 1 to 3", "y - 1"]),
        (BINARY + 1, [], 1, ["1 unit", "from 1 to 2", "y - 1"]),
        (INTEGERS * 5, [], 3, ["are 0, 5, 10", "return_inverse"]),
        (INTEGERS + 1.0, [], 3, ["floats", "(y - 1).astype(int)"]),
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
        Labels.of(y, losses, units and (units,))
    text = str(error.value)
    assert len(text.splitlines()) == 1
    assert all(word in text for word in words), text


def test_whole_numbers_for_a_model_that_ends_in_one_unit_are_told_of_regression_too():
    with pytest.raises(UsageError, match="mean_squared_error"):
        Labels.of(WHOLE_PRICES, [], (1,))


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_hinge_takes_signs(loss):
    assert Labels.of(SIGNS, [loss], (1,)).form == NUMBERS
    compiled = Targets.of(SIGNS, (Output("out", (1,), loss),), [], True)
    assert usual_objective(compiled, ["loss"]).name == "val_loss"  # the distance to a sign says little
