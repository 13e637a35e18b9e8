"""What a stack consists of: the step that its trials have in common, the rows, and the state that each starts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nbtune.data import arrays as data
from nbtune.data.rows import Inputs
from nbtune.training.fused import padding, skipping
from nbtune.training.fused.epoch import Split
from nbtune.training.fused.optimizers import Update, UpdateOfAll
from nbtune.training.fused.own_steps import OwnStep
from nbtune.training.fused.spec import TrialSpec
from nbtune.training.fused.step import State, Step
from nbtune.training.private import keras as private


def assemble(template: TrialSpec, stack: Sequence[TrialSpec]) -> tuple[Step, list[int]]:
    """The step of a stack, and which of the step's losses each trial has."""
    blocks = skipping.blocks(template, stack)
    if template.own_step:
        return OwnStep.of(template.model, *template.batch, blocks=blocks), [0 for _ in stack]
    losses: dict[str, Any] = {}
    for spec in stack:
        if spec.loss_key not in losses:
            losses[spec.loss_key] = private.built(spec.loss, spec.labels, spec.output)
    names = list(losses)
    step = Step(
        model=template.model,
        update=Update(template.optimizer, template.model),
        losses=list(losses.values()),
        metrics=private.built(template.metrics, template.labels, template.output),
        blocks=blocks,
        skipped=skipping.skipped(template, stack),
    )
    return step, [names.index(spec.loss_key) for spec in stack]


def splits(arrays: data.Arrays) -> tuple[Split, Split | None]:
    """The rows to train on, and those for the evaluation."""
    train = _split(arrays.x, arrays.y, arrays.sample_weight)
    return train, None if arrays.y_val is None else _split(arrays.x_val, arrays.y_val, arrays.sample_weight_val)


def _split(*parts: Inputs) -> Split:
    return Split(*map(as_tensors, parts))


def as_tensors(part: Inputs) -> Any:
    """Rows in the structure that Keras gives them; None as it is."""
    return None if part is None else keras.tree.map_structure(tf.constant, keras.tree.lists_to_tuples(part))


def stacked(
    template: TrialSpec, repeats: Sequence[Sequence[TrialSpec]], update: Update | UpdateOfAll, which: Sequence[int]
) -> State:
    """The trials' variables side by side, the trials first, each as large as the template's.

    Args:
        repeats: the trials of a stack as they start, the deepest first, once for each repeat that is trained at the same time.
        which: the loss of each trial.

    Returns:
        Each trial's repeats one after another.
    """
    stack = [spec for trial in zip(*repeats, strict=True) for spec in trial]
    weights: list[list[np.ndarray]] = [[] for _ in template.weights]
    others: list[list[np.ndarray]] = [[] for _ in template.others]
    for spec in stack:
        for place, own in zip(skipping.places(spec, template), spec.weights, strict=True):
            weights[place].append(padding.padded(own, template.weights[place].shape))
        for of_all, own, wide in zip(others, spec.others, template.others, strict=True):
            of_all.append(padding.padded(own, wide.shape))
    return State(
        weights=[_together(own, wide.shape) for own, wide in zip(weights, template.weights, strict=True)],
        others=[_together(own, wide.shape, wide.dtype) for own, wide in zip(others, template.others, strict=True)],
        slots=update.start(len(stack), [len(own) for own in weights]),
        loss=tf.constant(np.repeat(which, len(repeats)), tf.int32),
        repeat=tf.constant(np.tile(np.arange(len(repeats)), len(which)), tf.int32),
        rates=[tf.constant(own, tf.float32) for own in zip(*(spec.dropout for spec in stack), strict=True)],
        live=tf.ones([len(stack)], tf.bool),
    )


def _together(parts: Sequence[np.ndarray], shape: Sequence[int], dtype: Any = np.float32) -> tf.Tensor:
    """`(parts, *shape)`, of which there may be none."""
    return tf.constant(np.reshape(np.asarray(parts, dtype), [len(parts), *shape]))
