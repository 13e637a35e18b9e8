"""Which rows train and which validate in each fold of a cross-validation: scikit-learn's splitters."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from nbtune.ask.folds import Folds
from nbtune.data.rows import Data
from nbtune.errors import UsageError


class Fold(NamedTuple):
    """Row numbers to train and to validate on."""

    train: np.ndarray
    val: np.ndarray


def with_folds(data: Data, folds: Folds | None, groups: Any = None) -> Data:
    """The data, to be cross-validated instead of split once.

    Args:
        groups: a value for each row, `(rows,)`; rows of one value stay on one side.

    Raises:
        UsageError: data that have no rows to choose from, too few rows, or groups that are not one a row.
    """
    if folds is None:
        if groups is not None:
            raise UsageError("groups are for cross-validation; add --folds 5", "groups")
        return data
    if data.stream is not None:
        raise UsageError("folds need the rows in memory, and this dataset is read in each epoch; give arrays, or add --cache")
    if data.rows < folds.count + folds.by_time:
        raise UsageError(f"{data.rows:,} rows are too few for {folds.count:,} folds{' in the order of time' * folds.by_time}")
    if groups is not None and folds.by_time:
        raise UsageError("groups and the order of time do not go together; give --folds 5 --groups G or --folds time:5", "groups")
    return replace(data, split=0.0, folds=folds, groups=None if groups is None else _grouped(groups, data.rows, folds))


def _grouped(groups: Any, rows: int, folds: Folds) -> np.ndarray:
    """The number of each row's group, `(rows,)`."""
    import pandas

    try:
        found = np.asarray(groups)
    except ValueError:
        found = np.empty(0)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        raise UsageError("groups must be one value for each row, like a column of the table", "groups")
    if len(found) != rows:
        raise UsageError(f"groups has {len(found):,} values and the data {rows:,} rows; they must be the same rows", "groups")
    if missing := int(pandas.isna(found).sum()):
        raise UsageError(f"groups has {missing:,} missing value{'s' * (missing > 1)}; each row needs a group", "groups")
    try:
        names, numbers = np.unique(found, return_inverse=True)
    except TypeError:  # of several kinds
        names, numbers = np.unique(found.astype(str), return_inverse=True)
    if len(names) < folds.count:
        count = f"{len(names):,} group{'s' * (len(names) != 1)}"
        raise UsageError(f"groups has {count}, too few for {folds.count:,} folds; take at most one fold a group", "groups")
    return np.asarray(numbers)


def fold_rows(data: Data, strata: np.ndarray | None, seed: int) -> list[Fold]:
    """The folds, each sorted by row.

    Args:
        strata: `(rows,)`, a class a row to stratify by; None: at random.

    Raises:
        UsageError: a class of fewer rows than there are folds.
    """
    assert data.folds is not None
    count, rows = data.folds.count, np.arange(data.rows)
    if strata is not None and not data.folds.by_time and data.shuffle:
        _check_classes(strata, count, data.groups)
    with warnings.catch_warnings():  # of classes that are in few groups
        warnings.simplefilter("ignore", UserWarning)
        found = list(_splitter(data, strata is not None, seed).split(rows, strata, data.groups))
    return [Fold(np.asarray(train), np.asarray(val)) for train, val in found]


def _check_classes(strata: np.ndarray, count: int, groups: np.ndarray | None) -> None:
    classes, counts = np.unique(strata, return_counts=True)
    if counts.min() < count:
        rare, rows = classes[counts.argmin()], int(counts.min())
        less = f"take --folds {rows} or leave them out" if rows > 1 else "leave it out"
        raise UsageError(f"class {rare} has {rows} row{'s' * (rows > 1)}, too few to be in each of {count:,} folds; {less}")


def _splitter(data: Data, stratified: bool, seed: int) -> Any:
    from sklearn import model_selection as sklearn  # a second to import: only where it is used

    assert data.folds is not None
    count = data.folds.count
    if data.folds.by_time:
        return sklearn.TimeSeriesSplit(count)
    if data.groups is not None:
        if stratified:
            return sklearn.StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        return sklearn.GroupKFold(count)
    if not data.shuffle:
        return sklearn.KFold(count)
    return (sklearn.StratifiedKFold if stratified else sklearn.KFold)(count, shuffle=True, random_state=seed)


def splitter_in_python(data: Data, stratified: bool, seed: int) -> str:
    """The splitter of `fold_rows` as an expression, its class first."""
    return repr(_splitter(data, stratified, seed))


def in_words(data: Data, how: str) -> str:
    """`5 folds of 360 rows, stratified by class`.

    Args:
        how: a single split would be made.
    """
    assert data.folds is not None
    if data.folds.by_time:
        how = "in the order of time, each trained on what comes before"
    elif data.groups is not None:
        how = f"of whole groups, {how}" if how.startswith("stratified") else "of whole groups"
    elif not data.shuffle:
        how = "in the order of the rows"
    return f"{data.folds.count:,} folds of {data.rows:,} rows, {how}"
