"""One batch of one trial as a pure function: state in, state out. `mapped` and `dense` make the step of a stack of it.

It follows `keras.Model.train_step` and `test_step` (Keras 3), with every variable handed in and out. Gradients are taken by
`tf.gradients`, since a `GradientTape` asks for zeros of a recurrent layer's lists, which `vectorized_map` cannot make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from nbtune.training.fused.layers import dropout, recurrent
from nbtune.training.fused.optimizers import Update, UpdateOfAll
from nbtune.training.private import keras as private
from nbtune.training.reasons import CannotFuse

Tensors = list[tf.Tensor]


class Logs(NamedTuple):
    """Running sums of an epoch.

    Attributes:
        total, count: the loss tracker's.
        batches: how many there were.
        parts: the sums over these of the loss of each of several outputs.
        metrics: their variables.
    """

    total: tf.Tensor
    count: tf.Tensor
    batches: tf.Tensor
    parts: Tensors
    metrics: Tensors


class State(NamedTuple):
    """What differs between the trials of a stack; stacked, each tensor has the trials as its first dimension.

    Attributes:
        weights: the model's trainable variables; those of a layer that some trials skip are of the first trials alone.
        others: its other variables but the seeds, which all trials of a stack share.
        slots: the optimizer's variables, in the form in which the stack's update has them.
        loss: which of the losses is this trial's.
        repeat: which of the orders of the rows, where the stack goes through several.
        rates: those of the layers that are `dropout.dropping`.
        live: False from when it stops; then nothing of it changes any more.
    """

    weights: Tensors
    others: Tensors
    slots: Tensors
    loss: tf.Tensor
    repeat: tf.Tensor
    rates: Tensors
    live: tf.Tensor


class Standing(NamedTuple):
    """Where the training of a stack stands: its state, the seeds that its trials share, and the sums of the epoch so far."""

    state: State
    seeds: Tensors
    logs: Logs


class Batch(NamedTuple):
    """Rows of the data: `x` and `y` as the model and its losses take them.

    Attributes:
        real: `Piece.real`.
        weights: what each row weighs, 0 if it only pads the batch, or that for each output; None where all weigh 1.
    """

    x: Any
    y: Any
    real: tf.Tensor | None
    weights: Any

    def rows(self, axis: int = 0) -> int:
        """How many there are, those that only pad it too."""
        return int(tf.nest.flatten(self.y)[0].shape[axis])


@dataclass(frozen=True)
class Step:
    """A model and how it is updated.

    Attributes:
        losses: each `CompileLoss` that trials of the stack have.
        metrics: the `CompileMetrics` of all of them; None: there are none.
        blocks: which of the model's weights the same trials have.
        skipped: the names of the layers that only the first trials of the stack have.
    """

    model: keras.Model
    update: Update
    losses: Sequence[Any]
    metrics: Any
    blocks: Sequence[Sequence[int]]
    skipped: frozenset[str]

    @cached_property
    def update_of_all(self) -> UpdateOfAll:
        """`update`, where it is elementwise."""
        return self.update.of_all(self.blocks)

    def train(self, state: State, seeds: Tensors, logs: Logs, batch: Batch) -> tuple[State, Tensors, Logs]:
        """One update. A trial whose mean loss so far stops being finite stops after it: `TerminateOnNaN`."""
        out, others, new_seeds, extra = self._call(state, seeds, batch.x, training=True)
        if len(self.losses) == 1:
            chosen, parts = self._loss(self.losses[0], batch, out)
            objective = tf.add_n([chosen, *extra])
            gradients = tf.gradients(objective, state.weights)
        else:
            chosen, parts, cut, slopes = self._chosen_loss(state.loss, batch, out)
            objective = tf.add_n([chosen, *extra])
            gradients = tf.gradients([*cut, *extra], state.weights, [*slopes, *map(tf.ones_like, extra)])
        weights, slots = self.update(state.slots, gradients, state.weights)
        new_logs = self._log(logs, objective, parts, batch, out)
        live = state.live & tf.math.is_finite(mean(new_logs))
        new_others, new_slots = _cast(others, state.others), _cast(slots, state.slots)
        after = state._replace(weights=weights, others=new_others, slots=new_slots, live=live)
        kept = tf.nest.map_structure(lambda new, old: tf.where(state.live, new, old), (after, new_logs), (state, logs))
        return kept[0], _cast(new_seeds, seeds), kept[1]

    def test(self, state: State, seeds: Tensors, logs: Logs, batch: Batch) -> tuple[Logs, Tensors]:
        """One batch of the evaluation; some layers draw in it too, for nothing, so the seeds move on."""
        out, others, new_seeds, extra = self._call(state, seeds, batch.x, training=False)
        if any(new is not old for new, old in zip(others, state.others, strict=True)):
            raise CannotFuse("a layer that changes its state when it is evaluated")
        chosen, parts, *_ = self._chosen_loss(state.loss, batch, out)
        return self._log(logs, tf.add_n([chosen, *extra]), parts, batch, out), _cast(new_seeds, seeds)

    def no_logs(self) -> Logs:
        """The sums before the first batch."""
        metrics = [tf.convert_to_tensor(v.value) for v in self.metrics.variables] if self.metrics else []
        zero = tf.zeros([])
        return Logs(zero, zero, zero, [zero for _ in self.losses[0].metrics], metrics)

    def result(self, logs: Logs, training: bool = True) -> dict[str, tf.Tensor]:
        """What Keras logs after an epoch, without `val_`."""
        metrics = self.metrics.stateless_result(logs.metrics) if self.metrics else {}
        parts = [tf.math.divide_no_nan(part, logs.batches) for part in logs.parts]
        names = [metric.name for metric in self.losses[0].metrics]
        return {"loss": mean(logs), **metrics, **dict(zip(names, parts, strict=True))}

    def seed_places(self) -> list[int]:
        """Which of the model's non-trainable variables are states of random generators."""
        return seed_places(self.model)

    def _call(self, state: State, seeds: Tensors, x: Any, training: bool) -> tuple[Any, Tensors, Tensors, Tensors]:
        """The model's output, its other variables, its seeds and its additional losses; no variable is written."""
        model = self.model
        places = set(seed_places(model))
        mine, shared = iter(state.others), iter(seeds)
        before = [next(shared) if i in places else next(mine) for i in range(len(model.non_trainable_variables))]
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        mapping = list(zip(variables, [*state.weights, *before], strict=True))
        arguments = {"training": training} if private.takes_training(model) else {}
        computing = private.computing_by(dropout.as_drawn_by(bool(model.jit_compile)), recurrent.loop)
        rates = dropout.rates(dropout.dropping(model), state.rates)
        with computing, rates, _Assigning(state_mapping=mapping, collect_losses=True) as scope:
            trained = [scope.get_current_value(v) for v in model.trainable_variables]
            out = model(x, **arguments)
            extra = [tf.reduce_sum(loss) for loss in model.losses]
        for variable, handed_in in zip(model.trainable_variables, trained, strict=True):
            if scope.get_current_value(variable) is not handed_in:
                raise CannotFuse(f"the trained weight {variable.path}, which a layer assigns itself")
        after = [_value(scope, v, old) for v, old in zip(model.non_trainable_variables, before, strict=True)]
        others = [value for i, value in enumerate(after) if i not in places]
        return out, others, [after[i] for i in sorted(places)], extra

    def _loss(self, loss: Any, batch: Batch, out: Any) -> tuple[tf.Tensor, Tensors]:
        """The weighted sum over the batch's real rows by their number, and the loss of each of several outputs.

        Keras divides by the number of all rows, which some only pad. It keeps the outputs' losses in `Mean`s, which are read
        here after this batch alone.
        """
        with keras.StatelessScope(state_mapping=[(v, tf.zeros(v.shape, v.dtype)) for v in loss.variables]):
            value = loss(batch.y, out, sample_weight=batch.weights)
            parts = [metric.result() for metric in loss.metrics]
        return (value if batch.real is None else value * (batch.real.shape[0] / tf.reduce_sum(batch.real))), parts

    def _chosen_loss(self, which: tf.Tensor, batch: Batch, out: Any) -> tuple[tf.Tensor, Tensors, Tensors, Tensors]:
        """A trial's loss out of several, and its slopes with respect to the tensors that the losses are computed from.

        What is not chosen is left out by `where` on values and slopes, and so cannot bring in a NaN of its own, as it
        could through the gradient of a `where`.
        """
        cut = loss_inputs(out)
        values, parts, slopes = [], [], []
        for loss in self.losses:
            value, each = self._loss(loss, batch, out)
            values.append(value)
            parts.append(each)
            zero = tf.UnconnectedGradients.ZERO
            slopes.append(tf.gradients(value, cut, stop_gradients=cut, unconnected_gradients=zero))
        pick = lambda options: [choose(which, list(each)) for each in zip(*options, strict=True)]  # noqa: E731
        return choose(which, values), pick(parts), cut, pick(slopes)

    def _log(self, logs: Logs, loss: tf.Tensor, parts: Tensors, batch: Batch, out: Any) -> Logs:
        """Keras weighs the loss by the batch's rows, and those of several outputs not: there a graph's batches have no size."""
        size = float(batch.rows()) if batch.real is None else tf.reduce_sum(batch.real)
        summed = [before + part for before, part in zip(logs.parts, parts, strict=True)]
        metrics = _updated(self.metrics, logs.metrics, batch, out) if self.metrics else []
        return Logs(logs.total + loss * size, logs.count + size, logs.batches + 1.0, summed, metrics)


class _Assigning(keras.StatelessScope):
    """What a layer assigns and reads again passes no gradient on, as it is with TensorFlow's variables."""

    def add_update(self, update: tuple[Any, Any]) -> None:
        variable, value = update
        super().add_update((variable, tf.stop_gradient(value)))


def mean(logs: Logs) -> tf.Tensor:
    return tf.math.divide_no_nan(logs.total, logs.count)


def seed_places(model: keras.Model) -> list[int]:
    """Which of the model's non-trainable variables are states of random generators."""
    weights = {id(v) for v in model.weights}
    return [i for i, v in enumerate(model.non_trainable_variables) if id(v) not in weights]


def loss_inputs(out: Any) -> Tensors:
    """The tensors that a loss can reach from a model's outputs, each once.

    Crossentropies look behind a softmax or a sigmoid for the logits.
    """
    found: dict[Any, tf.Tensor] = {}
    for part in tf.nest.flatten(out):
        logits = private.logits(part)
        behind = [logits] if logits is not None else part.op.inputs if part.op.type in ("Softmax", "Sigmoid") else []
        found |= {tensor.ref(): tensor for tensor in (part, *behind)}
    return list(found.values())


def _updated(metrics: Any, variables: Tensors, batch: Batch, out: Any) -> Tensors:
    """The metrics' variables after a batch: as `CompileMetrics.update_state`, which leaves no padded row out of `metrics`."""
    with keras.StatelessScope(state_mapping=list(zip(metrics.variables, variables, strict=True))) as scope:
        if batch.real is None:
            metrics.update_state(batch.y, out, sample_weight=batch.weights)
        else:
            for group, weights in zip(private.flat_metrics(metrics), (batch.real, batch.weights), strict=True):
                for listed in group:
                    listed.update_state(batch.y, out, sample_weight=weights)
    new = [_value(scope, variable, old) for variable, old in zip(metrics.variables, variables, strict=True)]
    return _cast(new, variables)


def choose(which: tf.Tensor, options: Tensors) -> tf.Tensor:
    chosen = options[0]
    for i, option in enumerate(options[1:], 1):
        chosen = tf.where(which == i, option, chosen)
    return chosen


def _value(scope: Any, variable: Any, old: tf.Tensor) -> tf.Tensor:
    value = scope.get_current_value(variable)
    return old if value is None else value


def _cast(new: Tensors, old: Tensors) -> Tensors:
    return [tf.cast(a, b.dtype) for a, b in zip(new, old, strict=True)]
