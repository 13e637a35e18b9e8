"""A trial of a stack on disk, as `model.fit` would have left it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbtune.record.checkpoint import Checkpoint
from nbtune.record.events import DONE, Emit, Stopping, TrialEnded
from nbtune.record.job import Job
from nbtune.training import resuming, weights
from nbtune.training.fused import optimizers, padding, skipping
from nbtune.training.fused.member import Member
from nbtune.training.fused.repeats import Kept
from nbtune.training.fused.spec import TrialSpec
from nbtune.training.fused.step import Step, seed_places


class Saver:
    """Saves trials of one stack, each through a model with the variables that `model.fit` would leave it."""

    def __init__(self, job: Job, emit: Emit, template: TrialSpec, step: Step, stopping: Stopping) -> None:
        self._job, self._emit, self._template, self._step, self._stopping = job, emit, template, step, stopping
        self._models: dict[int, tuple[Any, Any]] = {}  # by their ids, each with an optimizer

    def save(self, kept: Kept, fold: int | None = None) -> str | None:
        """A trial, or one of its folds; the stamp of the file."""
        spec = kept.spec
        model, optimizer = self._model_of(spec)
        model.optimizer = optimizer
        seeds = set(seed_places(model))
        others = [v for i, v in enumerate(model.non_trainable_variables) if i not in seeds]
        places = skipping.places(spec, self._template)
        slots = self._step.update.apart(kept.slots, optimizer, model.trainable_variables, places)
        variables = [*model.trainable_variables, *others, *optimizer.variables]
        for variable, value in zip(variables, [*kept.weights, *slots], strict=True):
            variable.assign(padding.cropped(value, variable.shape))
        return weights.keep(self._job, self._emit, spec.trial, model, self._stopping, fold)

    def _model_of(self, spec: TrialSpec) -> tuple[Any, Any]:
        """The model, and an optimizer that is built on its weights.

        Trials of a stack that have a model in common have optimizers that differ in their variables alone.
        """
        if id(spec.model) not in self._models:
            optimizer = spec.optimizer if spec.own_step else optimizers.new(spec.optimizer)  # which may serve several models
            if not optimizer.built:
                optimizer.build(spec.model.trainable_variables)
            self._models[id(spec.model)] = spec.model, optimizer
        return self._models[id(spec.model)]

    def slots(self, spec: TrialSpec) -> list[np.ndarray]:
        """The optimizer's variables of a run that goes on, as the stack's update has them."""
        assert spec.at is not None
        model, optimizer = self._model_of(spec)
        places = skipping.places(spec, self._template)
        return self._step.update.joined(spec.at.slots, optimizer, model.trainable_variables, places)

    def kept(self, spec: TrialSpec, run: int) -> Kept:
        """What is saved of a run that was left off, or had ended by then."""
        at = spec.left[run]
        own = spec.gone_on(at)
        return Kept(spec, [*own.weights, *own.others] if at.has_ended else list(at.best), self.slots(own))

    def standing(self, end: TrialEnded, member: Member, now: Kept, seeds: Sequence[np.ndarray]) -> Checkpoint:
        """Where a run stands, that its trial can go on there.

        Args:
            end: what it came to.
            now: its weights and slots after the last epoch, or where it has ended those that are kept.
            seeds: of the stack.
        """
        spec = member.spec
        model, optimizer = self._model_of(spec)
        at, shapes = seed_places(model), spec.shapes
        cropped = lambda values: [padding.cropped(value, shape) for value, shape in zip(values, shapes, strict=True)]  # noqa: E731
        own, best = cropped(now.weights), [] if end.status == DONE else cropped(member.stopper.best_weights)
        slots = self._step.update.apart(now.slots, optimizer, model.trainable_variables, skipping.places(spec, self._template))
        others, drawn = iter(own[len(spec.weights) :]), iter(seeds)
        return Checkpoint(
            end,
            member.stopper.wait,
            weights=own[: len(spec.weights)],
            others=[np.asarray(next(drawn if i in at else others)) for i in range(len(model.non_trainable_variables))],
            slots=[padding.cropped(slot, variable.shape) for slot, variable in zip(slots, optimizer.variables, strict=True)],
            best=best,
            callbacks=resuming.states([*member.own, *member.plateau]),
            rate=None if member.optimizer.learning_rate is None else float(member.optimizer.learning_rate),
        )
