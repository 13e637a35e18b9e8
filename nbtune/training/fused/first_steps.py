"""The first steps of a stack beside those of `model.fit`, before it is trusted with a model that no test stands for.

What is traced once for all trials of a stack can differ from what Keras runs for one: a layer may keep state in Python, or the
function may have drawn a constant under another seed. So one trial goes through two batches, the first of an epoch and its
last, which may be shorter, and through an evaluation, by both. That costs one `model.fit` of two steps, whatever the grid.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from nbtune.data import arrays as data
from nbtune.data.tree import map_leaves
from nbtune.record.job import Job
from nbtune.training import trial
from nbtune.training.callbacks import made_callbacks
from nbtune.training.fused import batches, padding, skipping
from nbtune.training.fused.optimizers import Update, UpdateOfAll
from nbtune.training.fused.spec import TrialSpec
from nbtune.training.fused.step import Standing, Step, seed_places
from nbtune.training.reasons import CannotFuse
from nbtune.training.row_weights import weighted

OF_A_TENSOR, OF_ALL = 1e-3, 1e-5  # of the largest number of a tensor, and of all of its kind: above rounding, below a fault
OF_A_LOSS = 1e-4
_DETERMINED = 1e-2  # of the largest gradient: below, it can be rounding, of which Adam makes a whole step
_OF_A_STEP = 5e-2

Named = Mapping[str, np.ndarray]


Train = Callable[[Standing, int], tuple[Standing, dict[str, Any]]]  # a batch; behind the last, an evaluation


class Steps(NamedTuple):
    """What two batches and an evaluation came to: what is logged, and a model's variables by their paths.

    Attributes:
        start: the trained weights before.
        slots: the optimizer's variables.
        state: what else the model keeps.
    """

    logs: Mapping[str, float]
    start: Named
    weights: Named
    slots: Named
    state: Named

    def with_values(self, logs: Mapping[str, float], *variables: Sequence[np.ndarray]) -> Steps:
        """Others, whose variables have these values: `weights`, `slots` and `state`, each in the same order."""
        weights, slots, state = (dict(zip(own, values, strict=True)) for own, values in zip(self[2:], variables, strict=True))
        return Steps(logs, self.start, weights, slots, state)


def compare(
    job: Job,
    arrays: data.Arrays,
    template: TrialSpec,
    stack: Sequence[TrialSpec],
    step: Step,
    update: Update | UpdateOfAll,
    train: Train,
    start: Standing,
) -> None:
    """Takes a stack that was not trained yet through its first steps, and one trial for each loss through those of `model.fit`.

    Args:
        job: of the one run that the stack is at.
        arrays: the rows of that run.

    Raises:
        CannotFuse: they come to something else.
    """
    size = int(template.values.get("batch_size", job.batch_size))
    order = next(batches.orders(arrays.rows, job.seed, job.shuffle))
    last = (len(order) - 1) // size
    at = start
    for batch in sorted({0, last}):
        at, results = train(at, batch)
    rows = np.concatenate([order[:size], order[size * last :]]) if last else order
    for spec in {spec.loss_key: spec for spec in reversed(stack) if not spec.is_proven}.values():
        place = stack.index(spec)
        model, theirs = _by_model_fit(job, spec, arrays, rows)
        logs = {name: float(values[place]) for name, values in results.items()}
        ours = theirs.with_values(logs, *_variables(at, place, template, spec, step, update, model))
        differs = difference(theirs, ours, len(rows))
        if differs:
            raise CannotFuse(f"the first two steps, after which {differs} is not what it is with model.fit")


def _variables(
    at: Standing, place: int, template: TrialSpec, spec: TrialSpec, step: Step, update: Update | UpdateOfAll, model: keras.Model
) -> tuple[list[np.ndarray], ...]:
    """One trial's weights, optimizer's variables and other state as `model` has them, in its order."""
    places = skipping.places(spec, template)
    seeds = dict(zip(seed_places(model), at.seeds, strict=True))
    others = iter([value[place] for value in at.state.others])
    state = [np.asarray(seeds[i] if i in seeds else next(others)) for i in range(len(model.non_trainable_variables))]
    slots = step.update.apart(update.of_one(at.state.slots, place), model.optimizer, model.trainable_variables, places)
    weights = [np.asarray(at.state.weights[i][place]) for i in places]
    kinds = ((weights, model.trainable_variables), (slots, model.optimizer.variables), (state, model.non_trainable_variables))
    return tuple([padding.cropped(np.asarray(a), v.shape) for a, v in zip(own, of, strict=True)] for own, of in kinds)


def _by_model_fit(job: Job, spec: TrialSpec, arrays: data.Arrays, rows: np.ndarray) -> tuple[keras.Model, Steps]:
    """The trial's model, made anew and fitted by Keras on these rows, in their order.

    Args:
        job: of the run.
        rows: those of the two batches, the full one first.
    """
    model = trial.new_model(job, spec.values, arrays.x)
    start = list(spec.weights)
    arrays = weighted(job, spec.values, arrays)  # of these rows alone, balanced classes would weigh otherwise
    others = {name: value for name, value in spec.values.items() if name != "class_weight"}
    chosen = lambda part: None if part is None else map_leaves(lambda leaf: np.asarray(leaf)[rows], part)  # noqa: E731
    few = replace(arrays, x=chosen(arrays.x), y=chosen(arrays.y), sample_weight=chosen(arrays.sample_weight))
    weights: dict[str, np.ndarray] = {}  # before the end, where `fit` puts an optimizer's averages in their place
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: weights.update(_values(model.trainable_variables)))
    with tempfile.TemporaryDirectory() as folder:
        own = made_callbacks(job, spec.values, Path(folder))
        history = trial.train(replace(job, epochs=1), model, others, few, [*own, note], shuffle=False)
    names = [v.path for v in model.trainable_variables]
    steps = Steps(
        logs={name: values[0] for name, values in history.items()},
        start=dict(zip(names, start, strict=True)),
        weights=weights,
        slots=_values(model.optimizer.variables),
        state=_values(model.non_trainable_variables),
    )
    return model, steps


def _values(variables: Sequence[Any]) -> Named:
    return {variable.path: np.asarray(variable) for variable in variables}


def difference(theirs: Steps, ours: Steps, rows: int) -> str | None:
    """What in our steps is not what it is in theirs, but for rounding; None if nothing is.

    Args:
        rows: so few a metric was counted over, one of which may have tipped over.
    """
    if not np.isfinite(theirs.logs["loss"]) and not np.isfinite(ours.logs.get("loss", 0.0)):
        return None  # it diverges in both, and what is NaN from then on depends on the order of operations
    for name, value in theirs.logs.items():
        tipped = 0 if name.endswith("loss") else 1.5 / rows
        if not np.isclose(ours.logs.get(name, np.inf), value, OF_A_LOSS, 1e-7 + tipped, equal_nan=True):
            return name
    return next(_differing(theirs, ours), None)


def _differing(theirs: Steps, ours: Steps) -> Iterator[str]:
    yield from (path for path, value in theirs.state.items() if not _close(ours.state[path], value, 0.0))
    largest = _largest_by_kind(theirs.slots)
    yield from (path for path, value in theirs.slots.items() if not _close(ours.slots[path], value, largest[_kind(path)]))
    steps = [float(np.max(np.abs(theirs.weights[path] - start), initial=0)) for path, start in theirs.start.items()]
    for path, value in theirs.weights.items():
        apart = np.abs(ours.weights[path] - value) > _OF_A_STEP * max(steps) + 1e-6 * np.abs(value)
        if np.any(apart & _determined(path, value.shape, theirs.slots, largest)):
            yield path


def _close(ours: np.ndarray, theirs: np.ndarray, largest: float) -> bool:
    if theirs.dtype.kind != "f":
        return bool(np.array_equal(ours, theirs))
    tolerance = OF_A_TENSOR * np.max(np.abs(theirs), initial=0) + OF_ALL * largest + 1e-9
    return bool(np.all((np.abs(ours - theirs) <= tolerance) | (np.isnan(ours) & np.isnan(theirs))))


def _determined(path: str, shape: tuple[int, ...], slots: Named, largest: Mapping[str, float]) -> np.ndarray:
    """Which of a weight's numbers have a gradient that is more than rounding, as far as the optimizer's slots tell it."""
    own = path.replace("/", "_")
    found = np.ones(shape, bool)
    for slot, value in slots.items():
        if f"/{own}_" in f"/{slot}" and value.shape == shape:
            found &= np.abs(value) > _DETERMINED * largest[_kind(slot)]
    return found


def _kind(slot: str) -> str:
    """Momentum, velocity and the like: the last word of an optimizer's variable."""
    return slot.rpartition("_")[2]


def _largest_by_kind(slots: Named) -> dict[str, float]:
    largest: dict[str, float] = {}
    for path, value in slots.items():
        if value.dtype.kind == "f":
            largest[_kind(path)] = max(largest.get(_kind(path), 0.0), float(np.max(np.abs(value), initial=0)))
        else:
            largest.setdefault(_kind(path), 0.0)
    return largest
