"""What a stack consists of: the step that its trials have in common, the rows, and the state that each starts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nbtune import data
from nbtune.engines import widths
from nbtune.engines.epoch import Rows
from nbtune.engines.optimizers import Update
from nbtune.engines.recipes import Recipe
from nbtune.engines.step import Loss, State, Step, View


def assemble(frame: Recipe, stack: Sequence[Recipe], arrays: data.Arrays) -> tuple[Step, Rows, Rows | None, list[int]]:
    """The step of a stack, the rows that it runs on, and which of the step's losses each trial has."""
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
    update = Update(frame.optimizer, frame.model)
    step = Step(frame.model, update, list(losses.values()), [view for _, view, _, _ in views.values()])
    rows = _rows(arrays.x, [y for _, _, y, _ in views.values()], arrays.sample_weight)
    rows_val = None
    if arrays.y_val is not None:
        rows_val = _rows(arrays.x_val, [y for _, _, _, y in views.values()], arrays.sample_weight_val)
    return step, rows, rows_val, [names.index(recipe.loss_key) for recipe in stack]


def _built(part: Any, recipe: Recipe) -> Any:
    """A `CompileLoss` or `CompileMetrics` that knows the shapes that it will see."""
    if part is not None and not part.built:
        part.build(*(_spec(each) for each in (recipe.y, recipe.output)))
    return part


def _spec(rows: Any) -> keras.KerasTensor:
    return keras.KerasTensor((None, *rows.shape[1:]), keras.backend.standardize_dtype(rows.dtype))


def _rows(x: data.Inputs, ys: Sequence[Any], sample_weight: np.ndarray | None) -> Rows:
    """As tensors, with `x` as Keras takes it."""
    inputs = keras.tree.map_structure(tf.constant, tuple(x) if isinstance(x, list) else x)
    return Rows(inputs, [tf.constant(y) for y in ys], None if sample_weight is None else tf.constant(sample_weight))


def stacked(frame: Recipe, runs: Sequence[Sequence[Recipe]], update: Update, which: Sequence[int]) -> State:
    """The trials' variables side by side, the trials first, each as large as the frame's.

    Args:
        runs: the trials of a stack as they start, once for each run that they go through at the same time.
        which: the loss of each trial.
    """
    stack = [recipe for run in runs for recipe in run]

    def together(parts: Sequence[Sequence[np.ndarray]], frames: Sequence[np.ndarray]) -> list[tf.Tensor]:
        return [
            tf.constant(np.stack([widths.filled(own, frame.shape) for own in each]))
            for frame, *each in zip(frames, *parts, strict=True)
        ]

    slots = [tf.repeat(tf.convert_to_tensor(v.value)[None], len(stack), 0) for v in update.variables]
    rate = update.rate()
    if rate is not None:
        slots[rate] = tf.constant([float(recipe.optimizer.learning_rate) for recipe in stack], tf.float32)
    return State(
        weights=together([recipe.weights for recipe in stack], frame.weights),
        others=together([recipe.others for recipe in stack], frame.others),
        slots=slots,
        loss=tf.constant([*which] * len(runs), tf.int32),
        run=tf.constant(np.repeat(np.arange(len(runs)), len(which)), tf.int32),
        live=tf.ones([len(stack)], tf.bool),
    )
