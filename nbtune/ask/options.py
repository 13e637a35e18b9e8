"""What was asked for, and what the table of options says of all of them.

`%%tune` lines (`ask.parsing`) and the keywords of `nbtune.tune` both end in one `Options`, checked by one set of rules.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from nbtune.ask.option import Option, Reads, Results, flag
from nbtune.ask.space import Axis
from nbtune.ask.table import Table
from nbtune.errors import UsageError, about, did_you_mean, quoted


@dataclass(frozen=True)
class Options(Table):
    """Everything that can be asked for, checked. Made by `Options.of`, or from a line by `ask.parsing`."""

    texts: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # what was typed, to write it out again

    @classmethod
    def of(cls, **keywords: Any) -> Options:
        """Options from Python values: the keywords of `nbtune.tune`.

        Raises:
            UsageError: an unknown keyword, or a value that its option does not take.
        """
        checked = {}
        for name, value in keywords.items():
            if name not in table():
                raise UsageError(f"unknown option {name!r}{nearest(name)}", name)
            with about(name):
                checked[name] = _checked(table()[name], value)
        return cls(**checked)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes that were given, in grid order."""
        given = [getattr(self, option.name) for option in table().values() if option.is_axis]
        each = [part for one in given for part in (one if isinstance(one, tuple) else [one])]
        return tuple(axis for axis in each if axis is not None)

    @property
    def terms(self) -> dict[str, Any]:
        """Name to value of the options that are terms of the fit: another value retrains everything."""
        return {name: getattr(self, name) for name, option in table().items() if option.results is Results.AS_TERM}


def _checked(option: Option, value: Any) -> Any:
    """The value as it is kept. Arrays are data, or the values of an axis."""
    if getattr(value, "shape", ()) and not option.is_axis and option.reads is not Reads.EXPRESSION:
        raise UsageError(f"{option.name} takes no array, and this is one: {quoted(value)}")
    return option.check(option.name, value)


@cache
def table() -> dict[str, Option]:
    """Name to entry of every option, in the order of the help; axes are in grid order."""
    fields = [field for field in dataclasses.fields(Options) if "option" in field.metadata]
    return {field.name: dataclasses.replace(field.metadata["option"], name=field.name) for field in fields}


def flags() -> list[str]:
    """Every option as it is written on a line."""
    return [flag(name) for name in table()] + [f"--no-{name}" for name, option in table().items() if option.reads is Reads.YES_NO]


def nearest(word: str, spell: Callable[[str], str] = str) -> str:
    """A hint to the option that was probably meant, `spell`ed as the person would; "" where none is near."""
    name = word.lstrip("-").replace("-", "_").lower()
    for option in table().values():
        if name in option.aliases:
            return f"; did you mean {spell(option.name)!r}?"
    known = [*table(), *(f"no_{n}" for n, option in table().items() if option.reads is Reads.YES_NO)]
    hint = did_you_mean(name, known, cutoff=0.65)  # `last` is not `layers`
    return hint and f"; did you mean {spell(hint.split(chr(39))[1])!r}?"


AXES = tuple(name for name, option in table().items() if option.is_axis and option.reads is not Reads.PAIRS)
# These change how a model is compiled and fitted, so a function need not take them.
APPLIED_OUTSIDE = tuple(name for name, option in table().items() if option.applied_outside)
# These leave the shape of a model as it is.
SAME_ARCHITECTURE = tuple(name for name, option in table().items() if option.same_architecture)
