"""One batch of one trial where the model trains in a way of its own, or by an optimizer that a stack has not written down.

`train_step` and `test_step`, Keras's or the model's, are traced with their variables, as Keras traces them, and what was traced
is run again with a trial's tensors in the variables' places. So whatever they do is done, as long as it is computing and
assigning the variables of the model, its metrics and its optimizer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import tensorflow as tf

from nbtune.training.fused.optimizers import Update
from nbtune.training.fused.step import Batch, Logs, State, Step, Tensors
from nbtune.training.private import replay
from nbtune.training.reasons import CannotFuse


class OwnUpdate(Update):
    """The variables of a model's own optimizer, which the model's step updates."""

    def __init__(self, optimizer: Any, model: keras.Model) -> None:
        optimizer.build(model.trainable_variables)
        self._flat, self._optimizer = False, optimizer
        self._shapes = [tuple(v.shape) for v in model.trainable_variables]

    @property
    def is_elementwise(self) -> bool:
        return False


@dataclass(frozen=True)
class OwnStep(Step):
    """A step by the model's own methods; its trials have one loss.

    The sums of an epoch, `Logs`, have the variables of the model's metrics in `metrics`, and in `parts` what the last step
    returned.

    Attributes:
        batch: specs of features and labels.
        traced: what was traced so far.
    """

    batch: Batch
    traced: dict[Any, replay.Traced]

    @classmethod
    def of(cls, model: keras.Model, x: Any, y: Any, blocks: Sequence[Sequence[int]]) -> OwnStep:
        """The step of a compiled model, for batches of these kinds."""
        update = OwnUpdate(model.optimizer, model)
        return cls(model, update, (), None, blocks, frozenset(), Batch(x, y, None, None), {})

    @cached_property
    def _names(self) -> dict[bool, list[str]]:
        """What the training, and the evaluation, logs."""
        return {training: sorted(_flat(self._step(training, self.batch).outputs)) for training in (True, False)}

    @cached_property
    def _from_metrics(self) -> dict[bool, bool]:
        steps = {training: self._step(training, self.batch).outputs for training in (True, False)}
        return {training: replay.is_of_metrics(self.model, list(outputs)) for training, outputs in steps.items()}

    @cached_property
    def _counted(self) -> list[Any]:
        return list(self.model.metrics_variables)

    def _step(self, training: bool, batch: Batch) -> replay.Traced:
        """The model's step for batches of these shapes."""
        kind = lambda part: tf.TensorSpec(part.shape, part.dtype)  # noqa: E731
        data = keras.tree.map_structure(kind, tuple(part for part in (batch.x, batch.y, batch.weights) if part is not None))
        key = training, str(data)
        if key not in self.traced:
            method: Callable[..., Any] = self.model.train_step if training else self.model.test_step
            self.traced[key] = replay.trace(method, data)
            if not isinstance(self.traced[key].outputs, dict):
                raise CannotFuse("a step of the model's own that does not return a dict")
        return self.traced[key]

    def train(self, state: State, seeds: Tensors, logs: Logs, batch: Batch) -> tuple[State, Tensors, Logs]:
        """One update. A trial whose loss stops being finite stops after it: `TerminateOnNaN`."""
        returned, values = self._run(True, state, seeds, logs, batch)
        others, new_seeds = self._apart(values)
        of = lambda variables: [values[id(variable)] for variable in variables]  # noqa: E731
        new_logs = logs._replace(parts=self._returned(True, returned), metrics=of(self._counted))
        live = state.live & tf.math.is_finite(returned["loss"]) if "loss" in returned else state.live
        weights, slots = of(self.model.trainable_variables), of(self.update.variables)
        after = state._replace(weights=weights, others=others, slots=slots, live=live)
        kept = tf.nest.map_structure(lambda new, old: tf.where(state.live, new, old), (after, new_logs), (state, logs))
        return kept[0], new_seeds, kept[1]

    def test(self, state: State, seeds: Tensors, logs: Logs, batch: Batch) -> tuple[Logs, Tensors]:
        """One batch of the evaluation."""
        returned, values = self._run(False, state, seeds, logs, batch)
        others, new_seeds = self._apart(values)
        if any(new is not old for new, old in zip(others, state.others, strict=True)):
            raise CannotFuse("a layer that changes its state when it is evaluated")
        counted = [values[id(variable)] for variable in self._counted]
        return logs._replace(parts=self._returned(False, returned), metrics=counted), new_seeds

    def no_logs(self) -> Logs:
        """The sums before the first batch."""
        parts = [tf.zeros([]) for _ in range(max(map(len, self._names.values())))]
        zero = tf.zeros([])
        return Logs(zero, zero, zero, parts, [tf.convert_to_tensor(variable.value) for variable in self._counted])

    def result(self, logs: Logs, training: bool = True) -> dict[str, tf.Tensor]:
        """What Keras logs after an epoch, without `val_`."""
        if not self._from_metrics[training]:
            return dict(zip(self._names[training], logs.parts, strict=False))
        mapping = list(zip(self._counted, logs.metrics, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return dict(self.model.get_metrics_result())

    def _run(
        self, training: bool, state: State, seeds: Tensors, logs: Logs, batch: Batch
    ) -> tuple[dict[str, Any], replay.Values]:
        places = set(self.seed_places())
        others, shared = iter(state.others), iter(seeds)
        fixed = [next(shared) if i in places else next(others) for i in range(len(self.model.non_trainable_variables))]
        slots = self.update.variables
        variables = [*self.model.trainable_variables, *self.model.non_trainable_variables, *slots, *self._counted]
        values = [*state.weights, *fixed, *state.slots, *logs.metrics]
        given = tf.nest.flatten([part for part in (batch.x, batch.y, batch.weights) if part is not None])
        known = {id(variable): value for variable, value in zip(variables, values, strict=True)}
        try:
            returned, after = replay.replay(self._step(training, batch), given, known, variables)
        except replay.NotPure as error:
            raise CannotFuse(f"{error}, in the model's own {'train' if training else 'test'}_step") from error
        return _flat(returned), after

    def _apart(self, values: replay.Values) -> tuple[Tensors, Tensors]:
        """The other variables, and the seeds."""
        places = set(self.seed_places())
        each = [values[id(variable)] for variable in self.model.non_trainable_variables]
        return [v for i, v in enumerate(each) if i not in places], [each[i] for i in sorted(places)]

    def _returned(self, training: bool, returned: dict[str, Any]) -> Tensors:
        parts = [tf.cast(returned[name], tf.float32) for name in self._names[training]]
        if any(part.shape.rank for part in parts):
            raise CannotFuse("a step of the model's own that logs more than numbers")
        return [*parts, *(tf.zeros([]) for _ in range(max(map(len, self._names.values())) - len(parts)))]


def _flat(logs: dict[str, Any]) -> dict[str, Any]:
    """As Keras logs them: what is in a dict in the dict as if it were not."""
    found: dict[str, Any] = {}
    for name, value in logs.items():
        found |= _flat(value) if isinstance(value, dict) else {name: value}
    return found
