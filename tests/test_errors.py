"""Mistakes, in words."""

from __future__ import annotations

import pickle

import pytest

from nbtune.errors import BuildError, UsageError, did_you_mean


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
