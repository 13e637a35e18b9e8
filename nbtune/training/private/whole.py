"""Keras's objects as a pickle writes them with all that they hold.

Keras itself pickles a configuration and the weights. That leaves out what a method has set (`exclude_from_weight_decay`), what a
class of one's own keeps beside its configuration, where a dropout's generator stands, and which single weights are frozen; and it
reads no class that is not registered. So here an object is written attribute by attribute. A layer with a vocabulary alone, which
TensorFlow holds, goes Keras's way.
"""

from __future__ import annotations

import collections
import io
import pickle
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

import cloudpickle

from nbtune.training.private.missing import attribute, member

_SENDING = "sending what Keras made to the workers"
_MADE_ANEW = ("train_function", "test_function", "predict_function", "history")  # by `fit` and its like
_OF_WEIGHTS: dict[str, Any] = {  # what an optimizer knows of single ones, by their `id`
    **{"built": False, "_trainable_variables": [], "_trainable_variables_indices": {}},
    **{"_exclude_from_weight_decay": set(), "_exclude_from_weight_decay_cache": {}},
}
_NODES = ("_inbound_nodes", "_outbound_nodes")

Reduced = tuple[Any, ...]


def reduced(thing: Any) -> Reduced | None:
    """What `__reduce__` would return for one of Keras's objects; None for any other. Keras is not imported for that.

    Raises:
        ValueError: an optimizer leaves weights out of the decay that are not known by their names.
    """
    keras = sys.modules.get("keras")
    if keras is None or not hasattr(keras, "Operation"):
        return None
    kind = type(thing)
    if kind.__module__ == "keras.src.utils.tracking":
        return _tracking(thing)
    if kind.__name__ == "DynamicBackend":
        return kind, (attribute(thing, "_backend", _SENDING),)
    if isinstance(thing, keras.optimizers.Optimizer):
        return _optimizer(thing)
    if isinstance(thing, member("keras.src.models.functional", "Functional", _SENDING)):
        return _blank, (kind,), _graph(thing), None, None, _connected
    if isinstance(thing, keras.Layer) and hasattr(thing, "save_assets"):
        return None
    if isinstance(thing, (keras.Operation, keras.Loss, keras.Metric)):
        return _blank, (kind,), _attributes(thing), None, None, _filled
    return None


def copied(thing: Any) -> Any:
    """Another object like it, of the same classes and functions, with variables of its own."""
    file, shared = io.BytesIO(), list[Any]()
    _Copier(file, shared).dump(thing)
    return _Copy(io.BytesIO(file.getvalue()), shared).load()


class _Copier(cloudpickle.CloudPickler):
    def __init__(self, file: io.BytesIO, shared: list[Any]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_id(self, thing: Any) -> int | None:
        if not isinstance(thing, (type, types.FunctionType, types.ModuleType)):
            return None
        self._shared.append(thing)
        return len(self._shared) - 1

    def reducer_override(self, thing: Any) -> Any:
        return reduced(thing) or super().reducer_override(thing)


class _Copy(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, shared: list[Any]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, place: int) -> Any:
        return self._shared[place]


def _blank(kind: type) -> Any:
    return object.__new__(kind)


def _attributes(thing: Any) -> dict[str, Any]:
    """Without what TensorFlow keeps beside them for its own way of saving, and without the graphs that it is part of."""
    held = {name: value for name, value in vars(thing).items() if not name.startswith("_self_")}
    held |= {name: None for name in _MADE_ANEW if name in held}
    held |= {name: [] for name in _NODES if name in held}
    empty: dict[str, Any] = {"_compiled_trainable_state": {}, "_loss_ids": set()}
    return held | {name: value for name, value in empty.items() if name in held}


def _filled(made: Any, attributes: Mapping[str, Any]) -> None:
    vars(made).update(attributes)
    if isinstance(made, attribute(sys.modules["keras"], "Operation")):
        _count(made.name)


def _count(name: str) -> None:
    """Has Keras give no other operation this name, if it is one that it counts up."""
    known = member("keras.src.backend.common.global_state", "get_global_attribute", _SENDING)
    uids = known("object_name_uids", default=collections.defaultdict(int), set_to_default=True)
    prefix, mark, number = name.rpartition("_")
    kind, used = (prefix, int(number) + 1) if mark and number.isdigit() else (name, 1)
    uids[kind] = max(uids.get(kind, 0), used)


# ---- collections that note which variables and layers are put into them


def _tracking(thing: Any) -> Reduced | None:
    kind = type(thing)
    if isinstance(thing, (list, dict, set)):
        plain = next(base for base in (list, dict, set) if isinstance(thing, base))
        return kind.__new__, (kind,), (plain(thing), vars(thing)), None, None, _collected
    return (_blank, (kind,), vars(thing), None, None, _tracker) if kind.__name__ == "Tracker" else None


def _collected(made: Any, state: tuple[Any, dict[str, Any]]) -> None:
    values, attributes = state
    (list.extend if isinstance(made, list) else type(values).update)(made, values)
    vars(made).update(attributes)


def _tracker(made: Any, attributes: Mapping[str, Any]) -> None:
    """What is in its stores it knows by `id`, which is another one in each process."""
    vars(made).update(attributes)
    made.stored_ids = {name: {id(value) for value in store} for name, (_, store) in made.config.items()}


# ---- models that were put together from symbolic tensors


def _graph(model: Any) -> tuple[list[Any], list[tuple[Any, int, Any]], dict[str, Any]]:
    """Its operations, without nodes, then its nodes: each before what refers to it, so that a deep one is no deep pickle."""
    key, known = member("keras.src.ops.function", "make_node_key", _SENDING), attribute(model, "_nodes", _SENDING)
    operations = list(model.operations)
    every = ((each, i, node) for each in operations for i, node in enumerate(_nodes(each)) if key(each, i) in known)
    return operations, list(every), {name: value for name, value in _attributes(model).items() if name != "_nodes"}


def _nodes(operation: Any) -> Iterator[Any]:
    return iter(attribute(operation, "_inbound_nodes", _SENDING))


def _connected(model: Any, state: tuple[list[Any], list[tuple[Any, int, Any]], dict[str, Any]]) -> None:
    """Keras knows the nodes of a model by the `id` of their operation, and their place there."""
    _, nodes, attributes = state
    _filled(model, attributes)
    key = member("keras.src.ops.function", "make_node_key", _SENDING)
    for operation, place, node in nodes:
        own = operation._inbound_nodes
        own.extend([None] * (place + 1 - len(own)))  # it may be part of other models too
        own[place] = node
    for _, _, node in nodes:
        for tensor in node.input_tensors:
            if before := attribute(tensor, "_keras_history", _SENDING).operation:
                before._outbound_nodes.append(node)
    model._nodes = {key(operation, place) for operation, place, _ in nodes}


# ---- optimizers


def _optimizer(thing: Any) -> Reduced:
    """One that was built for a model's weights goes without what it keeps for these: it will be given others."""
    if getattr(thing, "_exclude_from_weight_decay", None) and not thing.built:
        raise ValueError("by exclude_from_weight_decay(var_list=...) it knows variables that only this process has")
    held = {name: value for name, value in _attributes(thing).items() if name not in ("_distribution_strategy", "_tracker")}
    held |= {name: empty for name, empty in _OF_WEIGHTS.items() if name in held}
    held |= {name: [] if isinstance(value, list) else {} for name, value in held.items() if _holds_variables(value)}
    own = [each for each in attribute(thing, "_variables") if each is thing._iterations or each is thing._learning_rate]
    (predicate, _) = attribute(thing, "_tracker").config["variables"]
    return _blank, (type(thing),), ({**held, "_variables": own}, predicate), None, None, _placed


def _holds_variables(thing: Any) -> bool:
    kind = attribute(sys.modules["keras"], "Variable")
    held = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else ()
    return any(isinstance(each, kind) for each in held)


def _placed(made: Any, state: tuple[dict[str, Any], Any]) -> None:
    """What it tracks, and where TensorFlow puts variables, is for each process to say."""
    attributes, predicate = state
    vars(made).update(attributes)
    made._tracker = member("keras.src.utils.tracking", "Tracker", _SENDING)({"variables": (predicate, made._variables)})
    made._tracker.stored_ids["variables"].update(map(id, made._variables))
    if "tensorflow" in sys.modules:
        made._distribution_strategy = sys.modules["tensorflow"].distribute.get_strategy()
