"""The search space: axes, and every combination of their values in grid order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, overload

from nbtune.errors import UsageError, quoted

Value = int | float | str | bool
_KINDS = {int: "whole numbers", float: "numbers", str: "text", bool: "True or False"}


class Architecture(NamedTuple):
    """What is known of a combination's model.

    Attributes:
        name: equal where models can be trained together.
        size: how many numbers its variables hold.
        depth: how many hidden layers alike it has in a row; in a stack the others are padded to the widest of each depth.
    """

    name: str
    size: int
    depth: int = 0


@dataclass(frozen=True)
class Axis:
    """One hyperparameter and its values, all of one kind: whole numbers, numbers, text or booleans.

    Callables, Keras objects and None stand in `values` by their names; `objects` leads from the name to the thing itself.
    """

    name: str
    values: tuple[Value, ...]
    objects: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, name: str, values: Any) -> Axis:
        """An axis from one value or any sequence of values.

        Raises:
            UsageError: no value, a value twice, values of several kinds, or one that a KerasTuner `Choice` cannot hold.
        """
        if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__") or getattr(values, "shape", None) == ():
            values = [values]
        things = [_plain(value) for value in values]
        by_name = any(thing is None for thing in things)  # KerasTuner has no None among numbers, so they stand by names too
        itself = (str,) if by_name else (bool, int, float, str)
        objects: dict[str, Any] = {}
        plain = [thing if isinstance(thing, itself) else _named(name, thing, objects) for thing in things]
        return cls(name, _of_one_kind(name, plain), objects)

    def choice(self) -> dict[str, Any]:
        """This axis as the configuration of a `keras_tuner.engine.hyperparameters.Choice`."""
        ordered = not isinstance(self.values[0], (str, bool))
        config = {"name": self.name, "default": None, "conditions": [], "values": list(self.values), "ordered": ordered}
        return {"class_name": "Choice", "config": config}


def _plain(value: Any) -> Any:
    """Without NumPy's or a tensor's wrapping of a single number."""
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


def _named(axis: str, thing: Any, objects: dict[str, Any]) -> str:
    if isinstance(thing, (Mapping, Sequence, set)):
        raise UsageError(f"{axis}: {quoted(thing)} cannot be a value; use numbers, text, True, False, None or functions")
    if thing is None or isinstance(thing, (bool, int, float)):
        objects[str(thing)] = thing
        return str(thing)
    name = getattr(thing, "__name__", None) or getattr(thing, "name", None) or type(thing).__name__
    label = next(n for n in itertools.chain([name], (f"{name}_{i}" for i in itertools.count(2))) if n not in objects)
    objects[label] = thing
    return label


def _of_one_kind(name: str, values: list[Value]) -> tuple[Value, ...]:
    if not values:
        raise UsageError(f"{name} has no values; give at least one, like {name}=[1, 2]")
    kinds = {type(v) for v in values}
    if kinds == {int, float}:
        values, kinds = [_float(v) for v in values], {float}
    if len(kinds) > 1:
        one, other = values[0], next(v for v in values if type(v) is not type(values[0]))
        shown = f"{_KINDS[type(one)]} and {_KINDS[type(other)]} ({quoted(one)} and {quoted(other)})"
        raise UsageError(f"{name} mixes {shown}; keep to one kind")
    if any(isinstance(v, float) and not math.isfinite(v) for v in values):
        raise UsageError(f"{name} has a value that is not a finite number")
    seen: set[Value] = set()
    for value in values:
        if value in seen:
            raise UsageError(f"{name} has {value!r} twice; each value once is enough")
        seen.add(value)
    return tuple(values)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond all floats
        return math.inf


class Grid(Sequence[dict[str, Value]]):
    """The full cross product of some axes, the last one varying fastest; nothing is stored."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self.axes = tuple(axes)

    def __len__(self) -> int:
        return self.size

    @property
    def size(self) -> int:
        """As `len`, which ends at 2**63."""
        return math.prod(len(axis.values) for axis in self.axes)

    def places(self, number: int) -> list[int]:
        """The place of each axis's value in a combination."""
        found = []
        for axis in reversed(self.axes):
            number, place = divmod(number, len(axis.values))
            found.append(place)
        return found[::-1]

    def __iter__(self) -> Iterator[dict[str, Value]]:
        names = [axis.name for axis in self.axes]
        for values in itertools.product(*(axis.values for axis in self.axes)):
            yield dict(zip(names, values, strict=True))

    @overload
    def __getitem__(self, index: int) -> dict[str, Value]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Value]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Value] | list[dict[str, Value]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        places = self.places(range(len(self))[index])
        return {axis.name: axis.values[place] for axis, place in zip(self.axes, places, strict=True)}


class Part(Sequence[dict[str, Value]]):
    """Some combinations of a larger sequence, by their numbers in it."""

    def __init__(self, whole: Sequence[dict[str, Value]], numbers: Sequence[int]) -> None:
        self._whole, self._numbers = whole, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> dict[str, Value]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Value]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Value] | list[dict[str, Value]]:
        if isinstance(index, slice):
            return [self._whole[number] for number in self._numbers[index]]
        return self._whole[self._numbers[index]]


@dataclass(frozen=True)
class Space:
    """The axes, every combination that is to be trained once, and KerasTuner's description of the axes.

    Attributes:
        combinations: in grid order. Of a grid that is trained as a whole nothing is stored.
        config: `HyperParameters.space`.
        architectures: that of each combination's model, or None where it is not known.
        excluded, unsampled: how many combinations of the grid `--where` and `--sample` leave out.
    """

    axes: tuple[Axis, ...]
    combinations: Sequence[dict[str, Value]]
    config: tuple[dict[str, Any], ...]
    architectures: tuple[Architecture | None, ...] | None = field(default=None, repr=False)
    excluded: int = 0
    unsampled: int = 0

    @classmethod
    def product(cls, axes: Sequence[Axis]) -> Space:
        """The full cross product of independent axes."""
        return cls(tuple(axes), Grid(axes), tuple(axis.choice() for axis in axes))

    @classmethod
    def listed(
        cls,
        combinations: Sequence[dict[str, Value]],
        config: Sequence[dict[str, Any]],
        architectures: Sequence[Architecture | None] | None = None,
    ) -> Space:
        """The combinations that a KerasTuner function asks for, where one choice may open or close others."""
        names = dict.fromkeys(name for values in combinations for name in values)
        found = {name: tuple(dict.fromkeys(v[name] for v in combinations if name in v)) for name in names}
        axes = tuple(Axis(name, values) for name, values in found.items())
        return cls(axes, tuple(combinations), tuple(config), tuple(architectures) if architectures else None)

    def part(self, numbers: Sequence[int], excluded: int) -> Space:
        """These combinations alone; of the others so many are excluded."""
        known = self.architectures and tuple(self.architectures[number] for number in numbers)
        combinations = Part(self.combinations, numbers)
        unsampled = len(self) - len(numbers) - excluded
        return replace(self, combinations=combinations, architectures=known, excluded=excluded, unsampled=unsampled)

    def __len__(self) -> int:
        return len(self.combinations)

    def __iter__(self) -> Iterator[dict[str, Value]]:
        return iter(self.combinations)

    @property
    def is_product(self) -> bool:
        return len(self) == math.prod(len(axis.values) for axis in self.axes)

    def hyperparameters(self, values: Mapping[str, Value] | None = None) -> dict[str, Any]:
        """The configuration of a `keras_tuner.HyperParameters` with this space and these values."""
        return {"space": [dict(hp) for hp in self.config], "values": dict(values or {})}
