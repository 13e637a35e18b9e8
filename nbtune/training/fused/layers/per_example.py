"""Which models, losses and metrics treat each row by itself: there, a row of weight zero is as good as no row."""

from __future__ import annotations

from typing import Any

import keras

from nbtune.training.encoding import unwrapped
from nbtune.training.fused.layers import kinds
from nbtune.training.fused.step import Step
from nbtune.training.private import keras as private

_FUNCTIONS = (
    *("mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error"),
    *("huber", "log_cosh", "poisson", "kl_divergence", "hinge", "squared_hinge", "categorical_hinge", "cosine_similarity"),
    *("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"),
    *("binary_focal_crossentropy", "categorical_focal_crossentropy"),
    *("accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    *("top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"),
)


def only_keras_models(model: keras.Model) -> bool:
    """It is put together from layers, and does not compute anything in a method of its own."""
    return all(type(part).__module__.startswith("keras.") for part in private.inner_models(model))


def everything(step: Step, output: Any, training: bool = True) -> bool:
    """The model, its output, the losses and the metrics of a step, in the training, or in the evaluation alone.

    Keras applies weights of rows, `(rows,)`, to losses `(rows, steps)` along the steps, as soon as both are as many.
    """
    if not step.losses or keras.tree.is_nested(output) or len(output.shape) > 2:
        return False
    return all(map(loss, step.losses)) and metrics(step.metrics) and model(step.model, training)


def model(made: keras.Model, training: bool = True) -> bool:
    layers = [layer for layer in private.layers(made) if not isinstance(layer, keras.Model)]
    known = only_keras_models(made) and only_layers(made) and all(_is_by_row(kinds.exact(layer), training) for layer in layers)
    return known and not any(_looks_across(layer) for layer in layers)


def _is_by_row(kind: kinds.Kind, training: bool) -> bool:
    return kind.per_example or (kind.evaluates_rows and not training)


def only_layers(made: keras.Model) -> bool:
    """No operation between the layers, as `x - keras.ops.mean(x, axis=0)` is one."""
    graph = private.graph(made)
    operations = [node.operation for node in graph.nodes] if graph else []
    return all(isinstance(each, keras.layers.Layer) for each in operations) and all(
        only_layers(each) for each in operations if isinstance(each, keras.Model)
    )


def _looks_across(layer: Any) -> bool:
    """Activity regularisers divide by the batch's size, masks weight rows, and a function of the user's can do anything."""
    if getattr(layer, "activity_regularizer", None) is not None or getattr(layer, "mask_zero", False):
        return True
    if kinds.exact(layer).recurrent and (getattr(layer, "dropout", False) or getattr(layer, "recurrent_dropout", False)):
        return True  # it draws for a batch in the evaluation too
    axes = keras.tree.flatten(getattr(layer, "axis", None))
    return not _is_own(getattr(layer, "activation", None)) or not all(axis in (None, -1) or axis > 0 for axis in axes)


def _is_own(activation: Any) -> bool:
    """One of Keras's, each of which acts on every number by itself or on the last dimension."""
    return activation is None or getattr(keras.activations, getattr(activation, "__name__", ""), None) is activation


def loss(compiled: Any) -> bool:
    """Args: a `CompileLoss` that has been built."""
    each = private.flat_losses(compiled)
    whole = all(one.loss.reduction == "sum_over_batch_size" and one.loss_weights is None for one in each)
    return whole and all(_is_mean_of_rows(one.loss) for one in each)


def metrics(compiled: Any) -> bool:
    """Args: a `CompileMetrics` that has been built, or None."""
    return compiled is None or all(unwrapped(metric) is metric and _is_mean_of_rows(metric) for metric in compiled.metrics)


def _is_mean_of_rows(thing: Any) -> bool:
    inner = unwrapped(thing)
    function, settings = private.function_of(inner)
    function = function or inner
    own = inner is function or type(inner).__module__.startswith("keras.")
    own = own and str(getattr(function, "__module__", "")).startswith("keras.")
    return own and getattr(function, "__name__", "") in _FUNCTIONS and settings.get("axis", -1) == -1
