"""Keras's and TensorFlow's objects: their configuration, their weights, and what is the user's own in them.

Nothing is imported here: an object of a library that is not loaded cannot exist.
"""

from __future__ import annotations

import dis
import functools
import inspect
import json
import os
import re
import sys
import tempfile
import types
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

import numpy as np

from nbtune.ask.surroundings import of_tensorflow
from nbtune.data.content.code import codes_within
from nbtune.data.content.graph import ATOMS, Node

_TENSORS = ("tensorflow", "keras", "jax", "jaxlib", "torch")
_SETTINGS = {"backend": "tensorflow", "floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
_GENERATOR = "seed_generator_state"  # whose first number, a seed that Keras may have made up, the configuration tells
_BY_USE = {"built", "_built", "name"}  # what an object has from being used or counted up
_LIMITS = ("max_epochs", "max_steps_per_epoch")  # of `fit`, which not every Keras has
_USUAL = {"determinism": False, "eager": False, "jit": "", "tensor_float_32": True}


def is_array(thing: Any) -> bool:
    """Whether it is a tensor or a variable that holds numbers."""
    kind = type(thing)
    return kind.__module__.partition(".")[0] in _TENSORS and hasattr(kind, "__array__") and kind.__name__ != "KerasTensor"


def is_configured(thing: Any, is_library: Callable[[str], object]) -> bool:
    """Whether it is an object of Keras that tells its configuration, or one of a class that the user derived from such."""
    owner = (cls for cls in type(thing).__mro__ if "get_config" in vars(cls) and is_library(cls.__module__))
    return next(owner, None) is not None


def configured(thing: Any, is_own: Callable[[Any], bool]) -> Node:
    """Its class, its configuration without the names that Keras made up, its state, and what of it is the user's own."""
    parts = [type(thing), _configuration(thing, is_own(type(thing)))]
    layers = layers_of(thing)
    parts += [list(map(_state, layers)) if layers else _variables(thing)]
    parts += [attributes(part, is_own) for part in layers or [thing]]
    parts += [[layer.trainable for layer in layers], trainable(thing), unconfigured(thing)]
    if getattr(thing, "compiled", False) and hasattr(thing, "get_compile_config"):
        parts += [getattr(thing, name, None) for name in ("optimizer", "loss")]
        parts.append(_without_names(thing.get_compile_config()))
    return Node(b"configured", parts)


def _configuration(thing: Any, own: bool) -> Any:
    try:
        config = thing.get_config()
    except NotImplementedError:
        if own:
            return None  # its attributes say it
        raise
    return _without_names({"class_name": type(thing).__name__, "config": config})


def attributes(thing: Any, is_own: Callable[[Any], bool]) -> dict[str, Any]:
    """What has been set on an object of Keras, and its configuration may not say."""
    whole, usual = is_own(type(thing)), set().union(*(_assigned_by(cls) for cls in type(thing).__mro__ if not is_own(cls)))
    held = ((name, _untracked(value)) for name, value in sorted(vars(thing).items()))
    return {name: value for name, value in held if _counts(name, value, whole, usual, is_own)}


def _untracked(value: Any) -> Any:
    """A list, set or dictionary that Keras watches, as it was set."""
    if type(value).__module__.partition(".")[0] != "keras":
        return value
    if isinstance(value, dict):
        return {name: _untracked(inner) for name, inner in value.items()}
    kind = next((kind for kind in (list, set) if isinstance(value, kind)), None)
    return kind(map(_untracked, value)) if kind else value


@functools.lru_cache(maxsize=1000)
def _assigned_by(cls: type) -> frozenset[str]:
    """The names of attributes that a class's own code assigns."""
    functions = (getattr(thing, "fset", None) or getattr(thing, "__func__", thing) for thing in vars(cls).values())
    made = [inspect.unwrap(function).__code__ for function in functions if isinstance(function, types.FunctionType)]
    steps = (step for code in made for part in codes_within(code) for step in dis.get_instructions(part))
    return frozenset(step.argval for step in steps if step.opname == "STORE_ATTR")


def trainable(thing: Any) -> list[bool]:
    """Whether each of its variables is to be trained, which can be set one by one."""
    return [bool(getattr(variable, "trainable", False)) for variable in getattr(thing, "variables", ())]


def layers_of(thing: Any) -> list[Any]:
    """A layer or model and the layers in it, at any depth: a model names its own, another layer has them as attributes."""
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(thing, keras.layers.Layer):
        return []
    found, seen, left = [], set(), [thing]
    while left:
        part = left.pop()
        if id(part) in seen:
            continue
        inner: list[Any] = []
        if isinstance(part, keras.layers.Layer):
            seen.add(id(part))
            found.append(part)
            inner = part.layers if isinstance(part, keras.Model) else list(vars(part).values())
        elif isinstance(part, (dict, list, tuple)):
            inner = list(part.values() if isinstance(part, dict) else part)
            seen.add(id(part))
        left.extend(reversed(inner))
    return found


def _state(layer: Any) -> list[Any]:
    """What Keras would save of a layer: its weights, and its vocabulary or other files."""
    store: dict[str, Any] = {}
    layer.save_own_variables(store)
    known = {id(weight) for weight in layer.weights}
    beside = [variable for variable in layer.variables if id(variable) not in known]
    store["beside"] = [np.asarray(each)[1:] if each.name == _GENERATOR else np.asarray(each) for each in beside]
    if not hasattr(layer, "save_assets"):
        return [store]
    with tempfile.TemporaryDirectory(prefix="nbtune-") as folder:
        layer.save_assets(folder)
        files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    return [store, files]


def _variables(thing: Any) -> list[Any]:
    """Of an optimizer or a metric; of a generator of seeds its state."""
    return [*getattr(thing, "variables", ()), *filter(is_array, [getattr(thing, "state", None)])]


def _counts(name: str, value: Any, whole: bool, usual: Container[str], is_own: Callable[[Any], bool]) -> bool:
    """Whether an attribute may say what the configuration does not: code of the user's own, and numbers and texts that no library
    has set, or that one has set on an object of a class of theirs.
    """
    if isinstance(value, (types.FunctionType, types.MethodType, functools.partial, type)):
        return is_own(value)
    if is_own(type(value)):
        return True
    if name not in usual and _is_plain(value) and (whole or value is not None):
        return True
    plain = isinstance(value, (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset)) or is_array(value)
    return whole and not name.startswith("_") and name != "name" and (plain or type(value).__module__ == "numpy")


def _is_plain(value: Any) -> bool:
    """Whether it is data, all through, and not only a place for some."""
    if isinstance(value, dict):
        return type(value) is dict and bool(value) and all(map(_is_plain, (*value, *value.values())))
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value) in (list, tuple, set, frozenset) and len(value) > 0 and all(map(_is_plain, value))
    return type(value) in ATOMS or type(value).__module__ == "numpy" or (is_array(value) and not hasattr(value, "assign"))


def unconfigured(thing: Any) -> dict[str, Any]:
    """Of an optimizer, a loss or a metric what is not so in one of its configuration: what has been set by a method, or
    afterwards, and settings that Keras's own class leaves out (the `delta` of `Huber`, the `axis` of `CosineSimilarity`).
    """
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(thing, (keras.optimizers.Optimizer, keras.Loss, keras.Metric)):
        return {}
    try:
        plain = _told(type(thing).from_config(thing.get_config()))
    except Exception:  # a class of the user's own need not tell all that it asks for
        plain = {}
    held = _told(thing)
    changed = {name: held[name] for name in held.keys() - _BY_USE if name not in plain or plain[name] != held[name]}
    return {name: value.pattern if isinstance(value, re.Pattern) else value for name, value in changed.items()}


def _told(thing: Any) -> dict[str, Any]:
    held = ((name, _untracked(value)) for name, value in sorted(vars(thing).items()))
    return {name: value for name, value in held if _is_told(value)}


def _is_told(value: Any) -> bool:
    if type(value) is dict:
        return all(map(_is_told, value.values()))
    return isinstance(value, (type(None), bool, int, float, str, re.Pattern))


def _without_names(config: Any) -> Any:
    """A configuration in which names that Keras has counted up are counted from the first, and lambdas have no code."""
    names: dict[str, str] = {}
    _find_names(config, names)
    return _renamed(config, names)


def _find_names(config: Any, names: dict[str, str]) -> None:
    if isinstance(config, dict):
        kind, inner = config.get("class_name"), config.get("config")
        name = inner.get("name") if isinstance(inner, dict) else None
        if isinstance(kind, str) and isinstance(name, str) and re.fullmatch(rf"{_snake_case(kind)}(_\d+)?", name):
            names.setdefault(name, f"{_snake_case(kind)} number {len(names)}")
        for value in config.values():
            _find_names(value, names)
    elif isinstance(config, (list, tuple)):
        for value in config:
            _find_names(value, names)


def _renamed(config: Any, names: dict[str, str]) -> Any:
    if isinstance(config, dict):
        if config.get("class_name") == "__lambda__":  # as compiled in a file, at a line; the function itself counts
            return None
        pairs = ((_renamed(key, names), _renamed(value, names)) for key, value in config.items() if key != "shared_object_id")
        return dict(pairs)
    if isinstance(config, (list, tuple)):
        return [_renamed(value, names) for value in config]
    return names.get(config, config) if isinstance(config, str) else config


def _snake_case(name: str) -> str:
    """As Keras makes a layer's name of its class's."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def surroundings(is_own: Callable[[Any], bool]) -> dict[str, Any]:
    """What Keras and TensorFlow have been told in this process, and what a model depends on; the same whether they are loaded
    yet or not.
    """
    keras = sys.modules.get("keras")
    if keras is None or not hasattr(keras, "config"):
        return {**_SETTINGS, **_from_file(), "policy": None, "objects": {}, **_of_tensorflow()}
    config = keras.config
    settings = {name: getattr(config, name)() for name in _SETTINGS}
    policy = config.dtype_policy()
    registered = keras.saving.get_custom_objects()
    own = {name: thing for name, thing in sorted(registered.items()) if is_own(thing)}
    settings |= {name: limit for name in _LIMITS if (limit := getattr(config, name, bool)())}
    settings |= _of_tensorflow()
    return {**settings, "policy": None if policy.name == settings["floatx"] else policy.get_config(), "objects": own}


def _of_tensorflow() -> dict[str, Any]:
    """What is not as TensorFlow has it from the start."""
    found = of_tensorflow()
    options = {name: value for name, value in found.pop("options", {}).items() if value or not name.startswith("disable_")}
    changed = {name: value for name, value in found.items() if value != _USUAL[name]}
    return changed | ({"options": options} if options else {})


def _from_file() -> dict[str, Any]:
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        found = json.loads((home / "keras.json").read_text())
        told = {name: found[name] for name in _SETTINGS if name in found}
    except (OSError, ValueError, TypeError):
        told = {}
    if "KERAS_BACKEND" in os.environ:
        told["backend"] = os.environ["KERAS_BACKEND"]
    return told
