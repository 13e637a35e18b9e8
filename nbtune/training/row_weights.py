"""Weights of classes as weights of rows, which trains to the numbers of `fit(class_weight=...)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nbtune.ask.labels import ONE_HOT
from nbtune.ask.space import Value
from nbtune.data.arrays import Arrays
from nbtune.record.job import Job


def weighted(job: Job, values: Mapping[str, Value], arrays: Arrays) -> Arrays:
    """The training rows, each weighing what its class weighs times what it weighed; the validation rows as they were.

    Source: `keras.src.trainers.data_adapters.data_adapter_utils.class_weight_to_sample_weights`; "balanced" as scikit-learn's
    `compute_class_weight`, rows / (classes × rows of the class), counted over the training rows.
    """
    given = job.resolved(values).get("class_weight", "none")
    if given == "none" or "class_weight" not in job.applied:
        return arrays
    classes = row_classes(job, arrays.y)
    weights = np.ones(len(classes), "float32")
    for number, weight in _weights(given, classes).items():
        weights[classes == int(number)] = weight
    if arrays.sample_weight is not None:
        weights = weights * arrays.sample_weight
    return replace(arrays, sample_weight=weights)


def is_balanced(job: Job, values: Mapping[str, Value]) -> bool:
    """Whether what a row weighs depends on which other rows train."""
    return values.get("class_weight") == "balanced" and "class_weight" in job.applied


def row_classes(job: Job, y: Any) -> np.ndarray:
    """One whole number a row, `(rows,)`; `Targets.check_class_weights` has seen to it that there is one."""
    is_one_hot = job.targets.single is not None and job.targets.single.form == ONE_HOT
    return np.asarray(y.argmax(axis=1) if is_one_hot else y.reshape(len(y))).astype("int64")


def _weights(given: Any, classes: np.ndarray) -> Mapping[Any, float]:
    if given != "balanced":
        return dict(given)
    found, counts = np.unique(classes, return_counts=True)
    each = len(classes) / (len(found) * counts)
    return dict(zip(found.tolist(), each.tolist(), strict=True))
