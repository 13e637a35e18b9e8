"""What a stack consists of: the step that its trials have in common, the rows, and the state that each starts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from nbtune.data import arrays as data
from nbtune.data.rows import Inputs
from nbtune.training.fused import padding, skipping
from nbtune.training.fused.epoch import Rows
from nbtune.training.fused.optimizers import Update, UpdateOfAll
from nbtune.training.fused.spec import Recipe
from nbtune.training.fused.step import Loss, State, Step, View


class Labels(NamedTuple):
    """The labels of the training and the validation rows, once for each view of a step."""

    ys: list[np.ndarray]
    ys_val: list[np.ndarray | None]


def assemble(frame: Recipe, stack: Sequence[Recipe]) -> tuple[Step, list[int], Labels]:
    """The step of a stack, which of the step's losses each trial has, and the labels for its views."""
    losses: dict[str, Loss] = {}
    views: dict[tuple[Any, ...], tuple[int, View, np.ndarray, np.ndarray | None]] = {}
    for recipe in stack:
        if recipe.loss_key in losses:
            continue
        encoding = (recipe.y.dtype.str, recipe.y.shape)
        if encoding not in views:
            views[encoding] = (len(views), View(_built(recipe.metrics, recipe)), recipe.y, recipe.y_val)
        losses[recipe.loss_key] = Loss(_built(recipe.loss, recipe), views[encoding][0])
    names = list(losses)
    step = Step(
        model=frame.model,
        update=Update(frame.optimizer, frame.model),
        losses=list(losses.values()),
        views=[view for _, view, _, _ in views.values()],
        blocks=skipping.blocks(frame, stack),
        passed_over=skipping.passed_over(frame, stack),
    )
    labels = Labels([y for _, _, y, _ in views.values()], [y for _, _, _, y in views.values()])
    return step, [names.index(recipe.loss_key) for recipe in stack], labels


def _built(part: Any, recipe: Recipe) -> Any:
    """A `CompileLoss` or `CompileMetrics` that knows the shapes that it will see."""
    if part is not None and not part.built:
        part.build(*(_spec(each) for each in (recipe.y, recipe.output)))
    return part


def _spec(rows: Any) -> keras.KerasTensor:
    return keras.KerasTensor((None, *rows.shape[1:]), keras.backend.standardize_dtype(rows.dtype))


def rows(arrays: data.Arrays, labels: Labels) -> tuple[Rows, Rows | None]:
    """The rows to train on, and those for the evaluation."""
    train = _rows(arrays.x, labels.ys, arrays.sample_weight)
    return train, None if arrays.y_val is None else _rows(arrays.x_val, labels.ys_val, arrays.sample_weight_val)


def _rows(x: Inputs, ys: Sequence[Any], sample_weight: np.ndarray | None) -> Rows:
    """As tensors, with `x` as Keras takes it."""
    inputs = keras.tree.map_structure(tf.constant, tuple(x) if isinstance(x, list) else x)
    return Rows(inputs, [tf.constant(y) for y in ys], None if sample_weight is None else tf.constant(sample_weight))


def stacked(frame: Recipe, runs: Sequence[Sequence[Recipe]], update: Update | UpdateOfAll, which: Sequence[int]) -> State:
    """The trials' variables side by side, the trials first, each as large as the frame's.

    Args:
        runs: the trials of a stack as they start, the deepest first, once for each run that they go through at the same time.
        which: the loss of each trial.

    Returns:
        Each trial's runs one after another.
    """
    stack = [recipe for trial in zip(*runs, strict=True) for recipe in trial]
    weights: list[list[np.ndarray]] = [[] for _ in frame.weights]
    others: list[list[np.ndarray]] = [[] for _ in frame.others]
    for recipe in stack:
        for place, own in zip(skipping.places(recipe, frame), recipe.weights, strict=True):
            weights[place].append(padding.filled(own, frame.weights[place].shape))
        for of_all, own, wide in zip(others, recipe.others, frame.others, strict=True):
            of_all.append(padding.filled(own, wide.shape))
    rates = [recipe.optimizer._learning_rate for recipe in stack]  # the property would call a schedule
    return State(
        weights=[_together(own, wide.shape) for own, wide in zip(weights, frame.weights, strict=True)],
        others=[_together(own, wide.shape) for own, wide in zip(others, frame.others, strict=True)],
        slots=update.start([float(r) if isinstance(r, keras.Variable) else 0.0 for r in rates], [len(own) for own in weights]),
        loss=tf.constant(np.repeat(which, len(runs)), tf.int32),
        run=tf.constant(np.tile(np.arange(len(runs)), len(which)), tf.int32),
        live=tf.ones([len(stack)], tf.bool),
    )


def _together(parts: Sequence[np.ndarray], shape: Sequence[int]) -> tf.Tensor:
    """`(parts, *shape)`, of which there may be none."""
    return tf.constant(np.reshape(np.asarray(parts, np.float32), [len(parts), *shape]))
