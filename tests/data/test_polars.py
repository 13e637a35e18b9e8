"""polars DataFrames and Series: as themselves where polars is installed, and as stand-ins that answer as they do."""

from __future__ import annotations

import numpy as np
import pytest

from nbtune.data.read import read_data
from nbtune.errors import UsageError

NUMBERS = {"age": np.array([20, 30, 40, 50]), "income": np.array([1.5, 2.5, 3.5, 4.5])}
KINDS = {"age": NUMBERS["age"], "job": np.array(["cook", "nurse", "cook", "pilot"], object)}
LABELS = np.array([0, 1, 0, 1])


class Series:
    __module__ = "polars.series.series"

    def __init__(self, name, values):
        self._values = values

    def to_numpy(self):
        return self._values


class DataFrame:
    __module__ = "polars.dataframe.frame"

    def __init__(self, columns):
        self._columns, self.columns = columns, list(columns)

    def __getitem__(self, name):
        return Series(name, self._columns[name])

    def to_numpy(self):
        return np.column_stack(list(self._columns.values()))


class LazyFrame:
    __module__ = "polars.lazyframe.frame"

    def __init__(self, columns):
        self._columns = columns

    def collect(self):
        return DataFrame(self._columns)


STAND_INS = DataFrame, LazyFrame, Series


def real():
    polars = pytest.importorskip("polars")
    return polars.DataFrame, polars.LazyFrame, polars.Series


@pytest.fixture(params=["stand-ins", "polars"])
def kinds(request):
    return STAND_INS if request.param == "stand-ins" else real()


def test_numbers_are_one_array(kinds):
    frame, lazy, series = kinds
    for made in (frame(NUMBERS), lazy(NUMBERS)):
        data = read_data((made, series("y", LABELS)))
        np.testing.assert_array_equal(data.x, np.column_stack(list(NUMBERS.values())))
        np.testing.assert_array_equal(data.y, LABELS)


def test_columns_of_several_kinds_are_a_dict(kinds):
    frame, _, series = kinds
    data = read_data((frame(KINDS), series("y", LABELS)))
    assert list(data.x) == ["age", "job"]
    assert data.x["job"].tolist() == [b"cook", b"nurse", b"cook", b"pilot"]


def test_what_is_missing_is_named(kinds):
    frame, _, series = kinds
    with pytest.raises(UsageError, match="column 'job'.*missing"):
        read_data((frame({**KINDS, "job": np.array(["cook", None, "cook", "pilot"], object)}), series("y", LABELS)))
