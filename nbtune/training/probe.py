"""The first look at a user's function, in a worker: does it build, what does it ask for, what does a trial cost?"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import psutil

from nbtune.ask.function import global_values, user_functions
from nbtune.ask.space import Architecture, Value
from nbtune.ask.strategy import FUSED, TRIAL
from nbtune.data import arrays as data
from nbtune.errors import BuildError, UsageError
from nbtune.record.events import Emit, EpochEnded, Event, TrialStarted
from nbtune.record.job import Job, Terms
from nbtune.record.progress import show
from nbtune.training import adapting, anatomy, initializers, session, stacks, trial
from nbtune.training.callbacks import made_callbacks
from nbtune.training.compiling import known_losses, logged_names, metric_names, own_loss
from nbtune.training.model import build, fed, returned, shapes, traced
from nbtune.training.private import keras as private
from nbtune.training.private.missing import Missing
from nbtune.training.tracebacks import user_traceback

MOST_COMBINATIONS = 100_000
_EPOCHS = 3  # of a measurement: the first includes tracing, and the faster of the others counts


def look(job: Terms, emit: Emit, values: list[Mapping[str, Value]]) -> dict[str, Any]:
    """Builds some combinations, and tells what the first that builds is like.

    Returns:
        The fields of `job.Look`.

    Raises:
        BuildError: none of them builds; with the traceback of the first.
        UsageError: the function returns no model, or one that does not take the data.
    """
    arrays = data.read(job.folder)
    first: BuildError | None = None
    for combination in values:
        own = job.untouched
        try:
            model = returned(own, combination)
        except UsageError:
            raise
        except Exception as error:
            shown = ", ".join(f"{name}={show(value)!s}" for name, value in combination.items())
            text = user_traceback(error, job.function)
            first = first or BuildError(f"{job.function.name}({shown}) raised an error\n\n{text}")
            continue
        _check_new(own, model)
        _check_labels(model, arrays)
        looked_at = _looked_at(model, arrays)  # which builds it
        looked_at["adapted"] = job.folds > 1 and bool(adapting.adapted(model))
        if "init" in combination:
            initializers.filled(model)
        return looked_at
    assert first is not None
    raise first


def _looked_at(model: keras.Model, arrays: data.Arrays) -> dict[str, Any]:
    is_built = bool(model.built)
    loss, metrics = own_loss(model), metric_names(model)
    known = private.output(model)
    made = traced(model, arrays.x)  # a graph knows its outputs better: this is to see whether it takes such rows
    made = made if known is None else known
    found = shapes(made, model)
    losses = known_losses(model, len(found))
    return {
        "outputs": [[name, list(shape), loss] for (name, shape), loss in zip(found, losses, strict=True)],
        "structure": "dict" if isinstance(made, Mapping) else "list" if isinstance(made, (list, tuple)) else "one",
        "loss": loss,
        "built": is_built,
        "metrics": metrics,
        "scheduled": model.compiled and private.has_schedule(model.optimizer),
        "logs": logged_names(model, arrays.x, arrays.y),
        "first": anatomy.first_layer(model),
        "activations": anatomy.activations(model, len(found)),
        "logits": anatomy.takes_logits(model, len(found)),
    }


def _check_labels(model: keras.Model, arrays: data.Arrays) -> None:
    """Without labels, whatever loss was compiled fails, unless a step of the model's own does something else."""
    own = any(getattr(type(model), name) is not getattr(keras.Model, name) for name in ("train_step", "compute_loss"))
    losses = keras.tree.flatten(model.loss) if model.compiled and not own else []
    if arrays.y is None and any(loss is not None for loss in losses):
        raise UsageError("there are no labels, and the loss that the function compiled needs some; give both: --data x,y")


def _check_new(job: Terms, model: keras.Model) -> None:
    """A model made outside of the function would hand each trial's weights on to the next in the same process."""
    for function in user_functions(job.function.call):
        for name, thing in global_values(function).items():
            if thing is model:
                raise UsageError(
                    f"{job.function.name} returns {name}, the same model each time; make the model inside the function"
                )


def architectures(job: Terms, emit: Emit, values: list[Mapping[str, Value]]) -> dict[str, Any]:
    """For each of these combinations of a plain function a `space.Architecture`, or None where it is not known."""
    found: list[Architecture | None] = []
    for combination in values:
        try:
            session.renew(job)  # a function may have broken Keras for those after it
            found.append(stacks.architecture(build(job, combination), combination, job.folder))
        except Exception:  # it will fail as a trial of its own, with its traceback
            found.append(None)
    return {"architectures": found}


def explore(job: Terms, emit: Emit, axes: Mapping[str, list[Value]]) -> dict[str, Any]:
    """Every combination that a KerasTuner function asks for, found by building it.

    The function is run on a first choice of values; each hyperparameter that it asks for and that is active becomes a
    fork, and the last fork with values left is taken next, until none is left. So whatever opens or closes a
    hyperparameter (a conditional scope, an `if`, a loop over `layers`), each combination comes out exactly once.

    Args:
        axes: hyperparameter to the values that replace the function's own.

    Returns:
        `combinations`, a list of dicts; `architectures`, for each of them a `space.Architecture` or None; `space`,
        KerasTuner's configuration of all hyperparameters found; `asked`, the names that were asked for.
    """
    import keras_tuner

    path: list[tuple[str, list[Value], int]] = []
    combinations: list[dict[str, Value]] = []
    architectures: list[Architecture | None] = []
    found = keras_tuner.HyperParameters()
    while True:
        forks: dict[str, list[Value]] = {}
        hp = _asking(job, axes, {name: values[i] for name, values, i in path}, forks)
        session.renew(job)
        made = None
        try:
            made = job.function.call(hp)
            if job.function.fit is not None:
                _ask_fit(job, job.function.fit, hp, made)
        except Exception as error:
            if not combinations:
                raise BuildError(f"{job.function.name}(hp) raised an error\n\n{user_traceback(error, job.function)}") from None
            # this combination will fail as a trial of its own, with its traceback
        known = {name for name, _, _ in path}
        path += [(name, values, 0) for name, values in forks.items() if name not in known]
        found.merge(hp, overwrite=False)
        combinations.append({name: values[i] for name, values, i in path})
        architectures.append(None if job.engine == TRIAL else stacks.architecture(made, combinations[-1], job.folder))
        if len(combinations) > MOST_COMBINATIONS:
            raise UsageError(f"{job.function.name} asks for more than {MOST_COMBINATIONS:,} combinations; narrow its ranges")
        while path and path[-1][2] == len(path[-1][1]) - 1:
            path.pop()
        if not path:
            space = found.get_config()["space"]
            asked = [hp["config"]["name"] for hp in space]
            return {"combinations": combinations, "architectures": architectures, "space": space, "asked": asked}
        name, values, i = path[-1]
        path[-1] = (name, values, i + 1)


def _ask_fit(job: Terms, fit: Any, hp: Any, made: Any) -> None:
    """Runs a hypermodel's own `fit` with a model that does not train, so that what it asks for is known.

    What it makes of a history without epochs may fail, and says nothing.
    """
    rows = data.read(job.folder)
    made.fit = lambda *args, **kwargs: keras.callbacks.History()
    with contextlib.suppress(Exception):
        fit(hp, made, fed(rows.x), fed(rows.y), validation_data=(fed(rows.x), fed(rows.y)), epochs=1, callbacks=[])


def _asking(job: Terms, axes: Mapping[str, list[Value]], chosen: Mapping[str, Value], forks: dict[str, list[Value]]) -> Any:
    """A `HyperParameters` that answers with the chosen or the first value.

    Args:
        forks: takes the values of each active hyperparameter that is asked for.

    Raises:
        UsageError: KerasTuner's insides are not as expected.
    """
    from nbtune.training.private import keras_tuner as private_tuner

    def note(hp: Any, hyperparameter: Any) -> None:
        name = hyperparameter.name
        if hp.is_active(hyperparameter):
            values = axes.get(name) or sorted_values(hyperparameter)
            forks.setdefault(name, list(values))
            hp.values.setdefault(name, job.resolved({name: forks[name][0]})[name])

    try:
        hp = private_tuner.asked(note)
    except Missing as error:
        raise UsageError(str(error)) from None
    hp.values = job.resolved(chosen)
    return hp


def sorted_values(hyperparameter: Any) -> list[Value]:
    """KerasTuner's own values for a grid; ten for a range without a step, which come as a set in no order.

    Those of an `Int` in a logarithmic grid come as floats, and are whole numbers here, as `hp.Int` returns them.
    """
    values = list(hyperparameter.values)
    if type(hyperparameter).__name__ == "Int":
        values = list(dict.fromkeys(round(value) for value in values))
    return sorted(values) if getattr(hyperparameter, "step", 1) is None else values


def measure(job: Job, emit: Emit, trials: list[Mapping[str, Value]], of: int, together: bool) -> dict[str, Any]:
    """Trains these combinations for three epochs as a stack, unless told not to, and then the middle one on its own.

    The first of the two includes what TensorFlow does once in a process: an estimate is to be an upper bound.

    Args:
        trials: the widest first.
        of: how many trials the stack has from which they were taken.

    Returns:
        The fields of `plan.Measured`, but `before`; `alone` and `stack` as dicts, and `reason` why there is no `stack`.
    """
    first = job.each_run[0]
    arrays = data.read(job.folder, first.fold)
    quick = replace(first, epochs=_EPOCHS, patience=None, engine=FUSED, project=job.folder.parent / "measured")
    quick.project.mkdir(exist_ok=True)
    stack, reason = _stack(quick, trials) if together else (None, None)
    middle = trials[len(trials) // 2]
    if stack and of > len(trials):
        stack["worker_mb"] += stacks.more_mb(quick, trials[0], of - len(trials))
    alone = _alone(quick, middle, arrays)
    held = psutil.Process().memory_full_info()
    return {"alone": alone, "stack": stack, "reason": reason, "shared_mb": (held.rss - held.uss) / 1e6}


def _alone(job: Job, values: Mapping[str, Value], arrays: data.Arrays) -> dict[str, float]:
    """The fields of `plan.Cost` for a trial on its own."""
    start = time.perf_counter()
    model = trial.new_model(job, values, arrays.x)
    marks: list[float] = []
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: marks.append(time.perf_counter()))
    trial.train(job, model, values, arrays, [*made_callbacks(job, values, job.project), clock])
    return _cost(start, marks, 1)


def _stack(job: Job, trials: list[Mapping[str, Value]]) -> tuple[dict[str, float] | None, str | None]:
    """The fields of `plan.Cost` for a stack, or why it was not trained. It may have been trained in several parts."""
    marks: list[float] = []
    began: list[float] = []

    def note(events: list[Event]) -> None:
        if isinstance(events[0], TrialStarted):
            began.append(time.perf_counter())
        if isinstance(events[0], EpochEnded):
            marks.append(time.perf_counter())

    start = time.perf_counter()
    _, refused = stacks.fit_stack(job, note, {str(i): values for i, values in enumerate(trials)})
    if refused:
        return None, next(iter(refused.values()))
    cost, around = _cost(start, marks, len(trials)), began[0] - start + time.perf_counter() - marks[-1]
    return {**cost, "setup": cost["setup"] - around, "trial": around / len(trials)}, None


def _cost(start: float, marks: list[float], trials: int) -> dict[str, float]:
    """From the moments when epochs ended, three for each part."""
    over = time.perf_counter()
    parts = [marks[i : i + _EPOCHS] for i in range(0, len(marks), _EPOCHS)]
    epoch = sum(min(b - a for a, b in itertools.pairwise(part)) for part in parts)
    own = psutil.Process().memory_full_info().uss / 1e6
    return {"setup": over - start - _EPOCHS * epoch, "epoch": epoch / trials, "worker_mb": own}
