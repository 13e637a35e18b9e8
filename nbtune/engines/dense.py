"""The step of a stack of networks of Dense layers, written out: the rows of all trials are the rows of one matrix.

What `mapped` makes of any network by going through the step of one trial, operation by operation, is here written down for
the network of the classroom: a third of the operations, and as many for every number of trials. So it is traced in a third
of the time, needs no compiler to be fast, and a trial that has stopped can leave the stack at once.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from nbtune.engines import rowwise
from nbtune.engines.reasons import CannotFuse
from nbtune.engines.step import Batch, Logs, Loss, Standing, State, Step, Tensors, choose, loss_inputs, mean

_REGULARISERS = ("kernel_regularizer", "bias_regularizer")


def fits(step: Step, output: Any) -> bool:
    """Whether a stack can be trained here: each row for itself, through plain Dense layers and layers without weights.

    Args:
        output: what the model makes of a row.
    """
    graph = getattr(step.model, "_functional", step.model)
    if not isinstance(graph, keras.src.models.Functional) or not rowwise.everything(step, output):
        return False
    return step.update.is_elementwise and all(
        _is_plain(node.operation) for nodes in graph._nodes_by_depth.values() for node in nodes
    )


def _is_plain(operation: Any) -> bool:
    if type(operation) is not keras.layers.Dense:
        return isinstance(operation, keras.layers.Layer) and not operation.weights
    plain = operation.quantization_mode is None and not operation.lora_enabled
    return plain and all(getattr(operation, part) is None for part in _REGULARISERS)


class _Joined:
    """`rows`, `(trials × batch, ...)`: a trial's rows one after another, then the next trial's."""

    def __init__(self, rows: tf.Tensor) -> None:
        self.rows = rows


class _Rows(NamedTuple):
    """A batch for all trials: `x` as the model takes it, joined or the same for all, and the labels joined, for each `View`.

    Attributes:
        batch, size: how many rows of each trial there are, and how many of them count.
        real, weights: as in `step.Batch`, `(batch,)` or `(trials, batch)`.
    """

    x: Any
    ys: Tensors
    batch: int
    size: Any
    real: tf.Tensor | None
    weights: tf.Tensor | None


class Dense:
    """A stack's steps; it has no `seeds`, its `others` are frozen weights, and every trial is live, or has just diverged.

    Args:
        runs: how many orders of the rows the trials go through, each through its own.
    """

    any_size = True

    def __init__(self, step: Step, runs: int) -> None:
        self.step, self._runs = step, runs
        self._graph = getattr(step.model, "_functional", step.model)
        self._losses = [_of_rows(loss) for loss in step.losses]
        self._update = step.update.of_all()

    def train(self, at: Standing, live: tf.Tensor, batch: Batch) -> Standing:
        state, logs = at.state, at.logs
        rows = _own(batch, state.run) if self._runs > 1 else _shared(batch, state)
        out = self._forward(state, rows.x)
        if len(self._losses) == 1:
            loss = self._loss(0, rows, out)
            gradients = tf.gradients(loss, state.weights)
        else:
            loss, cut, slopes = self._chosen_loss(state, rows, out)
            gradients = tf.gradients(cut, state.weights, slopes)
        if any(gradient is None for gradient in gradients):
            raise CannotFuse("weights whose gradient is missing")
        new_logs = self._log(logs, loss, rows, out)
        live = state.live
        still = live & tf.math.is_finite(mean(new_logs))
        weights, slots = self._update(state.slots, gradients, state.weights, live)
        kept = tf.nest.map_structure(lambda new, old: tf.where(live, new, old), new_logs, logs)
        after = at._replace(state=state._replace(weights=weights, slots=slots, live=still), logs=kept)
        tf.nest.map_structure(lambda new, old: new.set_shape(old.shape), after, at)
        return after

    def test(self, at: Standing, live: tf.Tensor, batch: Batch) -> Standing:
        rows = _shared(batch, at.state)
        out = self._forward(at.state, rows.x)
        losses = [self._loss(i, rows, out) for i in range(len(self._losses))]
        return at._replace(logs=self._log(at.logs, choose(at.state.loss, losses), rows, out))

    def result(self, at: Standing, live: tf.Tensor) -> dict[str, tf.Tensor]:
        views = [self._results(view.metrics, sums) for view, sums in zip(self.step.views, at.logs.metrics, strict=True)]
        found = {name: choose(at.state.loss, [views[each.view][name] for each in self.step.losses]) for name in views[0]}
        return {"loss": mean(at.logs), **found}

    def _results(self, metrics: Any, sums: Tensors) -> dict[str, tf.Tensor]:
        """As `CompileMetrics.result`, for every trial."""
        if not metrics:
            return {}
        found = {id(variable): value for variable, value in zip(metrics.variables, sums, strict=True)}
        names = metrics.stateless_result([tf.zeros([]) for _ in sums])
        means = [tf.math.divide_no_nan(found[id(m.total)], found[id(m.count)]) for group in _metrics(metrics) for m in group]
        return dict(zip(names, means, strict=True))

    def _forward(self, state: State, x: Any) -> tf.Tensor:
        """What the networks put out for a batch, `(trials × batch, ...)`."""
        model = self.step.model
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        values = {id(v): value for v, value in zip(variables, [*state.weights, *state.others], strict=True)}
        trials = tf.shape(state.loss)[0]
        inputs = self._graph._standardize_inputs(keras.tree.map_structure(_rows_of, x))
        if any(isinstance(part, _Joined) for part in keras.tree.flatten(x)):
            inputs = keras.tree.map_structure(_Joined, inputs)

        def one(layer: Any) -> Any:
            return lambda *inputs, **more: _through(layer, values, trials, inputs, more)

        (out,) = keras.tree.flatten(self._graph._run_through_graph(inputs, operation_fn=one))
        return _joined(out, trials).rows

    def _loss(self, which: int, rows: _Rows, out: tf.Tensor) -> tf.Tensor:
        """Each trial's mean over the batch's real rows, `(trials,)`."""
        losses = self._losses[which](rows.ys[self.step.losses[which].view], out)
        return _sum(losses, rows.weights, rows) / rows.size

    def _chosen_loss(self, state: State, rows: _Rows, out: tf.Tensor) -> tuple[tf.Tensor, Tensors, Tensors]:
        """As `Step._chosen_loss`, for all rows."""
        cut = loss_inputs(out)
        values, slopes = [], []
        for i in range(len(self._losses)):
            values.append(self._loss(i, rows, out))
            zero = tf.UnconnectedGradients.ZERO
            slopes.append(tf.gradients(values[-1], cut, stop_gradients=cut, unconnected_gradients=zero))
        each_row = tf.repeat(state.loss, rows.batch)
        picked = [
            choose(tf.reshape(each_row, [-1] + [1] * (len(part.shape) - 1)), options)
            for part, *options in zip(cut, *slopes, strict=True)
        ]
        return choose(state.loss, values), cut, picked

    def _log(self, logs: Logs, loss: tf.Tensor, rows: _Rows, out: tf.Tensor) -> Logs:
        metrics = [
            self._updated(view.metrics, variables, y, rows, out) if view.metrics else []
            for view, variables, y in zip(self.step.views, logs.metrics, rows.ys, strict=True)
        ]
        return Logs(logs.total + loss * rows.size, logs.count + rows.size, metrics)

    def _updated(self, metrics: Any, variables: Tensors, y: tf.Tensor, rows: _Rows, out: tf.Tensor) -> Tensors:
        """The `total` and `count` of each `MeanMetricWrapper` after a batch: its `update_state` for every trial."""
        found = {id(variable): value for variable, value in zip(metrics.variables, variables, strict=True)}
        for group, weights in zip(_metrics(metrics), (rows.real, rows.weights), strict=True):
            for metric in group:
                values = metric._fn(y, out, **metric._fn_kwargs)
                found[id(metric.total)] += _sum(values, weights, rows)
                found[id(metric.count)] += rows.size if weights is None else tf.reduce_sum(weights, -1)
        return [found[id(variable)] for variable in metrics.variables]


def _shared(batch: Batch, state: State) -> _Rows:
    """The same rows for all trials."""
    ys = [_tiled(y, tf.shape(state.loss)[0]).rows for y in batch.ys]
    return _Rows(batch.x, ys, batch.ys[0].shape[0], _size(batch, 0), batch.real, batch.weights)


def _own(batch: Batch, run: tf.Tensor) -> _Rows:
    """Each trial's run's rows, out of a batch whose parts are `(runs, batch, ...)`."""
    join = lambda part: tf.reshape(tf.gather(part, run), [-1, *part.shape[2:]])  # noqa: E731
    x = keras.tree.map_structure(lambda part: _Joined(join(part)), batch.x)
    weights = batch.weights if batch.weights is None or len(batch.weights.shape) == 1 else tf.gather(batch.weights, run)
    return _Rows(x, [join(y) for y in batch.ys], batch.ys[0].shape[1], _size(batch, 1), batch.real, weights)


def _size(batch: Batch, axis: int) -> Any:
    return float(batch.ys[0].shape[axis]) if batch.real is None else tf.reduce_sum(batch.real)


def _rows_of(part: Any) -> tf.Tensor:
    return part.rows if isinstance(part, _Joined) else part


def _metrics(compiled: Any) -> tuple[list[Any], list[Any]]:
    """Of a `CompileMetrics`, the metrics and the weighted ones, in the order in which it gives their results."""
    groups = compiled._flat_metrics, compiled._flat_weighted_metrics
    plain, weighted = ([metric for listed in group if listed for metric in listed.metrics] for group in groups)
    return plain, weighted


def _of_rows(loss: Loss) -> Any:
    """The loss function that leaves each row's loss as it is."""
    (only,) = loss.function._flat_losses
    found = copy.copy(only.loss)
    found.reduction = "none"
    return found


def _through(layer: Any, values: dict[int, tf.Tensor], trials: tf.Tensor, inputs: Sequence[Any], more: dict[str, Any]) -> Any:
    """A layer with each trial's weights; what depends on no weights yet is computed once for all trials."""
    if type(layer) is keras.layers.Dense:
        bias = None if layer.bias is None else values[id(layer.bias)]
        return _dense(layer, values[id(layer._kernel)], bias, inputs[0], trials)
    parts = keras.tree.flatten((inputs, more))
    if not any(isinstance(part, _Joined) for part in parts):
        return layer(*inputs, **more)
    join = lambda part: _joined(part, trials).rows if isinstance(part, (_Joined, tf.Tensor)) else part  # noqa: E731
    inputs, more = keras.tree.map_structure(join, (inputs, more))
    return _Joined(layer(*inputs, **more))


def _dense(layer: Any, kernel: tf.Tensor, bias: tf.Tensor | None, x: Any, trials: tf.Tensor) -> _Joined:
    """`kernel` is `(trials, inputs, units)`; the dimensions of `x` between rows and inputs are rows to it too."""
    rows = x.rows if isinstance(x, _Joined) else x
    inner, (inputs, units) = rows.shape[1:-1], kernel.shape[1:]
    if isinstance(x, _Joined):
        out = tf.matmul(tf.reshape(rows, tf.stack([trials, -1, inputs])), kernel)
    else:  # one large product is faster than one for each trial
        wide = tf.reshape(tf.transpose(kernel, [1, 0, 2]), tf.stack([inputs, trials * units]))
        out = tf.reshape(tf.matmul(tf.reshape(rows, [-1, inputs]), wide), tf.stack([-1, trials, units]))
        out = tf.transpose(out, [1, 0, 2])
    if bias is not None:
        out = out + bias[:, None]
    out = tf.reshape(out, [-1, *inner, units])
    return _Joined(out if layer.activation is None else layer.activation(out))


def _joined(part: Any, trials: tf.Tensor) -> _Joined:
    return part if isinstance(part, _Joined) else _tiled(part, trials)


def _tiled(rows: tf.Tensor, trials: tf.Tensor) -> _Joined:
    """The same rows for each trial."""
    out = tf.tile(rows, tf.stack([trials] + [1] * (len(rows.shape) - 1)))
    out.set_shape([None, *rows.shape[1:]])
    return _Joined(out)


def _sum(values: tf.Tensor, weights: tf.Tensor | None, rows: _Rows) -> tf.Tensor:
    """Of numbers `(trials × batch,)` each trial's, weighted, `(trials,)`."""
    apart = tf.cast(tf.reshape(values, [-1, rows.batch]), tf.float32)
    return tf.reduce_sum(apart if weights is None else apart * weights, 1)
