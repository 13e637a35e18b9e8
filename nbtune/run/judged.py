"""What a trained combination is judged by: the validation rows and its answers, or rows that took no part in the search."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from nbtune.ask.labels import CLASSES, NUMBERS, ONE_HOT
from nbtune.data import arrays
from nbtune.data.columns import array, named_classes
from nbtune.data.read import read_data
from nbtune.data.rows import Data
from nbtune.data.tree import leaves
from nbtune.errors import UsageError
from nbtune.record.job import Job
from nbtune.record.predicted import Predicted


def check_predictable(job: Job, data: Data) -> None:
    """Raises UsageError where there are no validation rows with answers that could be drawn."""
    labels = job.targets.single
    if not data.validated or data.stream:
        raise UsageError("this plot is of the validation rows, and there are none in memory; give --validation-split or arrays")
    if labels is None or labels.spread or labels.form not in (CLASSES, ONE_HOT, NUMBERS):
        raise UsageError("this plot is for models with one output, and one class a row or numbers")


def predicted(job: Job, label: str, output: Path, names: tuple[str, ...] | None) -> Predicted:
    """The validation rows as the workers have them, and a model's output for them, in memory."""
    part = arrays.read(job.folder)
    x = np.array(part.x_val) if isinstance(part.x_val, np.ndarray) else None
    return _predicted(job, label, x, np.asarray(part.y_val), np.load(output), names)


def predicted_in_folds(job: Job, label: str, data: Data, output: np.ndarray) -> Predicted:
    """The rows that validate in some fold, and the output for them of the model of that fold, of `output` `(rows, ...)`."""
    rows = np.flatnonzero(~np.isnan(output.reshape(len(output), -1)).all(axis=1))
    x = data.x[rows] if isinstance(data.x, np.ndarray) else None
    return _predicted(job, label, x, np.asarray(data.y)[rows], output[rows], data.class_names)


def _predicted(
    job: Job, label: str, x: np.ndarray | None, y: np.ndarray, found: np.ndarray, names: tuple[str, ...] | None
) -> Predicted:
    labels = job.targets.single
    assert labels is not None
    found = found.reshape(len(found), -1)
    strata = labels.strata(y)
    y = np.array(y) if strata is None else np.array(strata).astype(int)
    classes = 0 if strata is None else max(labels.size, found.shape[1])
    return Predicted(label, x, y, found, classes, names, bool(job.look.logits and job.look.logits[0]))


def rows_for_a_test(x: Any, y: Any, data: Data) -> Data:
    """Rows for a test, in the form of those of the search.

    Raises:
        UsageError: they are not like these.
    """
    if data.class_names is not None and array(y, "y").dtype.kind == "S":
        text = array(y, "y")
        odd = sorted(set(np.char.decode(text.reshape(-1), "utf-8")) - set(data.class_names))
        if odd:
            raise UsageError(f"y has the label {odd[0]!r}, which the search has not seen")
        y = named_classes(text, data.class_names)[0]
    found = read_data((x, y), None, 0.0)
    shapes = [[part.shape[1:] for part in leaves(rows.x)] for rows in (found, data)]
    if shapes[0] != shapes[1]:
        raise UsageError(f"x has rows of shape {shapes[0][0]}, and the search was given {shapes[1][0]}")
    return found


def digest(data: Data) -> str:
    """Tells one set of rows from another."""
    found = hashlib.blake2b(digest_size=16)
    for part in (*leaves(data.x), *leaves(data.y)):
        found.update(repr((part.shape, part.dtype)).encode())
        found.update(np.ascontiguousarray(part).data)
    return found.hexdigest()
