"""Keras's optimizers as pure functions of their variables, on TensorFlow."""

from __future__ import annotations

from typing import Any

import keras
from keras.src.backend.tensorflow.optimizer import TFOptimizer
from keras.src.optimizers.base_optimizer import BaseOptimizer

# Each is held against model.fit by a test; others keep state that a stack cannot give to each of its trials.
KNOWN = ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "RMSprop", "SGD")


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


def stateless(optimizer: Any) -> Any:
    """A new optimizer of the same settings whose `stateless_apply` works.

    TensorFlow's methods write to `tf.Variable`s, past the scope that catches assignments; where an optimizer has one of
    them, the backend-neutral one of `BaseOptimizer` takes its place.
    """
    kind: Any = type(optimizer)
    names = [name for name in vars(TFOptimizer) if name in vars(BaseOptimizer) and not name.startswith("__")]
    neutral = {name: getattr(BaseOptimizer, name) for name in names if getattr(kind, name) is getattr(TFOptimizer, name)}
    made: Any = type(f"Stateless{kind.__name__}", (kind,), neutral)
    return made.from_config(optimizer.get_config())


def rate_index(optimizer: Any) -> int | None:
    """Where the learning rate is among the optimizer's variables; None under a schedule."""
    return next((i for i, v in enumerate(optimizer.variables) if v is optimizer._learning_rate), None)
