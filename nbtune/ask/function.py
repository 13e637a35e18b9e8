"""The user's model-building function seen from outside: its name, its parameters, its text. Keras is not needed here."""

from __future__ import annotations

import inspect
import linecache
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbtune.ask.option import flag
from nbtune.ask.options import APPLIED_OUTSIDE, AXES
from nbtune.ask.space import Axis
from nbtune.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Function:
    """A plain function, or KerasTuner's `build(hp)`.

    Attributes:
        call: the function.
        name: as the user calls it.
        takes_hp: it has a parameter `hp`, or one annotated `HyperParameters`.
        parameters: name to whether it must be given; None where it takes any keyword.
        fit: a `HyperModel`'s own `fit(hp, model, *args, **kwargs)`; None where it is KerasTuner's.
        sources: file or cell name to its text, for tracebacks in a worker.
    """

    call: Callable[..., Any]
    name: str
    takes_hp: bool
    parameters: dict[str, bool] | None
    sources: dict[str, str] = field(default_factory=dict, repr=False)
    fit: Callable[..., Any] | None = None

    @classmethod
    def of(cls, build: Any) -> Function:
        """Raises UsageError where `build` is no function, or takes `*args`."""
        if inspect.isclass(build) and callable(getattr(build, "build", None)):
            raise UsageError(f"build is the class {build.__name__}; give an instance of it, {build.__name__}()")
        if hasattr(build, "get_weights"):
            raise UsageError(f"build must be a function that returns a Keras model, not a model itself ({type(build).__name__})")
        if not inspect.isroutine(build) and hasattr(build, "build"):  # a keras_tuner.HyperModel
            return _hypermodel(cls, build)
        if not callable(build):
            raise UsageError(f"build must be a function that returns a Keras model, not {type(build).__name__}")
        name = getattr(build, "__name__", type(build).__name__)
        try:
            signature = inspect.signature(build)
        except (TypeError, ValueError):
            raise UsageError(f"the parameters of {name} cannot be read; wrap it in a def of your own") from None
        found = signature.parameters.values()
        takes_hp = any(p.name == "hp" or "HyperParameters" in str(p.annotation) for p in found)
        if any(p.kind in (p.VAR_POSITIONAL, p.POSITIONAL_ONLY) for p in found):
            raise UsageError(f"{name}: parameters must have names that values can be given to")
        parameters = {p.name: p.default is p.empty for p in found if p.kind is not p.VAR_KEYWORD}
        if len(parameters) < len(found) and not takes_hp:
            return cls(build, name, takes_hp, None, _sources(build))
        return cls(build, name, takes_hp, parameters, _sources(build))

    def check(self, axes: Sequence[Axis]) -> None:
        """Raises UsageError where an axis has no parameter to go to, or a parameter no value."""
        names = [axis.name for axis in axes]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"{name} is given twice; one list holds all of its values", name)
        if self.takes_hp or self.parameters is None:
            return
        for name in names:
            if name not in self.parameters and name not in APPLIED_OUTSIDE:
                takes = f"it takes {', '.join(self.parameters)}" if self.parameters else "it takes no parameters"
                hint = did_you_mean(name, self.parameters) or f"; {takes}"
                raise UsageError(f"{self.name} has no parameter {name!r} for the axis {name}{hint}", name)
        for name, required in self.parameters.items():
            if required and name not in names:
                how = f"{flag(name)} VALUES" if name in AXES else f"--axis {name}=VALUES"
                raise UsageError(f"{self.name} needs {name!r} and no axis gives it; add {how}, or give it a default", name)

    def arguments(self, values: dict[str, Any]) -> dict[str, Any]:
        """Those of the values that a plain function takes."""
        return values if self.parameters is None else {name: v for name, v in values.items() if name in self.parameters}


def _hypermodel(kind: type[Function], hypermodel: Any) -> Function:
    own = next((base for base in type(hypermodel).__mro__ if "fit" in vars(base)), None)
    is_own = own is not None and own.__module__.partition(".")[0] != "keras_tuner"
    methods = [type(hypermodel).build, *([type(hypermodel).fit] if is_own else [])]
    sources = {name: text for method in methods for name, text in _sources(method).items()}
    fit = hypermodel.fit if is_own else None
    return kind(hypermodel.build, type(hypermodel).__name__, True, {"hp": True}, sources, fit)


def _sources(function: Any) -> dict[str, str]:
    """The texts of the function and of the user's functions that it calls, as this process knows them."""
    names = dict.fromkeys(code.__code__.co_filename for code in user_functions(function))
    return {name: "".join(linecache.getlines(name)) for name in names}


def user_functions(function: Any, seen: set[int] | None = None) -> Iterator[types.FunctionType]:
    """The function, then every function of its own module that it reaches by name, each once."""
    seen = set() if seen is None else seen
    function = inspect.unwrap(getattr(function, "__func__", function))
    if not isinstance(function, types.FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    yield function
    for thing in global_values(function).values():
        if not isinstance(thing, types.ModuleType) and getattr(thing, "__module__", None) == function.__module__:
            yield from user_functions(thing, seen)


def global_values(function: types.FunctionType) -> dict[str, Any]:
    """Name to value of what a function reads from around it, closures included."""
    found = inspect.getclosurevars(function)
    inner = (name for code in _inner_codes(function.__code__) for name in code.co_names)
    deeper = {name: function.__globals__[name] for name in inner if name in function.__globals__}
    return {**deeper, **found.globals, **found.nonlocals}


def _inner_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """The functions within a function, at any depth."""
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield inner
            yield from _inner_codes(inner)
