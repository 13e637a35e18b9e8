"""Options → everything that a search needs before its first trial: the space, the job, the data in files."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nbtune.ask import schedules
from nbtune.ask.logged import check_logged, usual_objective
from nbtune.ask.options import APPLIED_OUTSIDE, Options
from nbtune.ask.space import Architecture, Axis, Space, Value
from nbtune.ask.strategy import TRIAL
from nbtune.ask.surroundings import Surroundings
from nbtune.ask.targets import Targets
from nbtune.data import arrays
from nbtune.data.rows import Data
from nbtune.errors import BackendDied, BuildError, ModulesDiffer, UsageError, WorkerDied, about
from nbtune.execution.protocol import Backend
from nbtune.record.job import Job, Look, Terms
from nbtune.run.freezing import Freezer, kept
from nbtune.run.grouping import stacks
from nbtune.run.request import Request, selected

BATCH_SIZE = 32  # Keras's own default
_LOOKED_AT = 2  # combinations that must fail before the function is to blame, and not its values
_LOOKING = 600.0  # seconds at most for the first models, where there is no --trial-timeout
_BUILDS = 10  # so many times that limit for all models of a function of `hp`
_BUILT, _BUILDING = 64, 10.0  # models, and seconds, at most, to find out which share a stack; one takes 0.02 s


def prepare(
    request: Request, backend: Backend, scratch: Path, project: Path, carefully: bool = False
) -> tuple[Space, Job, list[str]]:
    """Looks at the function in a worker, settles space, labels and objective, and writes the data.

    Args:
        carefully: with as few models as possible, and the last combination first: another try ended all workers.

    Returns:
        The space, the job, and notes for the user.

    Raises:
        UsageError: what only shows when a model is built; `BuildError` if the function raised.
    """
    terms = _terms(request, scratch, project)
    arrays.write(request.data.sample(), terms.folder, None, terms.seed, terms.surroundings.floatx)
    if request.options.workers == 0:
        return *_prepared(request, backend, scratch, kept(terms), carefully), []
    freezer = Freezer(terms, list(request.patches.sent))
    while True:
        try:
            return *_prepared(request, backend, scratch, freezer.terms(), carefully), freezer.notes
        except ModulesDiffer as differing:
            freezer.add(differing.paths)


def _terms(request: Request, scratch: Path, project: Path) -> Terms:
    options, data = request.options, request.data
    return Terms(
        function=request.function,
        objects={axis.name: axis.objects for axis in options.axes},
        folder=scratch / "sample",
        project=project,
        epochs=options.epochs,
        patience=options.patience,
        min_delta=options.min_delta,
        batch_size=data.batch_size or BATCH_SIZE,
        seed=options.seed,
        repeats=options.repeats,
        folds=options.folds.count if options.folds else 1,
        engine=options.engine,
        keep=options.keep,
        surroundings=Surroundings.here(),
        callbacks=options.callbacks,
        stream=data.stream,
        shuffle=data.shuffle,
        validation_batch_size=options.validation_batch_size,
    )


def _prepared(request: Request, backend: Backend, scratch: Path, terms: Terms, carefully: bool) -> tuple[Space, Job]:
    options, function, data = request.options, request.function, request.data
    if request.space is not None:
        space, asked = request.space, set(function.parameters or ())
    else:
        space, asked = _explored(terms, backend, options)
        space = selected(space, options)
    first_and_last = [space.combinations[0], space.combinations[len(space) - 1]][: min(_LOOKED_AT, len(space))]
    limit = options.trial_timeout or _LOOKING
    first_and_last = first_and_last[::-1] if carefully else first_and_last
    looking = backend.submit("look", terms, limit, values=first_and_last)
    space = space if carefully else _with_architectures(space, terms, backend)
    look = _look(looking, terms, backend, first_and_last[1:], limit)
    with about("data"), _swapped(data):
        targets = Targets.of(data.y, look.outputs, [] if "loss" in asked else request.losses, look.loss is not None)
    if options.class_weight:
        with about("class_weight"):
            targets.check_class_weights()
    with about("schedule"):
        _check_schedule(request, look, asked)
    objective = replace(options.objective or usual_objective(targets, look.logs), every=options.validation_freq)
    with about("objective"):
        objective.check(request.losses, data.validated)
        if function.fit is None and (look.loss is None or look.logs):  # a fit of its own logs what it will
            check_logged(objective, targets, look.logs or ())
    if options.folds:
        with about("folds"):
            arrays.folds_of(data, targets, options.seed)
    job = terms.completed(scratch / "data", frozenset(APPLIED_OUTSIDE) - asked, targets, objective, look)
    arrays.write(data, job.folder, targets, options.seed, terms.surroundings.floatx)
    return space, job


@contextlib.contextmanager
def _swapped(data: Data) -> Iterator[None]:
    """Adds to a mistake that features and labels may stand in the wrong order, where they look like it."""
    x, y = data.x, data.y
    try:
        yield
    except UsageError as error:
        are_arrays = isinstance(x, np.ndarray) and isinstance(y, np.ndarray)
        if are_arrays and x.ndim == 1 and x.dtype.kind in "iu" and y.ndim > 1 and y.dtype.kind == "f":
            raise UsageError(f"{error} — or are features and labels swapped? --data takes the features first", "data") from None
        raise


def _check_schedule(request: Request, look: Look, asked: set[str]) -> None:
    """Raises UsageError where the axis `schedule` cannot be applied to what the function compiles, or to these data."""
    options, function, data = request.options, request.function, request.data
    if options.schedule is None or "schedule" in asked:
        return
    if look.scheduled and options.optimizer is None and options.learning_rate is None:
        raise UsageError(schedules.two(function.name))
    by_step = [kind for kind in options.schedule.values if kind in schedules.SCHEDULES and kind not in schedules.BY_EPOCH]
    if data.stream is not None and data.stream.steps is None and by_step:
        raise UsageError(f"{by_step[0]} needs to know how many batches an epoch of the dataset has; add --steps-per-epoch N")


def _look(looking: Future[Any], terms: Terms, backend: Backend, others: Sequence[Mapping[str, Value]], timeout: float) -> Look:
    """What came of it; where the first combination has ended the worker, what comes of the others."""
    try:
        return Look.of(**looking.result())
    except BackendDied:
        raise
    except WorkerDied as error:
        if others:
            return _look(backend.submit("look", terms, timeout, values=others), terms, backend, [], timeout)
        raise BuildError(f"{terms.function.name} could not be looked at: {error}") from None


def _explored(terms: Terms, backend: Backend, options: Options) -> tuple[Space, set[str]]:
    """The space of a KerasTuner function, and the names that it asks for."""
    axes = options.axes
    limit = _BUILDS * options.trial_timeout if options.trial_timeout else _LOOKING
    try:
        found = backend.submit("explore", terms, limit, axes={axis.name: list(axis.values) for axis in axes}).result()
    except BackendDied:
        raise
    except WorkerDied as error:
        raise BuildError(f"{terms.function.name}(hp) could not be looked at: {error}") from None
    asked = set(found["asked"])
    for axis in axes:
        if axis.name not in asked and axis.name not in APPLIED_OUTSIDE:
            raise UsageError(f"{terms.function.name} does not ask for {axis.name!r}; it asks for {', '.join(found['asked'])}")
    outside = [axis for axis in axes if axis.name not in asked]
    outer = Space.product(outside)
    combinations = [{**inner, **more} for inner, more in itertools.product(found["combinations"], outer.combinations)]
    architectures = [known and Architecture(*known) for known in found["architectures"] for _ in outer]
    given = {axis.name: axis for axis in axes}
    config = [_with_values_of(given.get(hp["config"]["name"]), hp) for hp in found["space"]]
    return Space.listed(combinations, config + [axis.choice() for axis in outside], architectures), asked


def _with_architectures(space: Space, terms: Terms, backend: Backend) -> Space:
    """The space, with the architectures of a plain function's models if there are several, but not too many to build each."""
    groups = stacks(space, terms.engine) if not terms.function.takes_hp and terms.engine != TRIAL else []
    if not 1 < len(groups) <= _BUILT:
        return space
    firsts = [space.combinations[group[0]] for group in groups]
    try:
        found = backend.submit("architectures", terms, _BUILDING, values=firsts).result()["architectures"]
    except BackendDied:
        raise
    except WorkerDied:  # the combination that is to blame will fail as a trial of its own
        return space
    known = {i: name and Architecture(*name) for group, name in zip(groups, found, strict=True) for i in group}
    return replace(space, architectures=tuple(known[i] for i in range(len(space))))


def _with_values_of(axis: Axis | None, hp: dict[str, Any]) -> dict[str, Any]:
    """A hyperparameter of the function's own, with the values of the axis that replaces it, under the same conditions."""
    if axis is None:
        return hp
    choice = axis.choice()
    return {**choice, "config": {**choice["config"], "conditions": hp["config"]["conditions"]}}
