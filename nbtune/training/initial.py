"""Initial weights against their formulas, and how a first batch goes through networks that are initialised in several ways.

Sources: Glorot and Bengio 2010 (variance 2 / (fan in + fan out)), He et al. 2015 (2 / fan in), LeCun et al. 1998 (1 / fan in),
as `keras.initializers` has them.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import keras
import numpy as np

from nbtune.ask.space import Value
from nbtune.data import arrays as data
from nbtune.data.rows import Inputs
from nbtune.errors import UsageError
from nbtune.machine import TENSORFLOW
from nbtune.record.events import Emit
from nbtune.record.initial import Initial, Signals, Weights
from nbtune.record.job import Job
from nbtune.training import trial
from nbtune.training.initializers import ATTRIBUTES, FILLED, get, kernels, leaves, spelled
from nbtune.training.model import fed
from nbtune.training.private import keras as private

SIDE_BY_SIDE = ("zeros", "ones", "normal:0.01", "normal:1", "glorot_uniform", "he_normal", "lecun_normal")
BINS = 40
ROWS = 256  # of the batch that goes through
_TRUNCATED = 0.87962566103423978  # the standard deviation of a normal cut off at two of its own


class Formula(NamedTuple):
    """A distribution: its name, and SciPy's frozen form; None where it is a constant or a matrix as a whole."""

    name: str
    mean: float
    variance: float
    frozen: Any


def of_trial(job: Job, emit: Emit, values: Mapping[str, Value], inits: Sequence[str]) -> dict[str, Any]:
    """What a trial starts from, beside the same network filled in these ways, or the usual ones if there are none."""
    arrays = data.read(job.folder, job.fold)
    made = trial.new_model(job, values, arrays.x)
    filled = job.resolved(values).get("init")
    return asdict(initial(made, {}, fed(arrays.x), fed(arrays.y), inits or SIDE_BY_SIDE, filled))


def initial(
    made: Any,
    values: Mapping[str, Any],
    x: Inputs | None = None,
    y: np.ndarray | None = None,
    inits: Sequence[str] = SIDE_BY_SIDE,
    filled: Any = None,
) -> Initial:
    """What a new model starts from. It is left as it was.

    Args:
        made: the model, or a function that makes it of the `values`.
        x: some rows; without them there are no signals.
        y: their labels, if the model is compiled: gradients are then those of its loss, and else those of a fixed random
            direction of its output.
        inits: initialisers to fill it with, for the signals.
        filled: the initialiser that has filled its kernels, if not those of its layers.

    Raises:
        UsageError: it is no model, or one that has no weights before it sees rows, and there are none; or another backend.
    """
    model = made if isinstance(made, keras.Model) or not callable(made) else _made(made, values)
    if not isinstance(model, keras.Model):
        raise UsageError(f"plot_init takes a Keras model or a function that returns one, and got {type(model).__name__}")
    if not model.built and x is None:
        raise UsageError("the model has no weights before it has seen data; give x, or begin it with keras.Input")
    if not model.built:
        model(keras.tree.map_structure(lambda part: keras.ops.convert_to_tensor(part[:1]), x))
    weights = tuple(_weights(model, layer, name, variable, filled) for layer, name, variable in kernels(model))
    return Initial(weights, () if x is None else tuple(_signals(model, x, y, inits)))


def _made(build: Any, values: Mapping[str, Any]) -> Any:
    try:
        inspect.signature(build).bind(**values)
    except TypeError as error:
        raise UsageError(f"cannot build the model: {error}; give its arguments, like plot_init(build, x, units=32)") from None
    return build(**values)


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Fan in and fan out as Keras counts them: of the last two dimensions, times the receptive field of a convolution."""
    if len(shape) < 2:
        return (int(shape[0]), int(shape[0])) if shape else (1, 1)
    field = math.prod(shape[:-2])
    return int(shape[-2] * field), int(shape[-1] * field)


def formula(initializer: Any, shape: Sequence[int]) -> Formula | None:
    """The distribution that a Keras initialiser draws a weight of this shape from; None for one that is not Keras's own."""
    from scipy import stats  # half a second, which no worker pays that only trains

    kind, settings = type(initializer).__name__, initializer.get_config() if hasattr(initializer, "get_config") else {}
    if isinstance(initializer, keras.initializers.VarianceScaling):
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[initializer.mode]
        variance = initializer.scale / max(fan, 1.0)
        return _named(initializer.distribution, 0.0, variance)
    match kind:
        case "Zeros" | "Ones":
            return Formula("constant", float(kind == "Ones"), 0.0, None)
        case "Constant":
            return Formula("constant", float(settings["value"]), 0.0, None)
        case "RandomUniform":
            low, high = settings["minval"], settings["maxval"]
            return Formula("uniform", (low + high) / 2, (high - low) ** 2 / 12, stats.uniform(low, high - low))
        case "RandomNormal":
            return _named("untruncated_normal", settings["mean"], settings["stddev"] ** 2)
        case "TruncatedNormal":
            return _named("truncated_normal", settings["mean"], (settings["stddev"] * _TRUNCATED) ** 2)
        case "Orthogonal" | "OrthogonalInitializer":
            rows = math.prod(shape[:-1])
            variance = settings["gain"] ** 2 / max(rows, shape[-1])
            return Formula("orthogonal", 0.0, variance, stats.norm(0, math.sqrt(variance)))
    return None


def _named(distribution: str, mean: float, variance: float) -> Formula:
    from scipy import stats  # half a second, which no worker pays that only trains

    std = math.sqrt(variance)
    if distribution == "uniform":
        limit = math.sqrt(3 * variance)
        return Formula("uniform", mean, variance, stats.uniform(mean - limit, 2 * limit))
    if distribution == "truncated_normal":
        return Formula("truncated_normal", mean, variance, stats.truncnorm(-2, 2, mean, std / _TRUNCATED))
    return Formula("normal", mean, variance, stats.norm(mean, std))


def _weights(model: keras.Model, layer: Any, name: str, variable: Any, filled: Any) -> Weights:
    values = np.asarray(keras.ops.convert_to_numpy(variable), "float64").ravel()
    initializer = getattr(layer, ATTRIBUTES[name], None) if filled is None or name not in FILLED else get(filled)
    known = formula(initializer, variable.shape)
    counts, edges = np.histogram(values, BINS)
    middles = (edges[1:] + edges[:-1]) / 2
    mean, variance = float(values.mean()), float(values.var())
    errors = _errors(known, mean, variance, values.size)
    return Weights(
        _path(model, variable),
        name,
        tuple(map(int, variable.shape)),
        spelled(initializer),
        *fans(variable.shape),
        known.name if known else "",
        mean,
        variance,
        known.mean if known else None,
        known.variance if known else None,
        *errors,
        tuple(counts.tolist()),
        tuple(edges.tolist()),
        tuple(known.frozen.pdf(middles).tolist()) if known and known.frozen else (),
    )


def _path(model: keras.Model, variable: Any) -> str:
    """Which layer a weight belongs to, through the layers around it: `bidirectional/forward_lstm/lstm_cell`."""
    parts = variable.path.split("/")[:-1]
    return "/".join(parts[1:] if parts[0] == model.name and len(parts) > 1 else parts)


def _errors(known: Formula | None, mean: float, variance: float, draws: int) -> tuple[float | None, float | None]:
    """How far mean and variance are from the formula's, in standard errors of that many independent draws.

    The variance of a sample variance is about (kurtosis - 1) variance² / n. An orthogonal matrix's entries are not
    independent: the mean of their squares is exact, so its variance has no standard error.
    """
    if known is None or known.frozen is None or draws < 2:
        return None, None
    of_mean = (mean - known.mean) / math.sqrt(known.variance / draws)
    if known.name == "orthogonal":
        return of_mean, None
    kurtosis = float(known.frozen.stats(moments="k")) + 3
    return of_mean, (variance - known.variance) / (known.variance * math.sqrt((kurtosis - 1) / draws))


def _signals(model: keras.Model, x: Inputs, y: np.ndarray | None, inits: Sequence[str]) -> Iterator[Signals]:
    """What comes of the model as it is, and of each initialiser, in that order; nothing without a graph."""
    if not isinstance(getattr(model, "inputs", None), list):  # a class of one's own: its layers form no graph that can be asked
        return
    if keras.backend.backend() != TENSORFLOW:
        raise UsageError(f"what goes through a network is shown on TensorFlow alone; Keras is set to {keras.backend.backend()}")
    before = model.get_weights()
    rows = keras.tree.map_structure(lambda part: keras.ops.convert_to_tensor(part[:ROWS]), x)
    labels = None if y is None else keras.tree.map_structure(lambda part: part[:ROWS], y)
    try:
        yield _signal("this model", model, rows, labels)
        for init in inits:
            for _, name, variable in kernels(model):
                if name in (*FILLED, "recurrent_kernel"):
                    variable.assign(get(init)(variable.shape, dtype=variable.dtype))
            yield _signal(init, model, rows, labels)
    finally:
        model.set_weights(before)


def _signal(name: str, model: keras.Model, rows: Any, labels: np.ndarray | None) -> Signals:
    import tensorflow as tf  # which Keras need not train with

    layers = _in_graph(model)
    watched = keras.Model(model.inputs, [_outputs(model, layers), model.outputs])
    with tf.GradientTape() as tape:
        puts_out, outputs = watched(rows, training=False)
        loss = _loss(model, rows, labels, outputs)
    gradients = tape.gradient(loss, puts_out)
    return Signals(
        name,
        tuple(layer.name for layer in layers),
        tuple(float(tf.math.reduce_std(tf.cast(each, "float32"))) for each in puts_out),
        tuple(
            math.nan if each is None else float(tf.sqrt(tf.reduce_mean(tf.square(tf.cast(each, "float32")))))
            for each in gradients
        ),
    )


def _in_graph(model: keras.Model) -> list[Any]:
    """The layers with kernels that the model calls itself, once each, from the input on."""
    own = {id(layer) for layer, _, _ in kernels(model)}
    return [layer for layer in model.layers if id(layer) in own or any(id(part) in own for part in leaves(layer))]


def _outputs(model: keras.Model, layers: Sequence[Any]) -> list[Any]:
    """What each of these layers puts out in the model's own graph.

    A Sequential model to which layers are added one by one calls the first ones anew each time, and their `output` is that of
    the first call, on which the model's outputs do not depend.
    """
    graph = private.graph(model)
    if graph is None:
        return [layer.output for layer in layers]
    own = {id(node.operation): node.outputs[0] for node in graph.nodes}
    return [own[id(layer)] for layer in layers]


def _loss(model: keras.Model, rows: Any, labels: np.ndarray | None, outputs: Sequence[Any]) -> Any:
    """The compiled loss, or else the outputs in a random direction that is the same for all initialisers."""
    if labels is not None and model.compiled:
        known = keras.tree.map_structure(keras.ops.convert_to_tensor, labels)
        return model.compute_loss(x=rows, y=known, y_pred=outputs[0] if len(outputs) == 1 else outputs)
    draws, ops = np.random.default_rng(0), keras.ops
    return sum(ops.mean(ops.cast(each, "float32") * draws.standard_normal(each.shape).astype("float32")) for each in outputs)
