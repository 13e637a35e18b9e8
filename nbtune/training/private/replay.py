"""A traced function's graph run again with tensors in place of its variables: state in, state out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from nbtune.training.private.missing import attribute, member

Values = dict[int, Any]  # of variables, by `id` of the Keras variable


class NotPure(Exception):
    """It does more than compute and assign variables that are known; the message says what."""


class Traced(NamedTuple):
    """A function that was traced with real variables.

    Attributes:
        graph: its `FuncGraph`.
        outputs: the structure that it returned, as tensors of the graph.
        captured: tensors of the graph to what they stand for outside.
    """

    graph: Any
    outputs: Any
    captured: Sequence[tuple[Any, Any]]


def trace(function: Callable[..., Any], *like: Any) -> Traced:
    """Traces it as Keras traces a step, without AutoGraph.

    Args:
        like: nested `tf.TensorSpec`s.
    """
    graph = tf.function(function, autograph=False).get_concrete_function(*like).graph
    return Traced(graph, graph.structured_outputs, list(attribute(graph, "captures")))


def replay(traced: Traced, given: Sequence[Any], values: Values, variables: Sequence[Any]) -> tuple[Any, Values]:
    """What the function returns for other arguments where its variables have these values, and which they have then.

    Raises:
        NotPure: a variable that is not among these, or an operation with effects.
    """
    handles = {id(attribute(variable.value, "handle")): id(variable) for variable in variables}
    run = _Run(dict(values))
    arguments = attribute(traced.graph, "inputs")[: len(given)]
    known: dict[int, Any] = {id(inside): part for inside, part in zip(arguments, given, strict=True)}
    for outside, inside in traced.captured:
        is_variable = inside.dtype == tf.resource
        if is_variable and id(outside) not in handles:
            raise NotPure("a variable that Keras does not know")
        known[id(inside)] = handles[id(outside)] if is_variable else outside
    run.through(traced.graph, known)
    flat = [known[id(part)] for part in tf.nest.flatten(traced.outputs)]
    return tf.nest.pack_sequence_as(traced.outputs, flat), run.values


class _Run:
    """Goes through operations in the order in which they were written down, which is that of the program."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def through(self, graph: Any, known: dict[int, Any]) -> None:
        """Args: known: what tensors of the graph are, by `id`; a variable's handle is its number."""
        for operation in graph.get_operations():
            if operation.type == "Placeholder" or operation.type in _LEFT_OUT:
                continue
            inputs = [known[id(part)] for part in operation.inputs]
            for out, value in zip(operation.outputs, self._outputs(operation, inputs), strict=True):
                known[id(out)] = value

    def _outputs(self, operation: tf.Operation, inputs: list[Any]) -> Sequence[Any]:
        kind = operation.type
        if kind in _CALLS:
            return self._called(operation, operation.get_attr("f"), inputs)
        if kind in ("If", "StatelessIf"):
            return self._either(operation, inputs)
        if kind in _ON_VARIABLES and isinstance(inputs[0], int):
            return self._on_variable(kind, inputs[0], inputs[1:])
        if kind in ("Identity", "StopGradient") and isinstance(inputs[0], int):
            return inputs
        if operation.op_def.is_stateful or any(isinstance(part, int) for part in inputs):
            raise NotPure(f"the operation {kind}, which does more than compute ({operation.name})")
        return _again(operation, inputs)

    def _on_variable(self, kind: str, variable: int, inputs: list[Any]) -> Sequence[Any]:
        before = self.values[variable]
        if kind == "ReadVariableOp":
            return [before]
        if kind == "VariableShape":
            return [tf.shape(before)]
        if kind == "ResourceGather":
            return [tf.gather(before, inputs[0])]
        self.values[variable] = _ON_VARIABLES[kind](before, *inputs)
        return []

    def _called(self, operation: tf.Operation, name: Any, inputs: Sequence[Any]) -> Sequence[Any]:
        graph = attribute(operation.graph, "_get_function")(name.name.encode()).graph
        known = {id(inside): part for inside, part in zip(attribute(graph, "inputs"), inputs, strict=True)}
        self.through(graph, known)
        return [known[id(out)] for out in attribute(graph, "outputs")]

    def _either(self, operation: tf.Operation, inputs: list[Any]) -> Sequence[Any]:
        """A condition, after which each variable has the value of the branch that was taken."""
        names = list(self.values)

        def branch(name: str) -> Callable[[], Any]:
            def run() -> Any:
                own = _Run(dict(self.values))
                outs = own._called(operation, operation.get_attr(name), inputs[1:])
                return [tf.identity(out) for out in outs], [tf.identity(own.values[one]) for one in names]

            return run

        outs, values = tf.cond(inputs[0], branch("then_branch"), branch("else_branch"))
        self.values = dict(zip(names, values, strict=True))
        return list(outs)


def _again(operation: tf.Operation, inputs: list[Any]) -> Sequence[Any]:
    create = member("tensorflow.python.ops.parallel_for.pfor", "_create_op")
    return list(create(operation.type, inputs, [out.dtype for out in operation.outputs], operation.node_def.attr).outputs)


def _scattered(update: Callable[..., Any]) -> Callable[..., Any]:
    return lambda before, indices, rows: update(before, indices[..., None], rows)


_LEFT_OUT = ("NoOp", "Assert")
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_ON_VARIABLES: Mapping[str, Any] = {
    "ReadVariableOp": None,
    "VariableShape": None,
    "ResourceGather": None,
    "AssignVariableOp": lambda before, value: tf.cast(value, before.dtype),
    "AssignAddVariableOp": lambda before, value: before + value,
    "AssignSubVariableOp": lambda before, value: before - value,
    "ResourceScatterAdd": _scattered(tf.tensor_scatter_nd_add),
    "ResourceScatterSub": _scattered(tf.tensor_scatter_nd_sub),
    "ResourceScatterUpdate": _scattered(tf.tensor_scatter_nd_update),
}


def is_of_metrics(model: keras.Model, names: Sequence[str]) -> bool:
    """Whether Keras takes an epoch's results from the model's metrics, and not from what the last step returned."""
    return set(names) == set(model.get_metrics_result())
