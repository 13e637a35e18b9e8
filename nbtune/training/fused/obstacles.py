"""Why trials cannot be trained in a stack, as far as that shows before anything is traced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from nbtune.data import arrays as data
from nbtune.record.job import Job
from nbtune.training.fused import optimizers
from nbtune.training.private import keras as private

# What a fit goes through; where a model brings its own, only Keras's loop can tell what it does,
_OVERRIDES = ("fit", "evaluate", "compile", "make_train_function", "make_test_function", "reset_metrics", "__call__")
# or the model's step is traced as it is.
_STEPS = ("train_step", "test_step", "compute_loss", "compute_metrics", "get_metrics_result", "metrics")


def has_own_step(made: keras.Model) -> bool:
    """Whether a compiled model computes its loss, or goes through a batch, in a way of its own, or by an optimizer that does."""
    own = _own(made, _STEPS) or (optimizers.obstacle(made.optimizer) and optimizers.is_traced(made.optimizer))
    return bool(own)


def _own(made: keras.Model, methods: Sequence[str]) -> list[str]:
    """Which of these methods the model's class has of its own."""
    kind = type(made)
    own = [name for name in methods if getattr(kind, name, None) is not getattr(keras.Model, name, None)]
    return [] if kind.__module__.startswith("keras.") else own


def beside(job: Job, arrays: data.Arrays, made: keras.Model) -> str | None:
    """Why trials are trained one by one whatever their models are; None if nothing says so."""
    if job.function.fit is not None:
        return "the hypermodel's own fit"
    if job.stream is not None:
        return "a dataset that is read anew in each epoch"
    if arrays.y is None and not _own(made, ("train_step",)):
        return "a model without labels"
    if limit := next((name for name in ("max_epochs", "max_steps_per_epoch") if getattr(keras.config, name, bool)()), None):
        return f"keras.config.set_{limit}"
    if tf.config.functions_run_eagerly():
        return "tf.config.run_functions_eagerly"
    if any(part.dtype.kind == "S" for part in keras.tree.flatten(arrays.x)):
        return "features that are text; turn them into numbers before the search, and its trials are trained together"
    weights, labels = keras.tree.flatten(arrays.sample_weight), keras.tree.flatten(arrays.y)
    weights = [weight for weight in weights if weight is not None]
    several = any(y.ndim > 2 for y in labels) or any(w.ndim > 1 for w in weights)  # Keras may apply a row's weight to a step
    return "weights of rows with a label for each step" if weights and several else None


def obstacle(made: keras.Model, own_step: bool = False) -> str | None:
    """Why a compiled model cannot be trained in a stack, as far as that shows before it is traced; None if it can."""
    if own := _own(made, _OVERRIDES):
        return f"the model's own {own[0]}"
    if own_step and not isinstance(private.learning_rate(made.optimizer), keras.Variable):
        return "a schedule of the learning rate with a step of the model's own"
    if made.run_eagerly:
        return "run_eagerly"
    if made.steps_per_execution != 1:
        return "steps_per_execution"
    if made.loss is None and not own_step:
        return "a model without a loss"
    if not made.trainable_variables:
        return "a model without weights to train"
    if not own_step and len(made.metrics) > 1 + (private.compiled_metrics(made) is not None) + private.loss_trackers(made):
        return "metrics that a layer keeps"
    odd = [layer for layer in private.layers(made) if "float" in _computes_in(layer).replace("float32", "")]
    if odd:
        return f"{odd[0].compute_dtype} in the layer {odd[0].name}"
    if any(v.dtype != "float32" for v in made.trainable_variables):
        return "weights that are not float32"
    if any(getattr(v, "overwrite_with_gradient", False) for v in made.trainable_variables):
        return "weights that are overwritten with gradients"
    return None


def _computes_in(layer: Any) -> str:
    """The type of its numbers; layers that look words and numbers up have integers or strings."""
    return getattr(layer, "compute_dtype", None) or "float32"
