"""The reference: one trial, trained by `model.fit` and stopped by `keras.callbacks.EarlyStopping`."""

from __future__ import annotations

import errno
import gc
import json
import math
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import keras

from nbtune import machine
from nbtune.ask.space import Value
from nbtune.data import arrays as data
from nbtune.data.rows import Inputs
from nbtune.data.streams import Stream
from nbtune.record import files
from nbtune.record.events import DIVERGED, DONE, FAILED, DiskFull, Emit, EpochEnded, EpochUnderWay, TrialEnded, TrialStarted
from nbtune.record.job import Job
from nbtune.training import schedules, session
from nbtune.training.callbacks import made_callbacks
from nbtune.training.compiling import compiled
from nbtune.training.logs import scalars
from nbtune.training.model import fed, hyperparameters, seed, traced
from nbtune.training.row_weights import weighted
from nbtune.training.streams import opened
from nbtune.training.tracebacks import user_traceback

KERAS_BATCH_SIZE = 32
SECONDS_BETWEEN_TRIES = 1
SECONDS_BETWEEN_SIGNS = 0.8


def fit(job: Job, emit: Emit, trial: str, values: Mapping[str, Value]) -> TrialEnded:
    """Trains one combination and leaves the best epoch's weights in the project; never raises for the trial's sake."""
    start = machine.now()
    emit([TrialStarted(trial, start)])
    try:
        return _fit(job, emit, trial, values, start)
    except Exception as error:  # whatever it is, the other trials go on
        return TrialEnded(trial, FAILED, seconds=machine.now() - start, error=user_traceback(error, job.function))
    finally:
        gc.collect()


def _fit(job: Job, emit: Emit, trial: str, values: Mapping[str, Value], start: float) -> TrialEnded:
    arrays, ends = data.read(job.folder), []
    for once in job.each_repeat:
        model, end = _once(once, emit, trial, values, arrays)
        ends.append(end)
        ended, best = together(job, ends)
        if best == len(ends) - 1:
            kept = model
        if end.status != DONE:
            break
    if ended.status == DONE:
        ended = replace(ended, weights=keep_weights(job, emit, trial, kept))
    return replace(ended, seconds=machine.now() - start)


def _once(job: Job, emit: Emit, trial: str, values: Mapping[str, Value], arrays: data.Arrays) -> tuple[keras.Model, TrialEnded]:
    """One repeat of a trial: the model with its best epoch's weights, and what it came to."""
    model = new_model(job, values, arrays.x)
    stopper, rates = early_stopping(job), schedules.Rates(schedules.is_chosen(job, values))
    history = train(job, model, values, arrays, [*watching(job, values, stopper, rates), Reporter(emit, trial)])
    _build(model, arrays)
    end = verdict(job, trial, history, stopper.best_epoch + 1)
    return model, replace(end, rates=rates.rates, size=model.count_params() if model.built else None)


class Reporter(keras.callbacks.Callback):
    """Tells each epoch of a trial, and about once a second how far it is in a long one."""

    def __init__(self, emit: Emit, trial: str) -> None:
        super().__init__()
        self._emit, self._trial = emit, trial
        self._epoch = 1
        self._last = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.monotonic()
        if now - self._last > SECONDS_BETWEEN_SIGNS and batch + 1 < self.params["steps"]:
            self._last = now
            self._emit([EpochUnderWay([self._trial], self._epoch, (batch + 1) / self.params["steps"], machine.now())])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._last = time.monotonic()
        self._emit([EpochEnded(self._trial, epoch + 1, scalars(logs or {}), machine.now())])


def together(job: Job, ends: Sequence[TrialEnded]) -> tuple[TrialEnded, int]:
    """What a trial came to whose repeats ended so, and which repeat stands for it: the best, or the one that went wrong."""
    if job.repeats == 1:
        return ends[0], 0
    for i, end in enumerate(ends):
        if end.status != DONE:
            return replace(end, error=f"{end.error}, in the run with seed {job.seed + i}"), i
    scores = [end.score for end in ends if end.score is not None]
    best = job.objective.best(scores)
    return replace(ends[best], score=fmean(scores), scores=scores), best


def verdict(job: Job, trial: str, history: dict[str, list[float]], best_epoch: int) -> TrialEnded:
    """What a repeat with this history came to.

    Raises:
        KeyError: the objective is not in it.
    """
    scores = history.get(job.objective.name)
    if scores is None:
        raise KeyError(f"the model logs no {job.objective.name!r}; it logs {', '.join(history)}")
    bad = [i for i, pair in enumerate(zip(history["loss"], scores, strict=True), 1) if not all(map(math.isfinite, pair))]
    if bad:
        return TrialEnded(trial, DIVERGED, history=history, error=f"the loss became NaN or infinite in epoch {bad[0]}")
    return TrialEnded(trial, DONE, scores[best_epoch - 1], best_epoch, history)


def new_model(job: Job, values: Mapping[str, Value], x: Inputs) -> keras.Model:
    """A trial's model in a process that forgets the trials before."""
    session.renew(job, free_memory=True)
    seed(job)
    return compiled(job, values, x)


def early_stopping(job: Job) -> keras.callbacks.EarlyStopping:
    """Watches the objective and restores the best epoch's weights; without patience it never stops a trial."""
    return keras.callbacks.EarlyStopping(
        monitor=job.objective.name,
        mode=job.objective.direction,
        min_delta=job.min_delta,
        patience=job.epochs if job.patience is None else job.patience,
        restore_best_weights=True,
    )


def watching(
    job: Job, values: Mapping[str, Value], stopper: keras.callbacks.EarlyStopping, rates: schedules.Rates
) -> list[keras.callbacks.Callback]:
    """The callbacks that decide on a trial, in their order: what is logged by one is seen by those behind it."""
    return [keras.callbacks.TerminateOnNaN(), rates, *schedules.plateau(job, values), stopper]


def model_fit(job: Job, emit: Emit, values: Mapping[str, Value]) -> dict[str, Any]:
    """One combination by plain `model.fit`, stopped as in the search and kept nowhere.

    Returns:
        `history`, metric to its values.
    """
    arrays = data.read(job.folder)
    model = new_model(job, values, arrays.x)
    rates = schedules.Rates(schedules.is_chosen(job, values))
    return {"history": train(job, model, values, arrays, watching(job, values, early_stopping(job), rates))}


def refit(job: Job, emit: Emit, values: Mapping[str, Value], epochs: int, rates: Sequence[float]) -> dict[str, Any]:
    """Trains one combination on training and validation rows together, for exactly so many epochs.

    Its learning rate goes through the epochs as it did in the search: a schedule is that of all epochs of the search, and what
    was lowered on a plateau is lowered in the same epochs, since there are no validation rows left to tell.

    Args:
        rates: of each epoch, in the search.

    Returns:
        `weights`, the file in the project that holds them.
    """
    arrays = data.read(job.folder).joined()
    model = new_model(replace(job, epochs=max(epochs, job.epochs)), values, arrays.x)
    stream = replace(job.stream, validation=None) if job.stream else None
    train(replace(job, epochs=epochs, stream=stream), model, values, arrays, _again_lowered(job, values, rates))
    _build(model, arrays)
    path = job.project / "final.weights.h5"
    save_weights(model, path, job.project)
    return {"weights": path.name}


def _build(model: keras.Model, arrays: data.Arrays) -> None:
    """Makes a model that was trained past its `call`, by a `train_step` of its own, one that Keras saves."""
    if not model.built:
        traced(model, arrays.x)


def _again_lowered(job: Job, values: Mapping[str, Value], rates: Sequence[float]) -> list[keras.callbacks.Callback]:
    if not rates or not schedules.plateau(job, values):
        return []
    return [keras.callbacks.LearningRateScheduler(lambda epoch: rates[min(epoch, len(rates) - 1)])]


def train(
    job: Job,
    model: keras.Model,
    values: Mapping[str, Value],
    arrays: data.Arrays,
    callbacks: list[keras.callbacks.Callback],
    shuffle: bool | None = None,
) -> dict[str, list[float]]:
    """`model.fit`, or the hypermodel's own, on the user's own features and labels; returns its history."""
    shuffle = job.shuffle if shuffle is None else shuffle
    callbacks = [*made_callbacks(job, values), *callbacks]
    if job.stream is not None:
        return _train_stream(job, job.stream, model, values, arrays, callbacks)
    arrays = weighted(job, values, arrays)
    batch_size = int(values.get("batch_size", job.batch_size))
    terms: dict[str, Any] = {"epochs": job.epochs, "callbacks": callbacks, "verbose": 0, "shuffle": shuffle}
    if arrays.validated:
        held_out = (fed(arrays.x_val), fed(arrays.y_val), arrays.sample_weight_val)
        terms["validation_data"] = held_out if held_out[2] is not None else held_out[:2]
    if arrays.sample_weight is not None:
        terms["sample_weight"] = arrays.sample_weight
    rows = (fed(arrays.x),) if arrays.y is None else (fed(arrays.x), fed(arrays.y))
    seed(job)
    if job.function.fit is None:
        return scalars(model.fit(*rows, batch_size=batch_size, **terms).history)
    if shuffle:
        del terms["shuffle"]  # `fit`'s own default, which the function may want to give
    if "batch_size" in job.applied and batch_size != KERAS_BATCH_SIZE:  # else it is for the function to give
        terms["batch_size"] = batch_size
    return _history(job, model, job.function.fit(hyperparameters(values), model, *rows, **terms))


def _train_stream(
    job: Job, stream: Stream, model: keras.Model, values: Mapping[str, Value], arrays: data.Arrays, callbacks: list[Any]
) -> dict[str, list[float]]:
    """`model.fit` on a dataset that it reads anew in each epoch."""
    terms: dict[str, Any] = {"epochs": job.epochs, "steps_per_epoch": stream.steps, "callbacks": callbacks, "verbose": 0}
    if stream.validation is not None:
        terms["validation_data"] = opened(stream.validation)
    elif arrays.validated:
        terms["validation_data"] = (fed(arrays.x_val), fed(arrays.y_val), arrays.sample_weight_val)
        terms["validation_batch_size"] = job.batch_size
    weights = job.resolved(values).get("class_weight", "none")
    if weights != "none":
        terms["class_weight"] = weights
    seed(job)
    if job.function.fit is not None:
        return _history(job, model, job.function.fit(hyperparameters(values), model, opened(stream.training), **terms))
    return scalars(model.fit(opened(stream.training), **terms).history)


def _history(job: Job, model: keras.Model, result: Any) -> dict[str, list[float]]:
    """What a hypermodel's own `fit` returned, all that KerasTuner takes, as a history."""
    if isinstance(result, keras.callbacks.History):
        return scalars(result.history)
    trained = getattr(model, "history", None)
    if trained is not None and job.objective.name in trained.history:
        return scalars(trained.history)
    logs = result if isinstance(result, Mapping) else {job.objective.name: result}
    return {"loss": [0.0], **{name: [float(value)] for name, value in scalars(logs).items()}}


def keep_weights(job: Job, emit: Emit, trial: str, model: keras.Model) -> str:
    """Saves a trial's weights in the project; returns their stamp.

    Where the disk is full it says so and goes on trying, for they would be lost.
    """
    while True:
        try:
            return save_weights(model, job.weights(trial), job.project)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
        emit([DiskFull(trial, os.strerror(errno.ENOSPC))])
        time.sleep(SECONDS_BETWEEN_TRIES)


def save_weights(model: keras.Model, path: Path, project: Path) -> str:
    """Writes the weights whole or not at all, and beside them what stock KerasTuner needs to build the model.

    Returns:
        The stamp of the weights.
    """
    files.write(path.parent / "build_config.json", project, json.dumps(model.get_build_config()).encode())
    partial = path.with_name(f".{secrets.token_hex(8)}.weights.h5")  # in a folder that is none of ours it would fail before
    try:
        with tempfile.TemporaryDirectory() as folder:  # first: where a disk is full, HDF5 crashes at times
            model.save_weights(Path(folder, partial.name))
            shutil.copyfile(Path(folder, partial.name), partial)
        stamp = files.stamp(partial, project)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return stamp
