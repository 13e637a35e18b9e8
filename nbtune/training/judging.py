"""What a trained combination makes of rows: predictions and metrics, in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nbtune.ask.space import Value
from nbtune.data import arrays as data
from nbtune.record.events import Emit
from nbtune.record.job import Job
from nbtune.training import session
from nbtune.training.compiling import delivered
from nbtune.training.logs import scalars
from nbtune.training.model import fed


def predict(job: Job, emit: Emit, values: Mapping[str, Value], weights: str) -> dict[str, Any]:
    """The output of a model with one output for the validation rows, `(rows, ...)`, saved as `output`."""
    path = job.folder / "output.npy"
    np.save(path, _answers(job, values, weights))
    return {"output": str(path)}


def predict_folds(job: Job, emit: Emit, values: Mapping[str, Value], weights: Mapping[str, str]) -> dict[str, Any]:
    """For each row the output of the model whose fold it validates, `(rows, ...)`, saved as `output`; NaN where none does.

    Args:
        weights: of the model of each fold that has some, by its number.
    """
    runs, folds, count = job.each_run, data.folds(job.folder), data.read(job.folder).rows
    found = np.empty(0)
    for number, file in weights.items():
        answers = _answers(runs[int(number)], values, file)
        if not len(found):
            found = np.full((count, *answers.shape[1:]), np.nan, answers.dtype)
        found[folds[int(number)].val] = answers
    path = job.folder / "output.npy"
    np.save(path, found)
    return {"output": str(path)}


def _answers(job: Job, values: Mapping[str, Value], weights: str) -> np.ndarray:
    """The output for the validation rows."""
    arrays = data.read(job.folder, job.fold)
    model = _trained(job, values, weights)
    return np.asarray(model.predict(fed(arrays.x_val), batch_size=_batch_size(job, values), verbose=0))


def evaluate(job: Job, emit: Emit, values: Mapping[str, Value], weights: str, rows: str) -> dict[str, Any]:
    """`model.evaluate` on the rows in the folder `rows`: `metrics`, name to number."""
    arrays = data.read(Path(rows))
    model = _trained(job, values, weights)
    parts = (fed(arrays.x),) if arrays.y is None else (fed(arrays.x), fed(arrays.y))
    terms = {} if arrays.sample_weight is None else {"sample_weight": arrays.sample_weight}
    found = model.evaluate(*parts, batch_size=_batch_size(job, values), verbose=0, return_dict=True, **terms)
    return {"metrics": {name: float(value) for name, value in scalars(found).items()}}


def save(job: Job, emit: Emit, values: Mapping[str, Value], weights: str, path: str) -> dict[str, Any]:
    """Writes the whole model, for `keras.saving.load_model`."""
    _trained(job, values, weights).save(path)
    return {"path": path}


def _trained(job: Job, values: Mapping[str, Value], weights: str) -> keras.Model:
    session.renew(job, free_memory=True)
    model = delivered(job, values, data.read(job.folder, job.fold).x)
    model.load_weights(weights)
    return model


def _batch_size(job: Job, values: Mapping[str, Value]) -> int:
    return int(values.get("batch_size", job.batch_size))
