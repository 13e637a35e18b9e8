"""What is private in Keras and used here, in this module alone. Seen in Keras 3.10 to 3.15, on TensorFlow.

Most of it only training together needs: where such a name is not there, `Missing` is raised, the stack is given up, and its
trials are trained by `model.fit`. What every trial goes through stands at the end, and does without the name.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np

from nbtune.training.private.missing import Missing, attribute, member


class Node(NamedTuple):
    """A place in a model's graph: an operation, mostly a layer, and the symbolic tensors that it takes and gives."""

    operation: Any
    inputs: list[Any]
    outputs: list[Any]


class Graph(NamedTuple):
    """How a model was put together from symbolic tensors.

    Attributes:
        model: the `Functional` model; a Sequential one has it inside.
        nodes: each behind those that it takes from.
    """

    model: Any
    nodes: list[Node]
    outputs: list[Any]

    def run(self, inputs: Any, operation_fn: Callable[[Any], Any]) -> Any:
        """What the model makes of the inputs, with `operation_fn(operation)` in place of each operation."""
        return attribute(self.model, "_run_through_graph")(inputs, operation_fn=operation_fn)

    def standardized(self, inputs: Any) -> Any:
        """The inputs as the model's `call` would have them, flat."""
        return attribute(self.model, "_standardize_inputs")(inputs)


def graph(model: keras.Model) -> Graph | None:
    """The graph of a model; None if it has none, or computes in a method of its own."""
    inner = attribute(model, "_functional") if isinstance(model, keras.Sequential) else model
    if not isinstance(inner, member("keras.src.models.functional", "Functional")):
        return None
    by_depth = sorted(attribute(inner, "_nodes_by_depth").items(), reverse=True)
    nodes = [Node(n.operation, list(attribute(n, "input_tensors")), list(n.outputs)) for _, part in by_depth for n in part]
    return Graph(inner, nodes, list(inner.outputs))


def layers(model: keras.Model) -> list[Any]:
    """The model itself and all layers in it, those inside of others too."""
    return list(attribute(model, "_flatten_layers")())


def calls(layer: Any) -> list[Any]:
    """A node, which has `outputs`, for each time that a layer was called on symbolic tensors."""
    return list(attribute(layer, "_inbound_nodes"))


def takes_training(model: keras.Model) -> bool:
    """Whether the model's `call` takes `training`."""
    return bool(attribute(model, "_call_has_training_arg"))


def settings(model: keras.Model) -> dict[str, Any]:
    """What a compiled model was compiled with, as objects; in public Keras gives it out only serialised."""
    return dict(attribute(attribute(model, "_compile_config"), "config"))


def compiled_loss(model: keras.Model) -> Any:
    """The `CompileLoss` of a compiled model."""
    return attribute(model, "_compile_loss")


def compiled_metrics(model: keras.Model) -> Any:
    """The `CompileMetrics` of a compiled model; None where it has no metrics."""
    return attribute(model, "_compile_metrics")


def loss_trackers(model: keras.Model) -> int:
    """How many of a model's metrics are means of its outputs' losses: there are some from when its loss was built on."""
    loss = compiled_loss(model)
    return len(loss.metrics) if loss is not None and hasattr(loss, "metrics") else 0


def built(part: Any, labels: Any, output: Any) -> Any:
    """A `CompileLoss` or a `CompileMetrics` that knows the shapes that it will see, as `keras.KerasTensor`s; None stays None."""
    if part is not None and not part.built:
        nested = keras.tree.is_nested(labels) or keras.tree.is_nested(output)
        if nested and isinstance(part, keras.losses.Loss):  # it brings both into one structure when it is called
            member("keras.src.backend", "compute_output_spec")(part, labels, output)
        else:
            part.build(labels, output)
    if isinstance(part, keras.metrics.Metric) and not all(isinstance(one, keras.metrics.Mean) for one in part.metrics):
        update = lambda y, out: part.update_state(y, out)  # noqa: E731
        member("keras.src.backend", "compute_output_spec")(update, labels, output)  # some make their variables here
    return part


def flat_losses(loss: Any) -> list[Any]:
    """Of a built `CompileLoss`, one for each output; its `loss` is the function."""
    return list(attribute(loss, "_flat_losses"))


def flat_metrics(metrics: Any) -> tuple[list[Any], list[Any]]:
    """Of a built `CompileMetrics`, the lists of metrics and of weighted ones, one for each output that has some."""
    plain, weighted = attribute(metrics, "_flat_metrics"), attribute(metrics, "_flat_weighted_metrics")
    return [listed for listed in plain if listed], [listed for listed in weighted if listed]


def function_of(thing: Any) -> tuple[Any, dict[str, Any]]:
    """What a loss or a metric that wraps a function calls, and with which settings; (None, {}) where it wraps none."""
    if isinstance(thing, keras.metrics.MeanMetricWrapper):
        return attribute(thing, "_fn"), attribute(thing, "_fn_kwargs") or {}
    if isinstance(thing, member("keras.src.losses.losses", "LossFunctionWrapper")):
        return attribute(thing, "fn"), attribute(thing, "_fn_kwargs") or {}
    return None, {}


def learning_rate(optimizer: Any) -> Any:
    """An optimizer's variable, or its schedule; the public property would call a schedule."""
    return attribute(inner_optimizer(optimizer), "_learning_rate")


def rate(optimizer: Any) -> Any:
    """An optimizer's learning rate: a number, or its schedule."""
    found = learning_rate(optimizer)
    return float(keras.ops.convert_to_numpy(found)) if isinstance(found, keras.Variable) else found


def has_schedule(optimizer: Any) -> bool:
    """Whether its learning rate is a schedule."""
    is_own = isinstance(optimizer, keras.optimizers.Optimizer)
    return is_own and isinstance(learning_rate(optimizer), keras.optimizers.schedules.LearningRateSchedule)


def uncompiled_config(model: keras.Model) -> Any:
    """A model serialised but for what it was compiled with, of which a schedule, for one, need not have a configuration."""
    compiled = model.compiled
    model.compiled = False
    try:
        return keras.saving.serialize_keras_object(model)
    finally:
        model.compiled = compiled


def config_without_rate(optimizer: Any) -> dict[str, Any]:
    """An optimizer's configuration but for its learning rate, since a schedule need not have a configuration."""
    rate = learning_rate(optimizer)
    is_scheduled = has_schedule(optimizer)
    if is_scheduled:
        optimizer._learning_rate = 0.0
    try:
        config = optimizer.get_config()
    finally:
        if is_scheduled:
            optimizer._learning_rate = rate
    return {name: value for name, value in config.items() if name != "learning_rate"}


def beside_settings(optimizer: Any) -> list[str]:
    """What was set on one of Keras's optimizers that its configuration does not tell, by its name: by a method, mostly."""
    if hasattr(optimizer, "_exclude_from_weight_decay"):
        return ["exclude_from_weight_decay"]
    kind: Any = type(optimizer)
    return sorted(vars(optimizer).keys() - _names_in(kind))


@functools.cache
def _names_in(kind: type) -> frozenset[str]:
    """What a new object of the class has."""
    return frozenset(vars(kind()))


def neutral_methods(kind: type) -> dict[str, Any]:
    """The backend-neutral methods for an optimizer of a class that has TensorFlow's own instead.

    TensorFlow's write to `tf.Variable`s, past the scope that catches assignments.
    """
    own = member("keras.src.backend.tensorflow.optimizer", "TFOptimizer")
    base = member("keras.src.optimizers.base_optimizer", "BaseOptimizer")
    names = [name for name in vars(own) if name in vars(base) and not name.startswith("__")]
    return {name: getattr(base, name) for name in names if getattr(kind, name) is getattr(own, name)}


@contextlib.contextmanager
def dividing_rows() -> Iterator[None]:
    """Keras divides the gradient of an embedding, which is of some rows alone, by those rows of a tensor, and by nothing else.

    It looks for divisors of zero in the other rows too, in a branch whose shapes depend on them, which `vectorized_map` cannot
    do. An optimizer has none: it divides by a root behind an epsilon.
    """
    import tensorflow as tf  # which Keras need not train with

    module: Any = member("keras.src.backend.tensorflow", "numpy")
    divide = attribute(module, "divide")

    def by_rows(x1: Any, x2: Any) -> Any:
        if isinstance(x1, tf.IndexedSlices) and isinstance(x2, tf.Tensor) and x2.shape.rank:
            return tf.IndexedSlices(divide(x1.values, tf.gather(x2, x1.indices)), x1.indices, x1.dense_shape)
        return divide(x1, x2)

    module.divide = by_rows
    try:
        yield
    finally:
        module.divide = divide


@contextlib.contextmanager
def computing_by(dropout: Callable[..., Any], rnn: Callable[..., Any]) -> Iterator[None]:
    """Layers drop out, and go through the steps of a sequence, by these functions in place of Keras's."""
    backend: Any = member("keras.src", "backend")
    random = attribute(backend, "random")
    before = attribute(backend, "rnn"), attribute(random, "dropout")
    backend.rnn, random.dropout = rnn, dropout
    try:
        yield
    finally:
        backend.rnn, random.dropout = before


def drawn_seed(seed: Any) -> Any:
    """The next seed of a generator, as Keras's own layers draw it."""
    draw = member("keras.src.random.seed_generator", "draw_seed")
    return member("keras.src.backend.tensorflow.random", "_cast_seed")(draw(seed))


def open_shape(variable: Any, shape: tuple[int | None, ...]) -> None:
    """Has Keras take values of this shape for a variable, None for any number."""
    attribute(variable, "_shape")
    variable._shape = shape


def logits(out: Any) -> Any:
    """What crossentropies find behind a softmax or sigmoid (`keras.src.backend.tensorflow.nn._get_logits`), if it is noted."""
    return getattr(out, "_keras_logits", None)


def set_monitor(stopper: keras.callbacks.EarlyStopping) -> None:
    """Has it choose how it compares, which it otherwise does at the end of the first epoch."""
    attribute(stopper, "_set_monitor_op")()


def shuffled_batches(rows: Any, batch_size: int) -> Any:
    """The dataset that `model.fit` makes of arrays, in the order of the seed that was set."""
    adapter = member("keras.src.trainers.data_adapters.array_data_adapter", "ArrayDataAdapter")
    return adapter(rows, batch_size=batch_size, shuffle=True).get_tf_dataset()


def inner_models(model: keras.Model) -> Iterator[keras.Model]:
    """The model and those in it."""
    return (part for part in layers(model) if isinstance(part, keras.Model))


# ---- what every trial goes through, with or without the name


def output(model: keras.Model) -> Any:
    """What the model puts out, as `keras.KerasTensor`s in its own structure; None if only tracing it can tell.

    One that computes in a `call` of its own does not know.
    """
    with contextlib.suppress(Missing):
        kinds = (keras.Sequential, member("keras.src.models.functional", "Functional"))
        if model.built and any(isinstance(model, kind) and type(model).call is kind.call for kind in kinds):
            inner = attribute(model, "_functional") if isinstance(model, keras.Sequential) else model
            return attribute(inner, "_outputs_struct") if inner is not None else None
    return None


def inner_optimizer(optimizer: Any) -> Any:
    """The optimizer itself, or the one that a `LossScaleOptimizer` wraps, which has the settings."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def set_learning_rate(optimizer: Any, rate: Any) -> None:
    """Sets a number or a schedule, whatever was there; in public Keras refuses a number in place of a schedule."""
    own = inner_optimizer(optimizer)
    try:
        own.learning_rate = rate
    except (TypeError, AttributeError):
        track = attribute(own, "_track_variable")
        own._learning_rate = keras.Variable(float(rate), name="learning_rate", trainable=False)
        track(own._learning_rate)


def serves_others(optimizer: Any, model: keras.Model) -> bool:
    """Whether an optimizer was built for other weights than the model's, so that it cannot train it."""
    if not getattr(optimizer, "built", False):
        return False
    with contextlib.suppress(Missing):
        known = {id(variable) for variable in attribute(inner_optimizer(optimizer), "_trainable_variables")}
        return not known.intersection(map(id, model.trainable_variables))
    return True


def build_metrics(model: keras.Model, x: Any, y: Any) -> None:
    """Has a compiled model's metrics made for such inputs and labels, `keras.KerasTensor`s, as `fit` does before it trains.

    Raises:
        Missing: nothing does that but `fit`.
    """
    attribute(model, "_symbolic_build", "looking ahead")(data_batch=(x, y, None))


def generators() -> Callable[[], None]:
    """Notes where Keras's own random state stands, and begins to count names from the start; returns what sets both back.

    The state: the generator that is drawn from without a seed, and the seed that was set.
    """
    get = member("keras.src.backend.common.global_state", "get_global_attribute")
    put = member("keras.src.backend.common.global_state", "set_global_attribute")
    uids = "object_name_uids"
    names = (
        _key_of_generator(),
        member("keras.src.utils.rng_utils", "GLOBAL_RANDOM_SEED"),
        uids,
    )
    before = [get(name) for name in names]
    generator = before[0]
    state = None if generator is None else np.asarray(generator.state)
    put(uids, None)

    def restore() -> None:
        for name, value in zip(names, before, strict=True):
            put(name, value)
        if generator is not None:
            generator.state.assign(state)

    return restore


def _key_of_generator() -> str:
    """What Keras's own generator goes by among its global attributes; before 3.13 that was a word within a function."""
    if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 13):
        return "global_seed_generator"
    return str(member("keras.src.random.seed_generator", "GLOBAL_SEED_GENERATOR"))


def make_known(things: Mapping[str, Any]) -> None:
    """Makes objects that the user registered known by their names, where Keras has none of that name.

    `keras.activations.get("swoosh")`, and its like for losses, metrics and initialisers, ask their own tables and not the
    registry (3.15).
    """
    for package in ("activations", "initializers", "losses", "metrics", "regularizers"):
        with contextlib.suppress(Missing):
            table = member(f"keras.src.{package}", "ALL_OBJECTS_DICT")
            for name, thing in things.items():
                if table.get(name) is None or getattr(table[name], "__module__", "").partition(".")[0] != "keras":
                    table[name] = thing


# ---- layers that learn by `adapt`


def lookup(layer: Any) -> Any:
    """The part of a text or lookup layer that holds its vocabulary, the layer itself perhaps; None for any other."""
    if isinstance(layer, keras.layers.TextVectorization):
        return attribute(layer, "_lookup_layer")
    return layer if isinstance(layer, (keras.layers.StringLookup, keras.layers.IntegerLookup)) else None


def thaw(layer: Any) -> None:
    """Lets the vocabulary of such a layer grow or shrink although a model was made with it."""
    part = lookup(layer)
    if part is not None and hasattr(part, "_frozen_vocab_size"):
        part._frozen_vocab_size = None


@contextlib.contextmanager
def called_as(layers: Sequence[Any], how: Callable[..., Any]) -> Iterator[None]:
    """Whenever one of these layers is called, `how(layer, call, *arguments)` is called in place of its `call`."""
    for layer in layers:
        layer.call = partial(how, layer, layer.call)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call
