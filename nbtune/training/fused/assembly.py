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
from nbtune.training.fused.epoch import Split
from nbtune.training.fused.optimizers import Update, UpdateOfAll
from nbtune.training.fused.spec import TrialSpec
from nbtune.training.fused.step import Loss, State, Step, View


class EncodedLabels(NamedTuple):
    """The labels of the training and the validation rows, once for each view of a step."""

    ys: list[np.ndarray]
    ys_val: list[np.ndarray | None]


def assemble(template: TrialSpec, stack: Sequence[TrialSpec]) -> tuple[Step, list[int], EncodedLabels]:
    """The step of a stack, which of the step's losses each trial has, and the labels for its views."""
    losses: dict[str, Loss] = {}
    views: dict[tuple[Any, ...], tuple[int, View, np.ndarray, np.ndarray | None]] = {}
    for spec in stack:
        if spec.loss_key in losses:
            continue
        encoding = (spec.y.dtype.str, spec.y.shape)
        if encoding not in views:
            views[encoding] = (len(views), View(_built(spec.metrics, spec)), spec.y, spec.y_val)
        losses[spec.loss_key] = Loss(_built(spec.loss, spec), views[encoding][0])
    names = list(losses)
    step = Step(
        model=template.model,
        update=Update(template.optimizer, template.model),
        losses=list(losses.values()),
        views=[view for _, view, _, _ in views.values()],
        blocks=skipping.blocks(template, stack),
        skipped=skipping.skipped(template, stack),
    )
    labels = EncodedLabels([y for _, _, y, _ in views.values()], [y for _, _, _, y in views.values()])
    return step, [names.index(spec.loss_key) for spec in stack], labels


def _built(part: Any, spec: TrialSpec) -> Any:
    """A `CompileLoss` or `CompileMetrics` that knows the shapes that it will see."""
    if part is not None and not part.built:
        part.build(*(_spec(each) for each in (spec.y, spec.output)))
    return part


def _spec(rows: Any) -> keras.KerasTensor:
    return keras.KerasTensor((None, *rows.shape[1:]), keras.backend.standardize_dtype(rows.dtype))


def splits(arrays: data.Arrays, labels: EncodedLabels) -> tuple[Split, Split | None]:
    """The rows to train on, and those for the evaluation."""
    train = _split(arrays.x, labels.ys, arrays.sample_weight)
    return train, None if arrays.y_val is None else _split(arrays.x_val, labels.ys_val, arrays.sample_weight_val)


def _split(x: Inputs, ys: Sequence[Any], sample_weight: np.ndarray | None) -> Split:
    """As tensors, with `x` as Keras takes it."""
    inputs = keras.tree.map_structure(tf.constant, tuple(x) if isinstance(x, list) else x)
    return Split(inputs, [tf.constant(y) for y in ys], None if sample_weight is None else tf.constant(sample_weight))


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
        live=tf.ones([len(stack)], tf.bool),
    )


def _together(parts: Sequence[np.ndarray], shape: Sequence[int], dtype: Any = np.float32) -> tf.Tensor:
    """`(parts, *shape)`, of which there may be none."""
    return tf.constant(np.reshape(np.asarray(parts, dtype), [len(parts), *shape]))
