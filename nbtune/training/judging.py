"""What a trained combination makes of rows: predictions and metrics, in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from nbtune.ask.space import Value
from nbtune.data import arrays as data
from nbtune.data.rows import Inputs
from nbtune.record.events import Emit
from nbtune.record.job import Job
from nbtune.training import session
from nbtune.training.compiling import delivered
from nbtune.training.logs import scalars
from nbtune.training.model import fed


def predict(job: Job, emit: Emit, values: Mapping[str, Value], weights: str) -> dict[str, Any]:
    """The output of a model with one output for the validation rows, `(rows, ...)`, saved as `output`."""
    arrays = data.read(job.folder)
    model = _trained(job, values, arrays.x, weights)
    path = job.folder / "output.npy"
    np.save(path, model.predict(fed(arrays.x_val), batch_size=_batch_size(job, values), verbose=0))
    return {"output": str(path)}


def evaluate(job: Job, emit: Emit, values: Mapping[str, Value], weights: str) -> dict[str, Any]:
    """`model.evaluate` on the rows in the job's folder: `metrics`, name to number."""
    arrays = data.read(job.folder)
    model = _trained(job, values, arrays.x, weights)
    rows = (fed(arrays.x),) if arrays.y is None else (fed(arrays.x), fed(arrays.y))
    terms = {} if arrays.sample_weight is None else {"sample_weight": arrays.sample_weight}
    found = model.evaluate(*rows, batch_size=_batch_size(job, values), verbose=0, return_dict=True, **terms)
    return {"metrics": {name: float(value) for name, value in scalars(found).items()}}


def save(job: Job, emit: Emit, values: Mapping[str, Value], weights: str, path: str) -> dict[str, Any]:
    """Writes the whole model, for `keras.saving.load_model`."""
    _trained(job, values, data.read(job.folder).x, weights).save(path)
    return {"path": path}


def _trained(job: Job, values: Mapping[str, Value], x: Inputs, weights: str) -> keras.Model:
    session.renew(job, free_memory=True)
    model = delivered(job, values, x)
    model.load_weights(weights)
    return model


def _batch_size(job: Job, values: Mapping[str, Value]) -> int:
    return int(values.get("batch_size", job.batch_size))
