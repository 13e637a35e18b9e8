"""A trial of a stack on disk, as `model.fit` would have left it."""

from __future__ import annotations

from typing import Any

from nbtune.record.events import Emit
from nbtune.record.job import Job
from nbtune.training import trial
from nbtune.training.fused import padding, skipping
from nbtune.training.fused.repeats import Kept
from nbtune.training.fused.spec import TrialSpec
from nbtune.training.fused.step import Step, seed_places


class Saver:
    """Saves trials of one stack, each through a model with the variables that `model.fit` would leave it."""

    def __init__(self, job: Job, emit: Emit, template: TrialSpec, step: Step) -> None:
        self._job, self._emit, self._template, self._step = job, emit, template, step
        self._models: dict[int, tuple[Any, Any]] = {}  # by their ids, each with an optimizer

    def save(self, kept: Kept) -> str:
        spec = kept.spec
        # trials of a stack that have a model in common have optimizers that differ in their variables alone
        model, optimizer = self._models.setdefault(id(spec.model), (spec.model, spec.optimizer))
        model.optimizer = optimizer
        seeds = set(seed_places(model))
        others = [v for i, v in enumerate(model.non_trainable_variables) if i not in seeds]
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        places = skipping.places(spec, self._template)
        slots = self._step.update.apart(kept.slots, optimizer, model.trainable_variables, places)
        variables = [*model.trainable_variables, *others, *optimizer.variables]
        for variable, value in zip(variables, [*kept.weights, *slots], strict=True):
            variable.assign(padding.cropped(value, variable.shape))
        return trial.keep_weights(self._job, self._emit, spec.trial, model)
