"""Keras's optimizers as pure functions of their variables, on TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nbtune.training.fused import padding
from nbtune.training.fused.layers import kinds
from nbtune.training.private import keras as private
from nbtune.training.reasons import CannotFuse

# Each is held against model.fit by a test; others keep state that a stack cannot give to each of its trials.
KNOWN = ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "RMSprop", "SGD")
_TRACED = ("Lamb", "Muon", "Nadam")
_ALL = "all_weights"


def obstacle(optimizer: Any) -> str | None:
    """Why an optimizer cannot be fused; None if it can."""
    name = type(optimizer).__name__
    if name not in KNOWN or type(optimizer) is not getattr(keras.optimizers, name):
        return f"the optimizer {name}"
    if optimizer.gradient_accumulation_steps:
        return "gradient_accumulation_steps of the optimizer"
    if optimizer.use_ema and optimizer.ema_overwrite_frequency:
        return "ema_overwrite_frequency of the optimizer"
    if optimizer.loss_scale_factor is not None:
        return "loss_scale_factor of the optimizer"
    if optimizer.built or int(optimizer.iterations):
        return "an optimizer that was used before"
    if found := private.beside_settings(optimizer):
        return f"{found[0]} of the optimizer"
    if not isinstance(private.learning_rate(optimizer), (keras.Variable, keras.optimizers.schedules.LearningRateSchedule)):
        return "a learning rate that is a function"
    return None


def is_traced(optimizer: Any) -> bool:
    """Whether the model's own step can be traced with an optimizer that has an `obstacle`: Keras's, at a rate that is set."""
    if type(optimizer) not in [getattr(keras.optimizers, name, None) for name in (*KNOWN, *_TRACED)]:
        return False
    overwrites = optimizer.use_ema and optimizer.ema_overwrite_frequency
    return not overwrites and not optimizer.built and isinstance(private.learning_rate(optimizer), keras.Variable)


def settings(optimizer: Any) -> dict[str, Any]:
    """What has to be equal for optimizers to share a stack: all but the learning rate, which each step is handed."""
    config = private.config_without_rate(optimizer)
    return {"class": type(optimizer).__name__, **{name: value for name, value in config.items() if name != "name"}}


def new(optimizer: Any) -> Any:
    """One of the same settings. There is no `obstacle`, so its configuration tells all of them."""
    return type(optimizer).from_config({**private.config_without_rate(optimizer), "learning_rate": private.rate(optimizer)})


def clips(optimizer: Any) -> bool:
    """Whether a weight's update depends on others."""
    return bool(optimizer.clipnorm or optimizer.global_clipnorm)


class Update:
    """An optimizer's update as a pure function of weights, gradients and its own variables.

    Each of `KNOWN` treats every number by itself, so one update of all weights in a row comes to the same as one for each
    weight, and takes half the time to trace and to compile. Clipping by a weight's norm needs the weights apart; sparse
    gradients, which only embeddings have, too.
    """

    def __init__(self, optimizer: Any, model: keras.Model) -> None:
        own = model.trainable_variables
        embeds = any(kinds.inherited(layer).sparse for layer in private.layers(model))
        self._flat = not optimizer.clipnorm and not embeds and all(v.constraint is None for v in own)
        self._shapes = [tuple(v.shape) for v in own]
        self._sizes = [math.prod(shape) for shape in self._shapes]
        self._optimizer = _stateless(optimizer)
        self._optimizer.build([keras.Variable(tf.zeros([sum(self._sizes)]), name=_ALL)] if self._flat else own)

    @property
    def variables(self) -> list[Any]:
        """The optimizer's variables before the first update."""
        return list(self._optimizer.variables)

    @cached_property
    def _place_of_rate(self) -> int:
        """Where the learning rate is among them."""
        rate = private.learning_rate(self._optimizer)
        return next(i for i, v in enumerate(self.variables) if v is rate)

    def with_rates(self, slots: list[Any], rates: Any) -> list[Any]:
        """A stack's variables with these learning rates, `(trials,)`."""
        return [rates if i == self._place_of_rate else slot for i, slot in enumerate(slots)]

    def __call__(self, slots: list[Any], gradients: list[Any], weights: list[Any]) -> tuple[list[Any], list[Any]]:
        """The weights and the optimizer's variables after an update."""
        if not self._flat:
            with private.dividing_rows():
                after, new = self._optimizer.stateless_apply(list(slots), gradients, list(weights))
            return after, new
        if any(gradient is None or isinstance(gradient, tf.IndexedSlices) for gradient in gradients):
            raise CannotFuse("weights whose gradient is sparse or missing")
        (flat,), new = self._optimizer.stateless_apply(list(slots), [_joined(gradients)], [_joined(weights)])
        parts = tf.split(flat, self._sizes)
        return [tf.reshape(part, shape) for part, shape in zip(parts, self._shapes, strict=True)], new

    def apart(self, slots: list[np.ndarray], optimizer: Any, weights: Sequence[Any], places: Sequence[int]) -> list[np.ndarray]:
        """One trial's values for the variables of an optimizer of the same settings that was built on the model's own weights.

        An optimizer under a schedule has no variable for its rate.

        Args:
            places: which of the weights here those are.
        """
        if not self._flat:
            is_scheduled = not isinstance(private.learning_rate(optimizer), keras.Variable)
            return [slot for i, slot in enumerate(slots) if not (is_scheduled and i == self._place_of_rate)]
        cuts = np.cumsum(self._sizes)[:-1]
        values: dict[str, np.ndarray] = {}
        for variable, value in zip(self.variables, slots, strict=True):
            values[variable.name] = value
            if variable.name.startswith(f"{_ALL}_"):
                parts = np.split(value, cuts)
                for weight, place in zip(weights, places, strict=True):
                    name = weight.path.replace("/", "_") + variable.name.removeprefix(_ALL)
                    values[name] = parts[place].reshape(self._shapes[place])
        return [values[variable.name] for variable in optimizer.variables]

    def joined(
        self, values: Sequence[np.ndarray], optimizer: Any, weights: Sequence[Any], places: Sequence[int]
    ) -> list[np.ndarray]:
        """What `apart` made these values of, padded to the weights here."""
        if not self._flat:
            given = iter(values)
            is_scheduled = len(values) < len(self.variables)  # and each step is handed its rate
            own = lambda i, v: v.value.numpy() if is_scheduled and i == self._place_of_rate else next(given)  # noqa: E731
            return [padding.padded(own(i, variable), variable.shape) for i, variable in enumerate(self.variables)]
        named = dict(zip((variable.name for variable in optimizer.variables), values, strict=True))
        cuts = np.cumsum(self._sizes)[:-1]
        found = []
        for variable in self.variables:
            if not variable.name.startswith(f"{_ALL}_"):
                found.append(named[variable.name] if variable.name in named else np.asarray(variable))
                continue
            flat = np.split(np.asarray(variable).copy(), cuts)  # a padded number stays as it starts: some optimizers divide by it
            parts = [part.reshape(shape) for part, shape in zip(flat, self._shapes, strict=True)]
            for weight, place in zip(weights, places, strict=True):
                own = named[weight.path.replace("/", "_") + variable.name.removeprefix(_ALL)]
                parts[place][tuple(map(slice, own.shape))] = own
            found.append(np.concatenate([part.ravel() for part in parts]))
        return found

    def of_each(self, trials: Sequence[Sequence[np.ndarray]], counts: Sequence[int]) -> list[Any]:
        """The variables of a stack's trials, of each of which there are those that `joined` gives; `counts` as for `start`."""
        return [tf.constant(np.stack(values)) for values in zip(*trials, strict=True)]

    @property
    def is_elementwise(self) -> bool:
        """Whether no number has to do with another one, so that those of several trials can be updated as those of one."""
        return self._flat and not self._optimizer.global_clipnorm

    def of_all(self, blocks: Sequence[Sequence[int]]) -> UpdateOfAll:
        return UpdateOfAll(self._optimizer, self._shapes, blocks)

    def start(self, trials: int, counts: Sequence[int]) -> list[Any]:
        """The variables of a stack's trials before the first update, `(trials, ...)`; each step brings its learning rates.

        Args:
            counts: how many trials have each weight, here all.
        """
        return [tf.repeat(tf.convert_to_tensor(v.value)[None], trials, 0) for v in self.variables]

    def without(self, slots: list[Any], places: Sequence[int]) -> list[Any]:
        """The variables of a stack of which only the trials in these places are left."""
        return [tf.gather(slot, places) for slot in slots]

    def of_one(self, slots: list[Any], place: int) -> list[np.ndarray]:
        """Those of one trial."""
        return [np.asarray(slot[place]) for slot in slots]


class UpdateOfAll:
    """An elementwise `Update` of all trials of a stack.

    The weights are in blocks, each of those that the same trials have, the first ones of the stack: `(trials, numbers)`. The
    variables are those of the blocks, one block after another, the learning rate `(trials, 1)`, and a step counter that is one
    for all trials, since they are all in the same step.

    Args:
        shapes: of each of a trial's weights.
        blocks: which of them are in each block.
    """

    def __init__(self, optimizer: Any, shapes: Sequence[tuple[int, ...]], blocks: Sequence[Sequence[int]]) -> None:
        self._shapes, self._sizes, self._blocks = shapes, [math.prod(shape) for shape in shapes], blocks
        self._optimizer = _stateless(optimizer)
        self._weights = keras.Variable(tf.zeros([1, 1]), name=_ALL)
        self._optimizer.build([self._weights])
        self._variables = self._optimizer.variables
        self._rate = private.learning_rate(self._optimizer)

    def __call__(self, blocks: list[Any], slots: list[Any], gradients: list[Any], live: Any) -> tuple[list[Any], list[Any]]:
        """Blocks and slots after an update; the weights of a trial that is not live stay as they are.

        Args:
            gradients: of each weight.
        """
        after, new_slots = [], []
        for block, own, new in zip(blocks, self._of_blocks(slots), self.joined(gradients), strict=True):
            self._open_for(*block.shape)
            (numbers,), updated = self._optimizer.stateless_apply(own, [new], [block])
            after.append(numbers)
            new_slots += updated
        return tf.cond(tf.reduce_all(live), lambda: after, lambda: _of_live(live, after, blocks)), new_slots

    def joined(self, weights: Sequence[Any]) -> list[Any]:
        """The weights, each `(trials that have it, ...)`, in blocks."""
        flat = [part if len(part.shape) == 2 else tf.reshape(part, [-1, math.prod(part.shape[1:])]) for part in weights]
        return [tf.concat([flat[i] for i in block], 1) if len(block) > 1 else flat[block[0]] for block in self._blocks]

    def apart(self, blocks: list[Any]) -> list[Any]:
        """What was `joined`."""
        found: dict[int, Any] = {}
        for block, own in zip(blocks, self._blocks, strict=True):
            for i, part in zip(own, tf.split(block, [self._sizes[i] for i in own], axis=1), strict=True):
                found[i] = part if len(self._shapes[i]) == 1 else tf.reshape(part, [-1, *self._shapes[i]])
        return [found[i] for i in range(len(self._shapes))]

    def with_rates(self, slots: list[Any], rates: Any) -> list[Any]:
        """As `Update.with_rates`."""
        return [
            rates[: count(slot), None] if variable is self._rate else slot
            for own in self._of_blocks(slots)
            for variable, slot in zip(self._variables, own, strict=True)
        ]

    def start(self, trials: int, counts: Sequence[int]) -> list[Any]:
        """As `Update.start`."""
        found = []
        for block in self._blocks:
            shape = counts[block[0]], sum(self._sizes[i] for i in block)
            for variable in self._variables:
                if variable is self._rate:
                    found.append(tf.zeros([shape[0], 1]))
                else:
                    value = tf.convert_to_tensor(variable.value)
                    found.append(tf.broadcast_to(value, shape) if len(value.shape) else value)
        return found

    def without(self, slots: list[Any], places: Sequence[int]) -> list[Any]:
        """As `Update.without`."""
        return [tf.gather(slot, below(slot.shape[0], places)) if len(slot.shape) else slot for slot in slots]

    def of_one(self, slots: list[Any], place: int) -> list[np.ndarray]:
        """As `Update.of_one`, 0 for weights that the trial does not have."""
        found = []
        for variable, *values in zip(self._variables, *self._of_blocks(slots), strict=True):
            if variable is self._rate:
                found.append(np.asarray(values[0][place, 0]))
            elif not len(variable.shape):
                found.append(np.asarray(values[0]))
            else:
                parts: dict[int, np.ndarray] = {}
                for value, block in zip(values, self._blocks, strict=True):
                    own = np.asarray(value[place]) if place < len(value) else np.zeros(value.shape[1:], np.float32)
                    parts |= zip(block, np.split(own, np.cumsum([self._sizes[i] for i in block])[:-1]), strict=True)
                found.append(np.concatenate([parts[i] for i in range(len(parts))]))
        return found

    def of_each(self, trials: Sequence[Sequence[np.ndarray]], counts: Sequence[int]) -> list[Any]:
        """As `Update.of_each`."""
        found = []
        ends = np.cumsum(self._sizes)
        for block in self._blocks:
            count = counts[block[0]]
            for variable, values in zip(self._variables, zip(*trials, strict=True), strict=True):
                if variable is self._rate:
                    found.append(tf.constant(np.reshape(values[:count], [count, 1])))
                elif not len(variable.shape):
                    found.append(tf.constant(values[0]))
                else:
                    own = [np.concatenate([value[ends[i] - self._sizes[i] : ends[i]] for i in block]) for value in values[:count]]
                    found.append(tf.constant(np.stack(own)))
        return found

    def _of_blocks(self, slots: list[Any]) -> list[list[Any]]:
        each = len(self._variables)
        return [slots[i : i + each] for i in range(0, len(slots), each)]

    def _open_for(self, trials: int | None, numbers: int) -> None:
        """Has Keras take values of a block's shape for the variables; None: of any number of trials."""
        for variable in [self._weights, *self._variables]:
            if variable is self._rate:
                private.open_shape(variable, (trials, 1))
            elif len(variable.shape):
                private.open_shape(variable, (trials, numbers))


def _of_live(live: Any, after: Sequence[Any], before: Sequence[Any]) -> list[Any]:
    return [tf.where(live[: count(old), None], new, old) for new, old in zip(after, before, strict=True)]


def below(count: int, places: Sequence[int]) -> Any:
    """Those of the first trials, which alone have some weights."""
    return tf.constant([place for place in places if place < count], tf.int32)


def count(of_trials: Any) -> Any:
    """How many trials a tensor is of, as a number if that is known."""
    return of_trials.shape[0] if of_trials.shape[0] is not None else tf.shape(of_trials)[0]


def _joined(parts: list[Any]) -> Any:
    return tf.concat([tf.reshape(part, [-1]) for part in parts], 0)


def _stateless(optimizer: Any) -> Any:
    """A new optimizer of the same settings whose `stateless_apply` works, with a variable for its learning rate."""
    kind: Any = type(optimizer)
    made: Any = type(f"Stateless{kind.__name__}", (kind,), private.neutral_methods(kind))
    return made.from_config({**private.config_without_rate(optimizer), "learning_rate": 1.0})
