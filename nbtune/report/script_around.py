"""A function and what it reads from around it, written out as statements, each before those that use it."""

from __future__ import annotations

import builtins
import functools
import inspect
import math
import sys
import textwrap
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nbtune.ask.function import Function, global_values
from nbtune.data.content.keras import unconfigured
from nbtune.report.script_imports import import_module, import_thing
from nbtune.report.script_text import lambda_text, names_at_definition, text_of

MOST_NUMBERS = 64  # of an array that is written out


class Around:
    """Statements that give the names that a function uses the things that they stand for.

    Attributes:
        function: the expression that calls it.
        imports: lines, in no order.
        statements: one a class, function or value, in the order in which they can be run.
    """

    def __init__(self, function: Function) -> None:
        self.imports: set[str] = set()
        self.statements: list[str] = []
        holder = type(function.call.__self__) if isinstance(function.call, types.MethodType) else function.call
        self._own = getattr(inspect.unwrap(holder), "__module__", None)
        self._names: dict[str, Any] = {}  # what a name of the script stands for
        self._expressions: dict[int, str] = {}
        self._alive: list[Any] = []
        call = function.call
        try:
            self.function = self._expression(call, "build" if getattr(call, "__name__", "") == "<lambda>" else "")
        except _NotWritable:
            self.statements.append(f"# {function.name}: as in your notebook")
            self.function = function.name

    def use(self, name: str, thing: Any) -> None:
        """Has the script know one more thing by this name."""
        if name.isidentifier() and not self._clashes({name: thing}):
            self._read(name, thing)

    def register(self, custom_objects: Mapping[str, Any]) -> None:
        """Makes known to Keras what the text mentions of what the notebook has registered by name."""
        for name, thing in custom_objects.items():
            if any(quote + name.rpartition(">")[2] + quote in self.text for quote in "'\""):
                self._register(name, thing)

    def _register(self, name: str, thing: Any) -> None:
        try:
            text = self._expression(thing)
        except _NotWritable:
            self.statements.append(f"# {name}, which is registered with Keras: as in your notebook")
        else:
            self.statements.append(f"keras.saving.get_custom_objects()[{name!r}] = {text}")

    @property
    def text(self) -> str:
        """Definitions two lines apart, the values between them line below line."""
        parts: list[str] = []
        for statement in self.statements:
            is_value = "\n" not in statement
            if parts and is_value and "\n" not in parts[-1].rpartition("\n\n\n")[2]:
                parts[-1] += f"\n{statement}"
            else:
                parts.append(statement)
        return "\n\n\n".join(parts)

    # ---- names

    def _read(self, name: str, thing: Any) -> None:
        """Has `name` stand for `thing`."""
        if name in self._names and self._names[name] is thing:
            return
        if isinstance(thing, types.ModuleType):
            self.imports.add(import_module(name, thing))
        else:
            try:
                text = self._expression(thing, name)
            except _NotWritable:
                self.statements.append(f"# {name}: as in your notebook, {type(thing).__name__}")
            else:
                if text != name:
                    self.statements.append(f"{name} = {text}")
        self._names[name] = thing

    def _clashes(self, values: Mapping[str, Any]) -> bool:
        """Whether one of these names stands for something else already."""
        return any(name in self._names and self._names[name] is not thing for name, thing in values.items())

    def _free(self, name: str) -> str:
        """The name, or the next like it that stands for nothing yet."""
        number = 1
        while (found := name if number == 1 else f"{name}_{number}") in self._names:
            number += 1
        return found

    # ---- things

    def _expression(self, thing: Any, name: str = "") -> str:
        """Python that gives a thing, after the statements that it needs; `name`: what it is called, where that is known."""
        if id(thing) in self._expressions:
            return self._expressions[id(thing)]
        if thing is None or isinstance(thing, (bool, int, str, bytes)) or thing is Ellipsis:
            return repr(thing)
        if isinstance(thing, float):
            return repr(thing) if math.isfinite(thing) else f"float({str(thing)!r})"
        if type(thing) in (list, tuple, set, dict):
            return self._container(thing)
        if isinstance(thing, (np.generic, np.ndarray)):
            return _numbers(thing)
        self._alive.append(thing)  # as long as it is, no other thing has its id
        text = self._described(thing, name)
        self._expressions[id(thing)] = text
        return text

    def _container(self, thing: Any) -> str:
        if isinstance(thing, dict):
            pairs = [f"{self._expression(key)}: {self._expression(value)}" for key, value in thing.items()]
            return f"{{{', '.join(pairs)}}}"
        parts = ", ".join(map(self._expression, thing))
        if isinstance(thing, tuple):
            return f"({parts}{',' * (len(thing) == 1)})"
        return f"[{parts}]" if isinstance(thing, list) else f"{{{parts}}}" if thing else "set()"

    def _described(self, thing: Any, name: str) -> str:
        if isinstance(thing, functools.partial):
            self.imports.add("import functools")
            more = [self._expression(each) for each in thing.args]
            more += [f"{key}={self._expression(value)}" for key, value in thing.keywords.items()]
            return f"functools.partial({', '.join([self._expression(thing.func), *more])})"
        if isinstance(thing, types.MethodType):
            wrapped = thing == getattr(thing.__self__, "build", None)  # by a KerasTuner `HyperModel`
            return f"{self._expression(thing.__self__)}.{'build' if wrapped else thing.__name__}"
        if _is_builtin(thing):
            return str(thing.__name__)
        if self._is_imported(thing):
            called = self._free(name or thing.__name__)
            self.imports.add(import_thing(called, thing))
            self._names[called] = thing
            return called
        function = inspect.unwrap(thing) if callable(thing) and not inspect.isclass(thing) else thing
        if isinstance(function, types.FunctionType):
            return self._function(thing, function, name)
        if inspect.isclass(thing):
            return self._class(thing)
        return self._object(thing)

    def _is_imported(self, thing: Any) -> bool:
        source = getattr(thing, "__module__", None)
        named = inspect.isclass(thing) or inspect.isroutine(thing) or isinstance(thing, np.ufunc)
        return named and isinstance(source, str) and source not in (self._own, "builtins") and hasattr(thing, "__name__")

    def _function(self, thing: Any, function: types.FunctionType, name: str) -> str:
        if function.__code__.co_name == "<lambda>":
            self._read_all(global_values(function))
            text = lambda_text(function)
            if text is None:
                raise _NotWritable
            self._names[called := self._free(name or "build")] = thing
            self.statements.append(f"{called} = {text}")
            return called
        text, inner = text_of(function), function.__code__.co_name
        if text is None:
            raise _NotWritable
        around = {key: value for key, value in global_values(function).items() if value is not thing and key != "__class__"}
        enclosed = {key: around.pop(key) for key in function.__code__.co_freevars if key in around}
        called = self._free(inner)
        self._names[called] = self._names.get(called, thing)
        self._expressions[id(thing)] = called  # functions may call each other
        self._read_all({**around, **names_at_definition(text, function.__globals__)})
        if called == inner and not self._clashes(enclosed):
            self._read_all(enclosed)
            self.statements.append(text)
        else:
            self._enclosed(called, inner, text, enclosed)
        if function.__name__ != inner:
            self.statements.append(f"{called}.__name__ = {function.__name__!r}")
        return called

    def _enclosed(self, called: str, inner: str, text: str, values: Mapping[str, Any]) -> None:
        """A function among others of its name, or of the names that it reads: in a function that gives them to it."""
        maker = self._free(f"make_{called}")
        self._names[maker] = text
        given = ", ".join(f"{key}={self._expression(value)}" for key, value in values.items())
        body = textwrap.indent(f"{text}\n\nreturn {inner}", "    ")
        self.statements += [f"def {maker}({', '.join(values)}):\n{body}", f"{called} = {maker}({given})"]

    def _class(self, thing: type) -> str:
        text = text_of(thing)
        if text is None or (thing.__name__ in self._names and self._names[thing.__name__] is not thing):
            raise _NotWritable
        self._names[thing.__name__], self._expressions[id(thing)] = thing, thing.__name__
        for method in _functions(thing):
            self._read_all({key: value for key, value in global_values(method).items() if key != "__class__"})
        self._read_all(names_at_definition(text, vars(sys.modules[thing.__module__])))
        for base in thing.__bases__:
            if base is not object and not self._is_imported(base):
                self._expression(base)
        self.statements.append(text)
        return thing.__name__

    def _object(self, thing: Any) -> str:
        """One that can be made again from what it says of itself."""
        kind = type(thing)
        if hasattr(thing, "get_config") and hasattr(kind, "from_config"):
            if getattr(thing, "variables", None) and not hasattr(thing, "update_state"):
                raise _NotWritable  # its weights would be lost
            return f"{self._expression(kind)}.from_config({self._expression({**thing.get_config(), **_left_out(thing)})})"
        given = []
        parameters = _parameters(kind) if kind.__module__ == self._own else None
        if parameters is None:  # a tensor of the notebook's, or what else a library made
            raise _NotWritable
        for parameter in parameters.values():
            value = vars(thing).get(parameter.name, parameter.default) if hasattr(thing, "__dict__") else parameter.default
            if value is parameter.empty or parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
                raise _NotWritable
            if value is not parameter.default:
                given.append(f"{parameter.name}={self._expression(value)}")
        if not set(getattr(thing, "__dict__", {})) - _of_library(kind) <= set(parameters):
            raise _NotWritable
        return f"{self._expression(kind)}({', '.join(given)})"

    def _read_all(self, values: Mapping[str, Any]) -> None:
        for name, thing in values.items():
            self._read(name, thing)


def _left_out(thing: Any) -> dict[str, Any]:
    """Arguments that a loss or metric of Keras's does not tell in its configuration."""
    held = unconfigured(thing).items()
    given = dict(pair for name, value in held for pair in (value.items() if isinstance(value, dict) else [(name, value)]))
    if not set(given) <= set(inspect.signature(type(thing)).parameters):
        raise _NotWritable
    return given


class _NotWritable(Exception):
    """There is no text that makes this thing again."""


def _is_builtin(thing: Any) -> bool:
    return bool(getattr(builtins, getattr(thing, "__name__", ""), None) is thing)


def _functions(kind: type) -> Iterator[types.FunctionType]:
    for part in vars(kind).values():
        function = getattr(part, "fget", None) or getattr(part, "__func__", part)
        function = inspect.unwrap(function) if callable(function) else function
        if isinstance(function, types.FunctionType):
            yield function


def _parameters(kind: type) -> Mapping[str, inspect.Parameter] | None:
    """Those of its constructor; None where it tells none, as one that is written in C may."""
    try:
        return inspect.signature(kind).parameters
    except ValueError:
        return None


def _of_library(kind: type) -> set[str]:
    """What a KerasTuner `HyperModel` has of itself."""
    is_hypermodel = any(base.__module__.startswith("keras_tuner") for base in kind.__mro__)
    return {"name", "tunable", "build", "_build"} if is_hypermodel else set()


def _numbers(thing: Any) -> str:
    if thing.size > MOST_NUMBERS or thing.dtype.kind not in "biuf" or not np.isfinite(thing).all():
        raise _NotWritable
    if thing.ndim == 0:
        return f"np.{thing.dtype.name}({thing.item()!r})" if thing.dtype.kind != "b" else repr(bool(thing))
    return f"np.array({thing.tolist()!r}, dtype={thing.dtype.name!r})"
