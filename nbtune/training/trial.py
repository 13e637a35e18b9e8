"""The reference: one trial, trained by `model.fit` and stopped by `keras.callbacks.EarlyStopping`."""

from __future__ import annotations

import gc
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras

from nbtune import machine
from nbtune.ask.space import Value
from nbtune.data import arrays as data
from nbtune.data.rows import Inputs
from nbtune.data.streams import Stream
from nbtune.record.checkpoint import Checkpoint
from nbtune.record.events import (
    DIVERGED,
    DONE,
    FAILED,
    STOPPED,
    Emit,
    Stopping,
    TrialEnded,
    TrialStarted,
)
from nbtune.record.job import Job
from nbtune.record.runs import together
from nbtune.training import resuming, schedules, session, weights
from nbtune.training.callbacks import made_callbacks
from nbtune.training.compiling import compiled
from nbtune.training.logs import histories, scalars
from nbtune.training.model import fed, hyperparameters, seed, traced
from nbtune.training.reporting import Reporter
from nbtune.training.rereading import Rereading
from nbtune.training.row_weights import weighted
from nbtune.training.stopping import Halted, never
from nbtune.training.streams import opened
from nbtune.training.tracebacks import user_traceback


def fit(job: Job, emit: Emit, trial: str, values: Mapping[str, Value], stopping: Stopping = never) -> TrialEnded:
    """Trains one combination and leaves the best epoch's weights in the project; never raises for the trial's sake.

    Args:
        stopping: when it says so the trial ends as "stopped", with what it has.
    """
    start = machine.now()
    emit([TrialStarted(trial, start)])
    try:
        return _fit(_Task(job, emit, trial, values, data.read(job.folder), stopping))
    except Exception as error:  # whatever it is, the other trials go on
        return TrialEnded(trial, FAILED, seconds=machine.now() - start, error=user_traceback(error, job.function))
    finally:
        gc.collect()


class _Task(NamedTuple):
    """`fit`'s arguments and the rows."""

    job: Job
    emit: Emit
    trial: str
    values: Mapping[str, Value]
    arrays: data.Arrays
    stopping: Stopping


class _Run(NamedTuple):
    """One of a trial's runs.

    Attributes:
        job: of its own.
        at: where it was left off, if it was.
    """

    number: int
    job: Job
    at: Checkpoint | None
    journal: resuming.Journal


def _fit(task: _Task) -> TrialEnded:
    job, ends = task.job, list[TrialEnded]()
    left, journal = resuming.found(job, task.trial, task.values), resuming.Journal(job)
    for number, once in enumerate(job.each_run):
        run = _Run(number, once, left.get(number), journal)
        model, end, obstacle = _once(task._replace(arrays=data.read(job.folder, once.fold)), run)
        keep = partial(weights.keep, job, task.emit, task.trial, model, task.stopping)
        if once.fold is not None and number < job.folds and end.score is not None:
            end = weights.handed_in(end, keep(once.fold))
        ends.append(end)
        ended, best = together(job, ends)
        if best == len(ends) - 1 and ended.score is not None:  # now: a later run may adapt layers that both models have
            stamp = keep()
        if end.status == DONE and len(ends) < job.runs and not (run.at and run.at.has_ended) and _can_be_noted(model):
            journal.note(task.values, number, resuming.standing(model, end))
        has_next_ended = number + 1 in left and left[number + 1].has_ended
        if end.status != DONE or (task.stopping() and len(ends) < job.runs and not has_next_ended):
            break
    if ended.status == STOPPED:
        journal.write()
        ended = replace(ended, error=with_obstacle(ended.error, obstacle if end.status == STOPPED else None, job.runs > 1))
    if ended.score is not None:
        ended = weights.handed_in(ended, stamp)
    return replace(ended, seconds=sum(end.seconds for end in ends))


def with_obstacle(error: str | None, obstacle: str | None, is_of_several: bool) -> str | None:
    """Why a trial was stopped, and why it will not go on where it is."""
    which = "that run" if is_of_several else "it"
    return f"{error}; {which} will begin again at its first epoch, because of {obstacle}" if obstacle else error


def _can_be_noted(model: keras.Model) -> bool:
    """Whether its variables are all that there is to keep; an optimizer of the user's own may be none of Keras's."""
    return model.built and isinstance(model.optimizer, keras.optimizers.Optimizer)


def _once(task: _Task, run: _Run) -> tuple[keras.Model, TrialEnded, str | None]:
    """The model with its best epoch's weights, what it came to, and if it was stopped why it cannot go on there."""
    values, start, job = task.values, machine.now(), run.job
    model, at = _gone_on(task, run)
    if at and at.has_ended:
        return model, at.end, None
    stopper, reporter = early_stopping(job, at), Reporter(task.emit, task.trial, task.stopping, at.end.history if at else {})
    before, rates = at.end.seconds if at else 0.0, schedules.Rates(schedules.is_chosen(job, values))
    rates.rates += at.end.rates if at else []

    def end(status: str) -> TrialEnded:
        found = verdict(job, task.trial, reporter.history, stopper.best_epoch + 1, status)
        size = model.count_params() if model.built else None
        known = rates.rates[: max(map(len, reporter.history.values()), default=0)]  # an epoch may have been given up
        return replace(found, seconds=before + machine.now() - start, rates=known, size=size)

    own = made_callbacks(job, values, task.job.written(task.trial, job))
    lowering = schedules.plateau(job, values)
    others = [*own, *lowering]
    terms = (task.job, values, run.number, run.journal, stopper)
    keeping = resuming.Keeping(*terms, lambda: end(STOPPED), lambda: reporter.has_halted, others)
    callbacks = [*own, *watching(stopper, rates, lowering), reporter, keeping]
    callbacks += [resuming.Remembering(others, at)] if at else []
    first = at.epochs if at else 0
    if at and not (job.stream is None and resuming.every_epoch_has_one_order(job, task.arrays.rows)):
        callbacks, first = [Rereading(callbacks, first, task.stopping)], 0
    try:
        history = train(job, model, values, task.arrays, callbacks, first=first)
    except Halted:
        reporter.has_halted = True
        if stopper.best_weights is not None:
            model.set_weights(stopper.best_weights)
    else:
        if job.function.fit is not None and (told := _told_by_a_loop(job, history, reporter.history)):
            history = told
            model.set_weights(stopper.best_weights or model.get_weights())
        reporter.history = reporter.history if at else history
    _build(model, task.arrays)
    ended = end(STOPPED if reporter.has_halted else DONE)
    return model, ended, keeping.obstacle


def _gone_on(task: _Task, run: _Run) -> tuple[keras.Model, Checkpoint | None]:
    """The model of a run, as it was when the trial was stopped if that is known, and where that was."""
    at, model = run.at, new_model(run.job, task.values, task.arrays.x)
    if at:
        _build(model, task.arrays)
        at = resuming.put_back(model, at)
    if at:
        history, behind = ({}, run.number + 1) if at.has_ended else (at.end.history, run.number)
        task.emit([TrialStarted(task.trial, machine.now(), history, run=behind)])
    return model, at


def verdict(job: Job, trial: str, history: dict[str, list[float]], best_epoch: int, status: str = DONE) -> TrialEnded:
    """What a run with this history came to.

    Args:
        status: "done", or "stopped" before its end.

    Raises:
        KeyError: the objective is not in it.
    """
    name, losses = job.objective.name, history.get("loss", [])
    if status == STOPPED and not history.get(name):
        return TrialEnded(trial, STOPPED, error=f"stopped {'before it was validated' if history else 'in its first epoch'}")
    scores = [job.objective.at(epoch, name, history) for epoch in range(1, len(losses) + 1)]
    bad = [i for i, pair in enumerate(zip(losses, scores, strict=True), 1) if not all(map(_is_finite, pair))]
    if bad:
        return TrialEnded(trial, DIVERGED, history=history, error=f"the loss became NaN or infinite in epoch {bad[0]}")
    if name not in history:
        raise KeyError(f"the model logs no {name!r}; it logs {', '.join(history)}")
    error = f"stopped early, after {len(losses)} of {job.epochs} epochs" if status == STOPPED else None
    return TrialEnded(trial, status, scores[best_epoch - 1], best_epoch, history, error=error)


def _is_finite(value: float | None) -> bool:
    """None: not measured."""
    return value is None or math.isfinite(value)


def new_model(job: Job, values: Mapping[str, Value], x: Inputs) -> keras.Model:
    """A trial's model in a process that forgets the trials before."""
    session.renew(job, free_memory=True)
    seed(job)
    return compiled(job, values, x)


def early_stopping(job: Job, at: Checkpoint | None = None) -> keras.callbacks.EarlyStopping:
    """Watches the objective and restores the best epoch's weights; without patience it never stops a trial.

    Args:
        at: where the trial goes on.
    """
    settings: dict[str, Any] = {
        "monitor": job.objective.name,
        "mode": job.objective.direction,
        "min_delta": job.min_delta,
        "patience": job.epochs if job.patience is None else job.patience,
        "restore_best_weights": True,
    }
    return resuming.Continued(at, **settings) if at else resuming.Stopper(**settings)


def watching(
    stopper: keras.callbacks.EarlyStopping, rates: schedules.Rates, lowering: Sequence[keras.callbacks.Callback]
) -> list[keras.callbacks.Callback]:
    """The callbacks that decide on a trial, in their order: what is logged by one is seen by those behind it."""
    return [keras.callbacks.TerminateOnNaN(), rates, *lowering, stopper]


def model_fit(job: Job, emit: Emit, values: Mapping[str, Value]) -> dict[str, Any]:
    """One combination by plain `model.fit`, stopped as in the search and kept nowhere.

    Returns:
        `history`, metric to its values.
    """
    arrays = data.read(job.folder, job.fold)
    model = new_model(job, values, arrays.x)
    rates = schedules.Rates(schedules.is_chosen(job, values))
    watch = watching(early_stopping(job), rates, schedules.plateau(job, values))
    with tempfile.TemporaryDirectory() as folder:
        return {"history": train(job, model, values, arrays, [*made_callbacks(job, values, Path(folder)), *watch])}


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
    callbacks = [*made_callbacks(job, values, job.project / "refit"), *_again_lowered(job, values, rates)]
    train(replace(job, epochs=epochs, stream=stream), model, values, arrays, callbacks)
    _build(model, arrays)
    path = job.project / "final.weights.h5"
    weights.save(model, path, job.project)
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
    callbacks: Sequence[keras.callbacks.Callback],
    shuffle: bool | None = None,
    first: int = 0,
) -> dict[str, list[float]]:
    """`model.fit`, or the hypermodel's own, on the user's own features and labels; returns its history.

    Args:
        first: how many epochs are trained already.
    """
    shuffle = job.shuffle if shuffle is None else shuffle
    if job.stream is not None:
        return _train_stream(job, job.stream, model, values, arrays, callbacks)
    arrays = weighted(job, values, arrays)
    batch_size = int(values.get("batch_size", job.batch_size))
    terms: dict[str, Any] = {"epochs": job.epochs, "callbacks": list(callbacks), "verbose": 0, "shuffle": shuffle}
    if arrays.validated:
        held_out = (fed(arrays.x_val), fed(arrays.y_val), arrays.sample_weight_val)
        terms["validation_data"] = held_out if held_out[2] is not None else held_out[:2]
        terms |= {"validation_batch_size": job.validation_batch_size} if job.validation_batch_size else {}
        terms |= _seldom(job)
    if arrays.sample_weight is not None:
        terms["sample_weight"] = arrays.sample_weight
    rows = (fed(arrays.x),) if arrays.y is None else (fed(arrays.x), fed(arrays.y))
    seed(job)
    if job.function.fit is None:
        return histories(model.fit(*rows, batch_size=batch_size, initial_epoch=first, **terms).history)
    if shuffle:
        del terms["shuffle"]  # `fit`'s own default, which the function may want to give
    if job.gives_batch_size(values):
        terms["batch_size"] = batch_size
    return _history(job, model, job.function.fit(hyperparameters(values), model, *rows, **terms))


def _told_by_a_loop(
    job: Job, history: Mapping[str, list[float]], told: Mapping[str, list[float]]
) -> dict[str, list[float]] | None:
    """What a training loop of one's own told its callbacks, where that is more than what it returned; there need be no loss."""
    epochs = len(told.get(job.objective.name, ()))
    return {"loss": [0.0] * epochs, **told} if epochs > len(history.get(job.objective.name, ())) else None


def _seldom(job: Job) -> dict[str, Any]:
    """For a `fit` that does not validate after every epoch."""
    every = job.objective.every
    return {} if every == 1 else {"validation_freq": every if isinstance(every, int) else list(every)}


def _train_stream(
    job: Job, stream: Stream, model: keras.Model, values: Mapping[str, Value], arrays: data.Arrays, callbacks: Sequence[Any]
) -> dict[str, list[float]]:
    """`model.fit` on a dataset that it reads anew in each epoch."""
    terms: dict[str, Any] = {"epochs": job.epochs, "steps_per_epoch": stream.steps, "callbacks": list(callbacks), "verbose": 0}
    if stream.validation is not None:
        terms["validation_data"] = opened(stream.validation)
    elif arrays.validated:
        terms["validation_data"] = (fed(arrays.x_val), fed(arrays.y_val), arrays.sample_weight_val)
        terms["validation_batch_size"] = job.validation_batch_size or job.batch_size
    terms |= _seldom(job) if "validation_data" in terms else {}
    weights = job.resolved(values).get("class_weight", "none")
    if weights != "none":
        terms["class_weight"] = weights
    seed(job)
    if job.function.fit is not None:
        return _history(job, model, job.function.fit(hyperparameters(values), model, opened(stream.training), **terms))
    return histories(model.fit(opened(stream.training), **terms).history)


def _history(job: Job, model: keras.Model, result: Any) -> dict[str, list[float]]:
    """What a hypermodel's own `fit` returned, all that KerasTuner takes, as a history."""
    if isinstance(result, keras.callbacks.History):
        return histories(result.history)
    trained = getattr(model, "history", None)
    if trained is not None and job.objective.name in trained.history:
        return histories(trained.history)
    logs = result if isinstance(result, Mapping) else {job.objective.name: result}
    return {"loss": [0.0], **{name: [float(value)] for name, value in scalars(logs).items()}}
