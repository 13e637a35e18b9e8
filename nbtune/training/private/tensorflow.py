"""What is private in TensorFlow and used here, in this module alone. Seen in TensorFlow 2.16 to 2.21."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from nbtune.training.private.missing import Missing, attribute, member

_PFOR = "tensorflow.python.ops.parallel_for.pfor"


@functools.cache
def teach_vectorized_map() -> None:
    """What `tf.vectorized_map` lacks for Keras's models; once a process.

    Without, it refuses to look words and numbers up in tables, and goes through the trials one after another for `Bitcast`, which
    accuracies need, and `ZerosLike`, which recurrent layers need: the same numbers in more time. Measured with TensorFlow 2.21 on
    2 cores, stacks of 6: masked bidirectional LSTM and GRU 22.4 → 20.3 s of processor time, half of it by either; batch
    normalisation 5.2 → 4.9 s.
    """
    with contextlib.suppress(Missing):
        known = member(_PFOR, "_pfor_converter_registry")
        known.setdefault("Bitcast", _bitcast)
        known.setdefault("LookupTableFindV2", _looked_up)
        known["ZerosLike"] = _zeros_like  # TensorFlow's own makes no lists
        for kind in ("PartitionedCall", "StatefulPartitionedCall"):
            known[kind] = _call(known[kind])


def _bitcast(call: Any) -> Any:
    """Of one element to another; Keras's `argmax`, and so its accuracies, go through it."""
    return member(_PFOR, "wrap")(tf.bitcast(_stacked(call), attribute(call, "get_attr")("type")), True)


def _zeros_like(call: Any) -> Any:
    """Of a list of tensors as well, which the gradient of a recurrent layer asks for.

    The lists of all trials are one list of stacked tensors, so zeros like it are the stacked zeros.
    """
    wrap, stacked = member(_PFOR, "wrap"), _stacked(call)
    if stacked.dtype == tf.variant:
        return wrap(tf.raw_ops.ZerosLike(x=stacked), True)
    return wrap(tf.zeros(tf.shape(stacked)[1:], stacked.dtype), False)


def _looked_up(call: Any) -> Any:
    """In a table that all trials share, as `IntegerLookup` and `StringLookup` have it."""
    unstacked, (keys, of_each, _) = attribute(call, "unstacked_input"), attribute(call, "input")(1)
    found = tf.raw_ops.LookupTableFindV2(table_handle=unstacked(0), keys=keys, default_value=unstacked(2))
    return member(_PFOR, "wrap")(found, of_each)


def _stacked(call: Any) -> Any:
    return attribute(call, "stacked_input")(0)


def captured_here(tensors: Sequence[Any]) -> list[Any]:
    """What tensors from outside of the function that is being traced are inside of it."""
    graph = tf.compat.v1.get_default_graph()
    return [attribute(graph, "capture")(tensor) for tensor in tensors]


def traced(function: Callable[..., Any], like: Sequence[Any], captured: Sequence[Any] = ()) -> tuple[Any, list[Any]]:
    """The graph of a function of tensors like these, and what else it takes, behind them: `captured` first."""

    def all_captured(*given: Any) -> Any:
        captured_here(captured)
        return function(*given)

    specs = [tf.TensorSpec(part.shape, part.dtype) for part in like]
    found = tf.function(all_captured, autograph=False).get_concrete_function(*specs)
    return found, list(found.captured_inputs)


def run(graph: Any, given: Sequence[Any]) -> list[Any]:
    """What a `traced` function makes of tensors, and of others in place of what it captured."""
    return list(attribute(attribute(graph, "inference_fn"), "call_flat")(*given))


def run_all(graph: Any, given: Sequence[Any], of_each: Sequence[bool], trials: Any) -> list[Any]:
    """The same for all trials, which come first in those tensors that are `of_each`, and in all that comes of it."""
    inner, wrap = graph.graph, member(_PFOR, "wrap")
    mapped = member(_PFOR, "PFor")(
        loop_var=tf.compat.v1.placeholder_with_default(0, []),
        loop_len=trials,
        pfor_ops=inner.get_operations(),
        fallback_to_while_loop=True,
        all_indices=tf.range(trials),
    )
    for inside, part, own in zip(inner.inputs, given, of_each, strict=True):
        attribute(mapped, "_add_conversion")(inside, wrap(part, own))
    return [mapped.convert(out) for out in inner.outputs]


def as_one_call(function: Callable[..., Any], of_all: Callable[..., Any], given: Sequence[Any]) -> list[Any]:
    """A function of tensors, in whose place `vectorized_map` takes another one, of the tensors of all trials.

    Args:
        of_all: takes the tensors, which of them are of each trial, with the trials first, and how many trials there are; what it
            returns is of each.
    """
    found = traced(function, given)[0]
    found.graph.nbtune_of_all = of_all
    return list(found(*given))


def called(operation: Any) -> list[Any]:
    """The graphs of the functions that an operation calls."""
    values = [operation.get_attr(each.name) for each in operation.op_def.attr if each.type in ("func", "list(func)")]
    named = [part for value in values for part in (value if isinstance(value, list) else [value]) if part.name]
    return [attribute(operation.graph, "_get_function")(part.name.encode()).graph for part in named]


def _call(otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Of a function `as_one_call`, or of any other."""

    def convert(call: Any) -> Any:
        name = attribute(call, "get_attr")("f").name
        graph = attribute(attribute(call, "op").graph, "_get_function")(name.encode()).graph
        of_all = getattr(graph, "nbtune_of_all", None)
        if of_all is None:
            return otherwise(call)
        inputs, trials = attribute(call, "inputs"), attribute(attribute(call, "pfor"), "loop_len_vector")[0]
        known = tf.get_static_value(trials)
        found = of_all([part.t for part in inputs], [part.is_stacked for part in inputs], trials if known is None else int(known))
        return [member(_PFOR, "wrap")(part, True) for part in found]

    return convert


def generators() -> Callable[[], None]:
    """Notes where TensorFlow's own random generators stand; returns what sets them back."""
    eager = member("tensorflow.python.eager.context", "context")()
    seed, generator = attribute(eager, "_seed"), attribute(eager, "_rng")
    set_seed = attribute(eager, "_set_global_seed")
    state = generator.getstate() if generator is not None else None

    def restore() -> None:
        set_seed(seed)  # forgets the kernels that count from the seed set meanwhile
        eager._rng = generator
        if generator is not None:
            generator.setstate(state)

    return restore
