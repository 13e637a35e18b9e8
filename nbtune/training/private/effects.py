"""What a training step does beside computing and assigning the variables of its model: nobody knows the state of that."""

from __future__ import annotations

import fnmatch
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from nbtune.training.private.missing import attribute, member

_REGISTRY = ("tensorflow.python.framework.op_def_registry", "get")
_GRAPHS = "_list_all_concrete_functions"
NEEDED_FOR = "going on in the middle of a trial"
# They keep nothing themselves: they work on variables, call functions, read the data, say something, or look something up.
_HARMLESS = (
    *("*PartitionedCall", "While", "If", "Case", "*ForLoop*", "Assert", "Print*", "NoOp", "CheckNumerics*"),
    *("ReadVariableOp", "Assign*VariableOp", "VariableShape", "VarIsInitializedOp", "Resource*", "DestroyResourceOp"),
    *("Iterator*", "*Iterator", "Optional*", "LookupTableFind*", "LookupTableSize*", "_Arg", "_Retval", "_Xla*"),
)


def hidden(step: Any, variables: Sequence[Any]) -> str | None:
    """What a model's `train_function` that has run keeps, or goes by, beside these variables; None if there is nothing.

    Raises:
        Missing: TensorFlow does not tell.
    """
    handles = {id(attribute(variable.value, "handle", NEEDED_FOR)) for variable in variables}
    for function in _traced(step):
        own = [v for v in function.graph.variables if id(attribute(v, "handle", NEEDED_FOR)) not in handles]
        if own:
            return f"the variable {own[0].name.partition(':')[0]!r}, which is none of the model's"
        kinds, known = set(_kinds(function.graph.as_graph_def())), member(*_REGISTRY, NEEDED_FOR)
        if odd := sorted(kind for kind in kinds if _keeps(kind, known(kind))):
            return f"the operation {odd[0]}, which may keep a state of its own"
    return None


def _traced(step: Any) -> Iterator[Any]:
    """The graphs of a function, which may be one of Python around those of TensorFlow."""
    inner = [part for part in (step, *inspect.getclosurevars(step).nonlocals.values()) if hasattr(part, _GRAPHS)]
    for part in inner:
        yield from getattr(part, _GRAPHS)()
    if not inner:
        attribute(step, _GRAPHS, NEEDED_FOR)


def _kinds(graph: Any) -> Iterator[str]:
    """Of all operations, those of functions that are called too."""
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        for node in nodes:
            yield node.op


def _keeps(kind: str, definition: Any) -> bool:
    """Args: definition: None for a call of a function, whose operations are seen as well."""
    return bool(definition and definition.is_stateful) and not any(fnmatch.fnmatchcase(kind, each) for each in _HARMLESS)
