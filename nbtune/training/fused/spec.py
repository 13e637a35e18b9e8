"""What each trial of a stack starts from, and which of them are the same computation with other numbers."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nbtune.ask.space import Architecture, Value
from nbtune.data import arrays as data
from nbtune.data.content.keras import unconfigured
from nbtune.record.checkpoint import Checkpoint
from nbtune.record.job import Job
from nbtune.training import adapting, compiling, encoding, model, session, steady
from nbtune.training.callbacks import stack_obstacle
from nbtune.training.fused import chain, obstacles, optimizers, padding
from nbtune.training.fused.layers import covered, dropout, per_example, recurrent
from nbtune.training.fused.rates import Rates, Schedules
from nbtune.training.fused.step import seed_places
from nbtune.training.private import keras as private
from nbtune.training.reasons import CannotFuse, Reason, reason_of

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class TrialSpec:
    """One trial before its first epoch.

    Attributes:
        model: an architecture; trials that differ only in how they are compiled have it in common.
        weights, others, seeds: the initial values of its variables, as in `step.State`.
        loss, metrics, optimizer: what this trial is compiled with.
        labels: what the losses are given, as `keras.KerasTensor`s.
        loss_key, architecture, signature: equal where losses are, models, and whole trials but for their numbers.
        rates: those of its steps.
        dropout: the rates of the layers that are `dropout.dropping`.
        row: layers alike in a row, of which the model of another trial of its stack may have more or fewer.
        is_proven: whether it is of a kind that tests hold against `model.fit`.
        own_step: its model's `train_step` is traced as it is (`own_steps`).
        batch: features and labels of a batch, as `keras.KerasTensor`s.
        at: where it goes on, if it does; then `weights`, `others` and `seeds` are those that it has there.
        left: where its runs were left off, by number.
    """

    trial: str
    values: Mapping[str, Value]
    model: keras.Model
    output: Any
    weights: Arrays
    others: Arrays
    seeds: Arrays
    loss: Any
    metrics: Any
    optimizer: Any
    rates: Rates
    dropout: list[float]
    labels: Any
    loss_key: str
    architecture: str
    signature: str
    row: list[Any]
    is_proven: bool
    own_step: bool
    batch: tuple[Any, Any]
    at: Checkpoint | None = None
    left: Mapping[int, Checkpoint] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        return len(self.row)

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [value.shape for value in [*self.weights, *self.others]]

    @property
    def size(self) -> int:
        """How many numbers its variables hold."""
        return sum(value.size for value in [*self.weights, *self.others])

    @property
    def stack_key(self) -> str:
        """Equal for trials that can share a stack, which has one set of seeds, and that were left off in the same epochs."""
        seeds = lambda spec: [seed.tolist() for seed in spec.seeds]  # noqa: E731
        under_way = {json.dumps([at.epochs, seeds(self.gone_on(at))]) for at in self.left.values() if not at.has_ended}
        return json.dumps([self.signature, seeds(self), sorted(under_way)])

    def left_off(self, left: Mapping[int, Checkpoint]) -> TrialSpec:
        """With where its runs were left off, by number; those of another model do not count."""
        return replace(self, left={run: at for run, at in left.items() if self._fits(at)})

    def _fits(self, at: Checkpoint) -> bool:
        own = [tuple(variable.shape) for variable in (*self.model.trainable_variables, *self.model.non_trainable_variables)]
        given = [tuple(value.shape) for value in (*at.weights, *at.others)]
        return given == own and (at.has_ended or len(at.best) == len(self.shapes))

    @property
    def history(self) -> dict[str, list[float]]:
        """Of the first run that was left off under way."""
        return next((at.end.history for _, at in sorted(self.left.items()) if not at.has_ended), {})

    def has_ended(self, run: int) -> bool:
        return run in self.left and self.left[run].has_ended

    def epochs(self, run: int) -> int:
        """How many of a run that has not ended are trained already."""
        return self.left[run].epochs if run in self.left else 0

    def gone_on(self, at: Checkpoint | None) -> TrialSpec:
        """As one of its runs goes on there."""
        if at is None:
            return self
        places = seed_places(self.model)
        others = [value for i, value in enumerate(at.others) if i not in places]
        return replace(self, weights=list(at.weights), others=others, seeds=[at.others[i] for i in places], at=at)


def trial_specs(
    job: Job, trials: Mapping[str, Mapping[str, Value]], arrays: data.Arrays
) -> Iterator[TrialSpec | tuple[str, Reason]]:
    """The spec of each trial, or its name and the reason why it has none.

    A function that keeps count of its calls would make another model here than in a process of the trial's own.
    """
    models = {json.dumps(_given(job, values), sort_keys=True) for values in trials.values()}
    if len(models) == 1:
        return _specs(job, trials, arrays)
    before, found = steady.standing(job), list(_specs(job, trials, arrays))
    if steady.standing(job) == before and not steady.has_changed_libraries():
        return iter(found)
    return iter([(each.trial, Reason(steady.CHANGES)) if isinstance(each, TrialSpec) else each for each in found])


def _specs(job: Job, trials: Mapping[str, Mapping[str, Value]], arrays: data.Arrays) -> Iterator[TrialSpec | tuple[str, Reason]]:
    made: dict[str, _Built] = {}
    schedules = Schedules()
    for name, values in trials.items():
        key = json.dumps(_given(job, values), sort_keys=True)
        try:
            if key not in made:
                made[key] = _Built(job, values, arrays, schedules)
            yield made[key].trial_spec(name, values)
        except Exception as error:  # one of the user's own the trial meets again on its own, and reports it
            yield name, reason_of(error, job.function)


def _given(job: Job, values: Mapping[str, Value]) -> dict[str, Value]:
    """The values that decide what a model is before it is compiled."""
    inner = values if job.function.takes_hp else job.function.arguments(dict(values))
    return {name: value for name, value in values.items() if name == "init" or (name in inner and name not in _outer(job))}


def _outer(job: Job) -> frozenset[str]:
    """The axes that the function does not see; one that takes any keyword sees all."""
    return frozenset() if not job.function.takes_hp and job.function.parameters is None else job.applied


def again(job: Job, spec: TrialSpec, arrays: data.Arrays) -> TrialSpec:
    """The spec as it starts with the seed of this job, which is otherwise the one that it was made for.

    Raises:
        CannotFuse: the seed decides on more than the first values.
    """
    made = _Built(job, spec.values, arrays, Schedules())
    new = replace(spec, weights=made.weights, others=made.others, seeds=made.seeds)
    same = (made.architecture, new.shapes) == (spec.architecture, spec.shapes)
    if same and made.model.compiled:  # by the function, whose loss need not be the same each time
        other = made.trial_spec(spec.trial, spec.values)
        same = (other.signature, other.loss_key) == (spec.signature, spec.loss_key)
    if not same:
        raise CannotFuse("a model or a loss that the function makes anew for each seed")
    return new


def rates_of(job: Job, spec: TrialSpec, arrays: data.Arrays) -> Rates:
    """Those of a trial that is trained on other rows, whose epochs have another number of steps."""
    return _Built(job, spec.values, arrays, Schedules()).trial_spec(spec.trial, spec.values).rates


class _Built:
    """A model as the trial engine would build it, and its variables' values before anything was trained."""

    def __init__(self, job: Job, values: Mapping[str, Value], arrays: data.Arrays, schedules: Schedules) -> None:
        self._job, self._arrays, self._schedules = job, arrays, schedules
        session.renew(job)
        model.seed(job)
        self.model = model.initial(job, values, arrays.x)
        self._output = self._built_output(values)
        self._is_proven = covered.model(self.model)
        self._compiled = bool(self.model.compiled)
        self._rate = private.rate(self.model.optimizer) if self._compiled and self.model.optimizer is not None else None
        places = seed_places(self.model)
        others = [np.asarray(v) for v in self.model.non_trainable_variables]
        self.weights = [np.asarray(v) for v in self.model.trainable_variables]
        self.others = [value for i, value in enumerate(others) if i not in places]
        self.seeds = [others[i] for i in places]
        self.architecture = json.dumps(_architecture(self.model, _given(job, values)), sort_keys=True, default=str)
        self._row = chain.row(self.model)

    def _built_output(self, values: Mapping[str, Value]) -> Any:
        """What the model puts out. One that is not built yet is built here as `model.fit` would, after the second seed."""
        if self.model.built:
            return model.output(self._job, values, self.model, self._arrays.x)
        model.seed(self._job)
        return model.traced(self.model, self._arrays.x)

    def _as_the_function_left_it(self) -> None:
        """Another trial of the same model may have been compiled since."""
        self.model.compiled = self._compiled
        if self._rate is not None:
            private.set_learning_rate(self.model.optimizer, self._rate)

    def trial_spec(self, name: str, values: Mapping[str, Value]) -> TrialSpec:
        job, arrays, made = self._job, self._arrays, self.model
        if reason := obstacles.beside(job, arrays, made) or stack_obstacle(job, values):
            raise CannotFuse(reason)
        if job.fold is not None and adapting.adapted(made):
            raise CannotFuse("layers that each fold adapts to its own rows")
        self._as_the_function_left_it()
        compiling.compile_for(job, values, made, arrays.x)
        own_step = obstacles.has_own_step(made)
        reason = obstacles.obstacle(made, own_step) or (None if own_step else optimizers.obstacle(made.optimizer))
        if reason:
            raise CannotFuse(reason)
        recurrent.prepare(made)
        compiled = private.settings(made)
        labels, loss = _symbolic(arrays.y), private.compiled_loss(made)
        loss_key = f"{_described(made.loss)}, {_described(compiled.get('loss_weights'))}"
        size = min(int(values.get("batch_size", job.batch_size)), arrays.rows)
        signature = {
            "architecture": self.architecture,
            "optimizer": optimizers.settings(made.optimizer),
            "metrics": _described(compiled.get("metrics")),
            "weighted_metrics": _described(compiled.get("weighted_metrics")),
            "batch_size": values.get("batch_size", job.batch_size),
            "class_weight": values.get("class_weight"),
            "parts": [] if own_step else _parts(loss, labels, self._output),
            "own step": [loss_key, [v.shape for v in made.variables]] if own_step else None,
        }
        return TrialSpec(
            trial=name,
            values=values,
            model=made,
            output=self._output,
            weights=self.weights,
            others=self.others,
            seeds=self.seeds,
            loss=loss,
            metrics=private.compiled_metrics(made),
            optimizer=made.optimizer,
            rates=self._schedules.of(made.optimizer),
            dropout=[layer.rate for layer in dropout.dropping(made)],
            labels=labels,
            loss_key=loss_key,
            architecture=self.architecture,
            signature=json.dumps(signature, sort_keys=True, default=str),
            row=self._row,
            own_step=own_step,
            batch=(_symbolic(arrays.x, size), _symbolic(arrays.y, size)),
            is_proven=not own_step and self._is_proven and covered.compiled(made) and not keras.tree.is_nested(self._output),
        )


def _parts(loss: Any, labels: Any, output: Any) -> list[str]:
    """The names under which the losses of several outputs are logged."""
    return [metric.name for metric in private.built(loss, labels, output).metrics] if keras.tree.is_nested(output) else []


def _symbolic(rows: Any, size: int | None = None) -> Any:
    return None if rows is None else model.symbolic(rows, size)


def architecture(made: Any, values: Mapping[str, Value], folder: Path) -> Architecture | None:
    """What tells whether models can share a stack, as far as one that the function just made shows it.

    Args:
        folder: of the data, whose shape gives a `Sequential` without an `Input` its weights, as in `fit`.
    """
    if type(made) is keras.Sequential and not made.built:
        model.traced(made, data.read(folder).x)
    if not isinstance(made, keras.Model) or not made.built:
        return None
    optimizer = optimizers.settings(made.optimizer) if made.compiled and not optimizers.obstacle(made.optimizer) else None
    found = json.dumps([_architecture(made, values), optimizer], sort_keys=True, default=str)
    size = sum(math.prod(v.shape) for v in made.variables)
    return Architecture(hashlib.sha256(found.encode()).hexdigest()[:16], size, len(chain.row(made)))


def _architecture(made: keras.Model, given: Mapping[str, Value]) -> Any:
    """What is equal where two models compute the same function of their weights, once one of them is padded (`padding`) or
    skips layers (`skipping`).

    A configuration tells that as long as all parts are Keras's own. A user's code can read what no configuration shows,
    so there the values that the function was given have to be the same, apart from the initialiser's.
    """
    kinds = [[str(v.dtype), bool(v.trainable)] for v in made.variables]
    shapes = [list(v.shape) for v in made.variables]
    try:
        config = _without_start(private.uncompiled_config(made))
    except Exception:  # a layer without get_config
        config = None
    if config is None or not _only_keras(config) or not per_example.only_keras_models(made):
        return {"kinds": kinds, "shapes": shapes, "values": dict(given)}
    config = dropout.without_rates(config)
    free = padding.free(made)
    row = chain.row(made)
    if row and not (made.compiled and optimizers.clips(made.optimizer)):
        return {"chain": [_nameless(layer, free) for layer in chain.chain(made) if layer not in row[1:]]}
    return {"kinds": kinds, "shapes": None if free else shapes, "config": padding.without(config, free)}


def _nameless(layer: Any, free: set[str]) -> Any:
    """What a layer does, apart from its width if that is free."""
    config = padding.without(_without_start(keras.saving.serialize_keras_object(layer)), free)
    return {**config, "config": {name: value for name, value in config["config"].items() if name != "name"}}


def _without_start(config: Any) -> Any:
    """A configuration without what only decides on the first values."""
    if isinstance(config, dict):
        left_out = ("seed", "compile_config", "build_config")
        kept = (k for k in config if not k.endswith("initializer") and k not in left_out)
        return {k: _without_start(config[k]) for k in kept}
    return [_without_start(v) for v in config] if isinstance(config, (list, tuple)) else config


def _only_keras(config: Any) -> bool:
    """All that a configuration names is Keras's own code."""
    if isinstance(config, dict):
        module = config.get("module")
        is_keras = str(module).partition(".")[0] == "keras"  # which registers a model of its functional API too
        if config.get("class_name") in ("function", "__lambda__", "Lambda") or (config.get("registered_name") and not is_keras):
            return False
        own = module is None or is_keras or module == "builtins"
        return own and all(_only_keras(value) for value in config.values())
    return all(map(_only_keras, config)) if isinstance(config, (list, tuple)) else True


def _described(thing: Any) -> str:
    """Equal for things that do the same: by configuration if they are Keras's own, else by identity."""
    if thing is None or isinstance(thing, str):
        return encoding.loss_name(thing) if thing else "none"
    if isinstance(thing, (list, tuple)):
        return f"[{', '.join(map(_described, thing))}]"
    if isinstance(thing, Mapping):
        return f"{{{', '.join(f'{key}: {_described(part)}' for key, part in thing.items())}}}"
    if isinstance(thing, (int, float)):
        return repr(thing)
    if isinstance(thing, (encoding.EncodedLoss, encoding.EncodedMetric)):
        return f"{type(thing).__name__} {thing.encoding} {_described(encoding.unwrapped(thing))}"
    if isinstance(thing, (keras.losses.Loss, keras.metrics.Metric)) and type(thing).__module__.startswith("keras."):
        config = keras.saving.serialize_keras_object(thing)
        if _only_keras(config):
            return json.dumps([config, unconfigured(thing)], sort_keys=True)
    return f"{type(thing).__name__} at {id(thing)}"
