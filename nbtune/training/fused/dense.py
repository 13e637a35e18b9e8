"""The step of a stack of networks of Dense layers, written out for all trials at once.

What `mapped` makes of any network by going through the step of one trial, operation by operation, is here written down for
the network of the classroom: far fewer operations, and as many for every number of trials. So it is traced in a fraction
of the time, needs no compiler to be fast, and a trial that has stopped can leave the stack at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from nbtune.training.fused.layers import kinds, per_example
from nbtune.training.fused.optimizers import count
from nbtune.training.fused.step import Batch, Logs, Standing, State, Step, Tensors, choose, loss_inputs, mean
from nbtune.training.private import keras as private
from nbtune.training.reasons import CannotFuse

_REGULARISERS = ("kernel_regularizer", "bias_regularizer")


def can_train(step: Step, output: Any) -> bool:
    """Whether a stack can be trained here: each row for itself, through plain Dense layers and layers without weights.

    Args:
        output: what the model makes of a row.
    """
    graph = private.graph(step.model)
    if graph is None or not per_example.everything(step, output):
        return False
    return step.update.is_elementwise and all(is_plain(node.operation) for node in graph.nodes)


def is_plain(operation: Any) -> bool:
    """A Dense layer, whose weights nothing but its loss depends on, or a layer without weights."""
    if not kinds.exact(operation).by_hand:
        return isinstance(operation, keras.layers.Layer) and not operation.weights and not kinds.exact(operation).rated
    plain = operation.quantization_mode is None and not operation.lora_enabled
    return plain and all(getattr(operation, part) is None for part in _REGULARISERS)


class _Each:
    """What each trial makes of a batch's rows: `apart`, `(trials, batch, ...)`, or `joined`, `(trials × batch, ...)`.

    Args:
        passed: the same of the trials that come after those in `apart`, and skip the last layer.
    """

    def __init__(self, batch: int, apart: Any = None, joined: Any = None, passed: Sequence[Any] = ()) -> None:
        self._batch, self._apart, self._joined, self._passed = batch, apart, joined, passed

    @property
    def apart(self) -> Any:
        if self._apart is None:
            self._apart = tf.reshape(self._joined, [-1, self._batch, *self._joined.shape[1:]])
        elif self._passed:
            self._apart, self._passed = tf.concat([self._apart, *self._passed], 0), ()
        return self._apart

    @property
    def joined(self) -> Any:
        if self._joined is None:
            self._joined = tf.reshape(self.apart, [-1, *self.apart.shape[2:]])
        return self._joined

    def first(self, trials: Any) -> tuple[Any, list[Any]]:
        """What so many trials make of the rows, and what the trials after them do, in parts."""
        apart, passed = (self._apart, self._passed) if self._passed else (self.apart, ())
        first, others = tf.split(apart, [trials, -1])
        return first, [others, *passed]


class _StackBatch(NamedTuple):
    """A batch for all trials: `x` as the model takes it, of each trial or the same for all, and the joined labels.

    Attributes:
        batch, size: how many rows of each trial there are, and how many of them count, `()` or `(trials,)`.
        real, weights: as in `step.Batch`, `(batch,)` or `(trials, batch)`.
    """

    x: Any
    y: tf.Tensor
    batch: int
    size: Any
    real: tf.Tensor | None
    weights: tf.Tensor | None


class Dense:
    """A stack's steps; it has no `seeds`, its `others` are frozen weights, and every trial is live, or has just diverged.

    The slots are as `UpdateOfAll` has them, and from one training step to the next the weights are in blocks as well.

    Args:
        repeats: how many orders of the rows the trials go through, each through its own.
        apart: whether each repeat is evaluated on rows of its own.
    """

    any_size = True

    def __init__(self, step: Step, repeats: int, apart: bool = False) -> None:
        self.step, self._repeats, self._apart = step, repeats, apart
        graph = private.graph(step.model)
        assert graph is not None, "`can_train` was asked"
        self._graph = graph
        self._last = next(n.operation for n in graph.nodes if any(out is graph.outputs[0] for out in n.outputs))
        self._losses = [_of_rows(loss) for loss in step.losses]
        self._update = step.update_of_all

    def enter(self, at: Standing) -> Standing:
        return at._replace(state=at.state._replace(weights=self._update.joined(at.state.weights)))

    def leave(self, at: Standing) -> Standing:
        return at._replace(state=at.state._replace(weights=self._update.apart(at.state.weights)))

    def train(self, at: Standing, live: tf.Tensor, batch: Batch, rates: tf.Tensor) -> Standing:
        state, logs = at.state, at.logs
        weights = self._update.apart(state.weights)
        rows = _own(batch, state.repeat) if self._repeats > 1 else _shared(batch, state)
        out = self._forward(weights, state, rows)
        if len(self._losses) == 1:
            losses = self._each_loss(0, rows, out)
            loss = _mean(losses, rows)
            gradients = tf.gradients(losses, weights, _shares(losses, rows))
        else:
            loss, cut, slopes = self._chosen_loss(state, rows, out)
            gradients = tf.gradients(cut, weights, slopes)
        if any(gradient is None for gradient in gradients):
            raise CannotFuse("weights whose gradient is missing")
        new_logs = self._log(logs, loss, rows, out)
        still = state.live & tf.math.is_finite(mean(new_logs))
        slots = self._update.with_rates(state.slots, rates)
        updated, slots = self._update(state.weights, slots, gradients, state.live)
        kept = tf.nest.map_structure(lambda new, old: tf.where(state.live, new, old), new_logs, logs)
        after = at._replace(state=state._replace(weights=updated, slots=slots, live=still), logs=kept)
        tf.nest.map_structure(lambda new, old: new.set_shape(old.shape), after, at)
        return after

    def test(self, at: Standing, live: tf.Tensor, batch: Batch) -> Standing:
        rows = _own(batch, at.state.repeat) if self._apart else _shared(batch, at.state)
        out = self._forward(at.state.weights, at.state, rows)
        losses = [_mean(self._each_loss(i, rows, out), rows) for i in range(len(self._losses))]
        return at._replace(logs=self._log(at.logs, choose(at.state.loss, losses), rows, out))

    def result(self, at: Standing, live: tf.Tensor, training: bool = True) -> dict[str, tf.Tensor]:
        return {"loss": mean(at.logs), **self._results(self.step.metrics, at.logs.metrics)}

    def _results(self, metrics: Any, sums: Tensors) -> dict[str, tf.Tensor]:
        """As `CompileMetrics.result`, for every trial."""
        if not metrics:
            return {}
        found = {id(variable): value for variable, value in zip(metrics.variables, sums, strict=True)}
        names = metrics.stateless_result([tf.zeros([]) for _ in sums])
        means = [tf.math.divide_no_nan(found[id(m.total)], found[id(m.count)]) for group in _metrics(metrics) for m in group]
        return dict(zip(names, means, strict=True))

    def _forward(self, weights: Tensors, state: State, rows: _StackBatch) -> tf.Tensor:
        """What the networks put out for a batch, `(trials × batch, ...)`."""
        model, trials = self.step.model, tf.shape(state.loss)[0]
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        values = {id(v): value for v, value in zip(variables, [*weights, *state.others], strict=True)}
        inputs = self._graph.standardized(keras.tree.map_structure(_rows_of, rows.x))
        if any(isinstance(part, _Each) for part in keras.tree.flatten(rows.x)):
            inputs = keras.tree.map_structure(lambda part: _Each(rows.batch, joined=part), inputs)

        def each(part: Any) -> _Each:
            return part if isinstance(part, _Each) else _Each(rows.batch, joined=_tiled(part, trials))

        def one(layer: Any) -> Any:
            if kinds.exact(layer).by_hand:
                return lambda x: self._dense(layer, values, x, rows.batch)
            return lambda *inputs, **more: _through(layer, each, rows.batch, inputs, more)

        (out,) = keras.tree.flatten(self._graph.run(inputs, operation_fn=one))
        return each(out).joined

    def _dense(self, layer: Any, values: dict[int, tf.Tensor], x: Any, batch: int) -> _Each:
        """A Dense layer with each trial's weights; the dimensions of `x` between rows and inputs are rows to it too."""
        kernel, biases = values[id(layer.kernel)], [] if layer.bias is None else [values[id(layer.bias)]]
        passed: list[Any] = []
        if layer.name in self.step.skipped:
            rows, passed = x.first(count(kernel))
        else:
            rows = x.apart if isinstance(x, _Each) else x[None]
        inner, (inputs, units) = rows.shape[2:-1], kernel.shape[1:]
        if inner:
            rows = tf.reshape(rows, [-1 if isinstance(x, _Each) else 1, batch * math.prod(inner), inputs])
        out = _affine(rows, kernel, *biases) if isinstance(x, _Each) else _affine_of_data(rows, kernel, *biases)
        out = tf.reshape(out, [-1, batch, *inner, units]) if inner else out
        if layer.activation is None or layer.activation is keras.activations.linear:
            return _Each(batch, apart=out, passed=passed)
        if layer is self._last:  # the losses find its logits
            return _Each(batch, joined=layer.activation(_Each(batch, apart=out).joined))
        return _Each(batch, apart=layer.activation(out), passed=passed)

    def _each_loss(self, which: int, rows: _StackBatch, out: tf.Tensor) -> tf.Tensor:
        """Each row's, `(trials × batch,)`."""
        return tf.cast(self._losses[which](rows.y, out), tf.float32)

    def _chosen_loss(self, state: State, rows: _StackBatch, out: tf.Tensor) -> tuple[tf.Tensor, Tensors, Tensors]:
        """As `Step._chosen_loss`, for all rows."""
        cut = loss_inputs(out)
        means, slopes = [], []
        for i in range(len(self._losses)):
            losses = self._each_loss(i, rows, out)
            means.append(_mean(losses, rows))
            terms: Any = {"stop_gradients": cut, "unconnected_gradients": tf.UnconnectedGradients.ZERO}
            slopes.append(tf.gradients(losses, cut, _shares(losses, rows), **terms))
        each_row = tf.reshape(tf.tile(state.loss[:, None], [1, rows.batch]), [-1])
        picked = [
            choose(tf.reshape(each_row, [-1] + [1] * (len(part.shape) - 1)), options)
            for part, *options in zip(cut, *slopes, strict=True)
        ]
        return choose(state.loss, means), cut, picked

    def _log(self, logs: Logs, loss: tf.Tensor, rows: _StackBatch, out: tf.Tensor) -> Logs:
        metrics = self._updated(self.step.metrics, logs.metrics, rows, out) if self.step.metrics else []
        return Logs(logs.total + loss * rows.size, logs.count + rows.size, logs.batches + 1.0, logs.parts, metrics)

    def _updated(self, metrics: Any, variables: Tensors, rows: _StackBatch, out: tf.Tensor) -> Tensors:
        """The `total` and `count` of each `MeanMetricWrapper` after a batch: its `update_state` for every trial."""
        found = {id(variable): value for variable, value in zip(metrics.variables, variables, strict=True)}
        for group, weights in zip(_metrics(metrics), (rows.real, rows.weights), strict=True):
            for metric in group:
                function, settings = private.function_of(metric)
                values = function(rows.y, out, **settings)
                if len(values.shape) > 1:  # one for each label of a row
                    values = tf.reduce_mean(values, axis=list(range(1, len(values.shape))))
                found[id(metric.total)] += _sum(values, weights, rows)
                found[id(metric.count)] += rows.size if weights is None else tf.reduce_sum(weights, -1)
        return [found[id(variable)] for variable in metrics.variables]


@tf.custom_gradient
def _affine(x: tf.Tensor, kernel: tf.Tensor, *bias: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """`(trials, rows, inputs)`, `(trials, inputs, units)`, `(trials, units)` → `(trials, rows, units)`.

    The gradient is written down since TensorFlow's own, for any shapes, works out in each step what to sum over: of a layer's
    60 operations that leaves 15.
    """

    def gradient(slope: tf.Tensor) -> list[tf.Tensor]:
        return [tf.matmul(slope, kernel, transpose_b=True), *_slopes_of_weights(x, bias, slope)]

    return _affine_alone(x, kernel, bias), gradient


@tf.custom_gradient
def _affine_of_data(x: tf.Tensor, kernel: tf.Tensor, *bias: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """`_affine` of rows that are the same for all trials and depend on no weights, `(1, rows, inputs)`."""
    return _affine_alone(x, kernel, bias), lambda slope: [None, *_slopes_of_weights(x, bias, slope)]


def _affine_alone(x: tf.Tensor, kernel: tf.Tensor, bias: Sequence[tf.Tensor]) -> tf.Tensor:
    out = tf.matmul(x, kernel)
    return out + tf.expand_dims(bias[0], 1) if bias else out


def _slopes_of_weights(x: tf.Tensor, bias: Sequence[tf.Tensor], slope: tf.Tensor) -> Tensors:
    return [tf.matmul(x, slope, transpose_a=True), *(tf.reduce_sum(slope, 1) for _ in bias)]


def _shared(batch: Batch, state: State) -> _StackBatch:
    """The same rows for all trials."""
    y = _tiled(batch.y, tf.shape(state.loss)[0])
    return _StackBatch(batch.x, y, batch.rows(), _size(batch, 0), batch.real, batch.weights)


def _own(batch: Batch, repeat: tf.Tensor) -> _StackBatch:
    """Each trial's repeat's rows, out of a batch whose parts are `(repeats, batch, ...)`."""
    count = batch.rows(axis=1)
    take = lambda part: _Each(count, apart=tf.gather(part, repeat))  # noqa: E731
    weights = batch.weights if batch.weights is None or len(batch.weights.shape) == 1 else tf.gather(batch.weights, repeat)
    x = keras.tree.map_structure(take, batch.x)
    real = batch.real if batch.real is None or len(batch.real.shape) == 1 else tf.gather(batch.real, repeat)
    return _StackBatch(x, take(batch.y).joined, count, _size(batch._replace(real=real), 1), real, weights)


def _size(batch: Batch, axis: int) -> Any:
    return float(batch.rows(axis)) if batch.real is None else tf.reduce_sum(batch.real, -1)


def _rows_of(part: Any) -> tf.Tensor:
    return part.joined if isinstance(part, _Each) else part


def _metrics(compiled: Any) -> tuple[list[Any], list[Any]]:
    """Of a `CompileMetrics`, the metrics and the weighted ones, in the order in which it gives their results."""
    plain, weighted = ([metric for listed in group for metric in listed.metrics] for group in private.flat_metrics(compiled))
    return plain, weighted


def _of_rows(loss: Any) -> Any:
    """The loss function that leaves each row's loss as it is."""
    (only,) = private.flat_losses(loss)
    found = object.__new__(type(only.loss))  # `copy` would have Keras save it, which leaves out the `delta` of a Huber loss
    vars(found).update(vars(only.loss), reduction="none")
    return found


def _through(layer: Any, each: Callable[[Any], _Each], batch: int, inputs: Sequence[Any], more: dict[str, Any]) -> Any:
    """A layer without weights; what depends on no weights yet is computed once for all trials."""
    if not any(isinstance(part, _Each) for part in keras.tree.flatten((inputs, more))):
        return layer(*inputs, **more)
    join = lambda part: each(part).joined if isinstance(part, (_Each, tf.Tensor)) else part  # noqa: E731
    inputs, more = keras.tree.map_structure(join, (inputs, more))
    return _Each(batch, joined=layer(*inputs, **more))


def _tiled(rows: tf.Tensor, trials: tf.Tensor) -> tf.Tensor:
    """The same rows for each trial, joined."""
    out = tf.tile(rows, tf.stack([trials] + [1] * (len(rows.shape) - 1)))
    out.set_shape([None, *rows.shape[1:]])
    return out


def _mean(losses: tf.Tensor, rows: _StackBatch) -> tf.Tensor:
    """Each trial's over the batch's real rows, `(trials,)`."""
    return tf.math.divide_no_nan(_sum(losses, rows.weights, rows), rows.size)  # a batch of the evaluation may be empty


def _shares(losses: tf.Tensor, rows: _StackBatch) -> tf.Tensor:
    """The slopes of `_mean`, `(trials × batch,)`."""
    size = rows.size if len(getattr(rows.size, "shape", ())) == 0 else rows.size[:, None]
    share = (1.0 if rows.weights is None else rows.weights) / size
    return tf.reshape(tf.ones_like(tf.reshape(losses, [-1, rows.batch])) * share, [-1])


def _sum(values: tf.Tensor, weights: tf.Tensor | None, rows: _StackBatch) -> tf.Tensor:
    """Of numbers `(trials × batch,)` each trial's, weighted, `(trials,)`."""
    apart = tf.cast(tf.reshape(values, [-1, rows.batch]), tf.float32)
    return tf.reduce_sum(apart if weights is None else apart * weights, 1)
