"""Mistakes, in words."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from nbtune.ask.options import Options
from nbtune.errors import LONGEST, BuildError, UsageError, did_you_mean, quoted


@pytest.mark.parametrize(
    ("word", "hint"),
    [("unit", "; did you mean 'units'?"), ("epoch", "; did you mean 'epochs'?"), ("zzz", ""), ("", "")],
)
def test_the_nearest_word_is_suggested(word, hint):
    assert did_you_mean(word, ["units", "epochs", "layers"]) == hint


def test_nothing_is_near_where_nothing_is_known():
    assert did_you_mean("units", []) == ""


def test_a_usage_error_is_a_value_error():
    with pytest.raises(ValueError, match=r"^too few$"):
        raise UsageError("too few")
    assert issubclass(BuildError, UsageError)


@pytest.mark.parametrize("message", ["two\nlines", "two\r\nlines", "two\u2028lines", "two\x0blines"])
def test_a_usage_error_is_one_line_whatever_it_quotes(message):
    assert str(UsageError(message)) == "two lines"


def test_a_build_error_keeps_the_lines_of_the_traceback():
    text = "build raised\n  File 'cell', line 1\nValueError: no"
    assert str(BuildError(text)) == text


@pytest.mark.parametrize("error", [UsageError("no such loss"), BuildError("build raised\nValueError: no")])
def test_errors_travel_between_processes(error):
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)


@pytest.mark.parametrize(
    ("thing", "shown"),
    [
        (np.zeros((3000, 6)), "ndarray of shape (3000, 6)"),
        (pd.DataFrame({"a": [1, 2]}), "DataFrame of shape (2, 1)"),
        (np.float64(0.5), repr(np.float64(0.5))),
        ("adm", "'adm'"),
        (None, "None"),
    ],
)
def test_arrays_are_quoted_by_their_shape(thing, shown):
    assert quoted(thing) == shown


def test_of_long_things_the_beginning_is_quoted():
    assert quoted(list(range(1000))).startswith("[0, 1, 2")
    assert len(quoted(list(range(1000)))) == LONGEST


@pytest.mark.parametrize("name", ["epochs", "shuffle", "engine", "dir", "objective", "folds", "patience", "where"])
def test_an_option_is_no_array(name):
    with pytest.raises(UsageError) as caught:
        Options.of(**{name: np.zeros((3000, 6))})
    assert str(caught.value) == f"{name} takes no array, and this is one: ndarray of shape (3000, 6)"


def test_class_weights_of_scikit_learn_are_to_be_a_dict():
    with pytest.raises(UsageError, match=r"ndarray of shape \(2,\) is neither .* dict\(enumerate\(weights\)\)"):
        Options.of(class_weight=np.array([0.6, 3.0]))
