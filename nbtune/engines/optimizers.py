"""Keras's optimizers as pure functions of their variables, on TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow.optimizer import TFOptimizer
from keras.src.optimizers.base_optimizer import BaseOptimizer

from nbtune.engines.reasons import CannotFuse

# Each is held against model.fit by a test; others keep state that a stack cannot give to each of its trials.
KNOWN = ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "RMSprop", "SGD")
_ALL = "all_weights"


def why_not(optimizer: Any) -> str | None:
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
    if hasattr(optimizer, "_exclude_from_weight_decay"):
        return "exclude_from_weight_decay of the optimizer"
    if optimizer.built:
        return "an optimizer that was used before"
    rate = optimizer._learning_rate  # the property would call a schedule
    if not isinstance(rate, keras.Variable) and not type(rate).__module__.startswith("keras."):
        return "a learning rate schedule of your own"
    return None


def settings(optimizer: Any) -> dict[str, Any]:
    """What has to be equal for optimizers to share a stack: all but the learning rate, which is a variable."""
    config = {name: value for name, value in optimizer.get_config().items() if name != "name"}
    if isinstance(optimizer._learning_rate, keras.Variable):
        del config["learning_rate"]
    return {"class": type(optimizer).__name__, **config}


class Update:
    """An optimizer's update as a pure function of weights, gradients and its own variables.

    Each of `KNOWN` treats every number by itself, so one update of all weights in a row comes to the same as one for each
    weight, and takes half the time to trace and to compile. Clipping by a weight's norm needs the weights apart; sparse
    gradients, which only embeddings have, too.
    """

    def __init__(self, optimizer: Any, model: keras.Model) -> None:
        own = model.trainable_variables
        embeds = any(isinstance(layer, keras.layers.Embedding) for layer in model._flatten_layers())
        self._flat = not optimizer.clipnorm and not embeds and all(v.constraint is None for v in own)
        self._names = [v.path.replace("/", "_") for v in own]
        self._shapes = [tuple(v.shape) for v in own]
        self._sizes = [math.prod(shape) for shape in self._shapes]
        self._optimizer = _stateless(optimizer)
        self._optimizer.build([keras.Variable(tf.zeros([sum(self._sizes)]), name=_ALL)] if self._flat else own)

    @property
    def variables(self) -> list[Any]:
        """The optimizer's variables before the first update."""
        return list(self._optimizer.variables)

    def rate(self) -> int | None:
        """Where the learning rate is among them; None under a schedule."""
        rate = self._optimizer._learning_rate
        return next((i for i, v in enumerate(self.variables) if v is rate), None)

    def __call__(self, slots: list[Any], gradients: list[Any], weights: list[Any]) -> tuple[list[Any], list[Any]]:
        """The weights and the optimizer's variables after an update."""
        if not self._flat:
            after, new = self._optimizer.stateless_apply(list(slots), gradients, list(weights))
            return after, new
        if any(gradient is None or isinstance(gradient, tf.IndexedSlices) for gradient in gradients):
            raise CannotFuse("weights whose gradient is sparse or missing")
        (flat,), new = self._optimizer.stateless_apply(list(slots), [_joined(gradients)], [_joined(weights)])
        parts = tf.split(flat, self._sizes)
        return [tf.reshape(part, shape) for part, shape in zip(parts, self._shapes, strict=True)], new

    def apart(self, slots: list[np.ndarray], optimizer: Any) -> list[np.ndarray]:
        """One trial's values for the variables of an optimizer of the same settings that was built on the model itself."""
        if not self._flat:
            return slots
        cuts = np.cumsum(self._sizes)[:-1]
        values: dict[str, np.ndarray] = {}
        for variable, value in zip(self.variables, slots, strict=True):
            values[variable.name] = value
            if variable.name.startswith(f"{_ALL}_"):
                for name, shape, part in zip(self._names, self._shapes, np.split(value, cuts), strict=True):
                    values[name + variable.name.removeprefix(_ALL)] = part.reshape(shape)
        return [values[variable.name] for variable in optimizer.variables]

    @property
    def is_elementwise(self) -> bool:
        """Whether no number has to do with another one, so that those of several trials can be updated as those of one."""
        return self._flat and not self._optimizer.global_clipnorm

    def of_all(self) -> UpdateOfAll:
        return UpdateOfAll(self._optimizer, self._shapes, self._sizes)


class UpdateOfAll:
    """An elementwise `Update` of all trials of a stack, however many they are: everything has them as its first dimension."""

    def __init__(self, optimizer: Any, shapes: Sequence[tuple[int, ...]], sizes: Sequence[int]) -> None:
        self._shapes, self._sizes = shapes, sizes
        self._optimizer = _stateless(optimizer)
        self._weights = keras.Variable(tf.zeros([1, sum(sizes)]), name=_ALL)
        self._optimizer.build([self._weights])
        self._rate = self._optimizer._learning_rate

    def __call__(self, weights: Any, slots: list[Any], gradients: list[Any], live: Any) -> tuple[Any, list[Any]]:
        """Weights and slots after an update, both as `entered`; the weights of a trial that is not live stay as they are.

        The trials of a stack are all in the same step, so the optimizer counts once for all.
        """
        self._open_for(live.shape[0])
        (after,), new = self._optimizer.stateless_apply(slots, [_joined_each(gradients)], [weights])
        return tf.cond(tf.reduce_all(live), lambda: after, lambda: tf.where(live[:, None], after, weights)), new

    def entered(self, weights: list[Any], slots: list[Any]) -> tuple[Any, list[Any]]:
        """As an update takes them: all of a trial's weights in a row, and one step counter for all trials."""
        return _joined_each(weights), [self._taken(v, slot) for v, slot in zip(self._optimizer.variables, slots, strict=True)]

    def left(self, slots: list[Any], trials: Any) -> list[Any]:
        """The slots of so many trials, each its own, as before they `entered`."""
        return [self._given(v, slot, trials) for v, slot in zip(self._optimizer.variables, slots, strict=True)]

    def apart(self, weights: Any) -> list[Any]:
        """The weights, each by itself, `(trials, ...)`."""
        parts = tf.split(weights, self._sizes, axis=1)
        return [
            part if len(shape) == 1 else tf.reshape(part, [-1, *shape]) for part, shape in zip(parts, self._shapes, strict=True)
        ]

    def _open_for(self, trials: int | None) -> None:
        """Has Keras take values of so many trials for the variables; None: of any number."""
        for variable in [self._weights, *self._optimizer.variables]:
            if variable is self._rate:
                variable._shape = (trials, 1)  # against the weights, `(trials, weights)`
            elif len(variable.shape):
                variable._shape = (trials, *variable.shape[1:])

    def _taken(self, variable: Any, slot: Any) -> Any:
        if variable is self._rate:
            return slot[:, None]
        return slot if len(variable.shape) else slot[0]

    def _given(self, variable: Any, slot: Any, trials: Any) -> Any:
        if variable is self._rate:
            return slot[:, 0]
        return slot if len(variable.shape) else tf.repeat(slot, trials)


def _joined_each(parts: list[Any]) -> Any:
    """`(trials, numbers)`."""
    return tf.concat([part if len(part.shape) == 2 else tf.reshape(part, [-1, math.prod(part.shape[1:])]) for part in parts], 1)


def _joined(parts: list[Any]) -> Any:
    return tf.concat([tf.reshape(part, [-1]) for part in parts], 0)


def _stateless(optimizer: Any) -> Any:
    """A new optimizer of the same settings whose `stateless_apply` works.

    TensorFlow's methods write to `tf.Variable`s, past the scope that catches assignments; where an optimizer has one of
    them, the backend-neutral one of `BaseOptimizer` takes its place.
    """
    kind: Any = type(optimizer)
    names = [name for name in vars(TFOptimizer) if name in vars(BaseOptimizer) and not name.startswith("__")]
    neutral = {name: getattr(BaseOptimizer, name) for name in names if getattr(kind, name) is getattr(TFOptimizer, name)}
    made: Any = type(f"Stateless{kind.__name__}", (kind,), neutral)
    return made.from_config(optimizer.get_config())
