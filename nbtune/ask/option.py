"""What there is to know of one option: how it is read, checked, shown and applied, and whether it changes results."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

Check = Callable[[str, Any], Any]
Values: TypeAlias = Iterable[Any] | str | float | Callable[..., Any] | None  # of an axis: one, or several

GROUPS = {"axes": "Axes", "data": "Data", "fitting": "Fitting", "combinations": "Which combinations", "running": "Running"}
EDITORS = ("range", "log", "tags", "choice", "select", "switch", "text")


class Results(Enum):
    """How an option changes what a trial gives, which decides whether an earlier result still holds."""

    AS_VALUE = "it is an axis: a trial's own value of it tells the trials apart"
    AS_CONTENT = "the content of the function or the data is compared"
    AS_TERM = "its value is one of the terms of the fit, and another value retrains everything"
    UNCHANGED = "it changes which trials run, where, or what is shown, but no trial's numbers"


class Reads(Enum):
    """How an option is written on a line."""

    VALUE = "--epochs 3, with {expression} and $name"
    EXPRESSION = "--data x,y: Python in the user's namespace"
    ADDRESS = "--dask tcp://host:8786, or as EXPRESSION: --dask client"
    PAIRS = "--axis dropout=0,0.2: may be repeated"
    TEXT = "--where layers * units <= 128: up to the next option"
    SWITCH = "--fresh"
    YES_NO = "--wait and --no-wait"


class Place(Enum):
    """Where the set-up panel has the option's field."""

    FIRST = "in sight"
    FURTHER = "under Further settings"
    NOWHERE = "the panel has its own way for it"


def as_is(name: str, value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option. Whatever lists options, in whatever form, derives from these.

    Attributes:
        group: one of `GROUPS`, in whose order and under whose titles options are listed everywhere.
        metavar: what stands for its value in the help.
        help: a sentence without its full stop.
        type: its annotation in the signature of `nbtune.tune`.
        help_in_python: what `nbtune.tune` says of it, where that is something else.
        results: how it changes results. It has no default, so that nobody forgets it.
        check: from (name, value as typed or as a Python object) to the value as it is kept; raises UsageError.
        reads: how it is written on a line.
        left_out: what holds where it is left out, if the default does not say it.
        choices: words that it takes; where `check` takes others too, the usual ones.
        aliases: what people call it elsewhere, for the hint after a misspelling.
        editor: "range", "log", "tags", "choice" (tags out of `choices`), "select" (one of `choices`), "switch" or "text".
        label: in the panel; the name with blanks if left out.
        place: where the panel has its field.
        suggestion: what the panel begins with, as on a line.
        configurable: `%config NbTune` can set a default. What belongs to a single cell cannot.
        applied_outside: an axis that nbtune applies to the model, so that the function need not take it.
        same_architecture: an axis whose values leave the shape of a model and its training step as they are.
        name, default: as in the table.
    """

    group: str
    metavar: str
    help: str
    type: str
    results: Results
    help_in_python: str = ""
    check: Check = as_is
    reads: Reads = Reads.VALUE
    left_out: str = ""
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    editor: str = "text"
    label: str = ""
    place: Place = Place.FURTHER
    suggestion: str = ""
    configurable: bool = True
    applied_outside: bool = False
    same_architecture: bool = False
    name: str = ""
    default: Any = None

    @property
    def flag(self) -> str:
        return flag(self.name)

    @property
    def is_axis(self) -> bool:
        return self.group == "axes"

    @property
    def shown_default(self) -> str:
        """What holds where it is left out, in words; "" where there is nothing to say."""
        if self.left_out or self.default is None or self.default is False or self.default == ():
            return self.left_out
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)


def entry(default: Any = None, **facts: Any) -> Any:
    """A field of a table of options: a dataclass field that carries its `Option`."""
    return dataclasses.field(default=default, metadata={"option": Option(default=default, **facts)})


def axis_entry(**facts: Any) -> Any:
    """The entry of an option that is an axis."""
    defaults: dict[str, Any] = {"group": "axes", "metavar": "VALUES", "type": "Values", "results": Results.AS_VALUE}
    return entry(None, **{**defaults, "editor": "tags", "place": Place.FIRST, **facts})


def flag(name: str) -> str:
    """`learning_rate` as it is written on a line: `--learning-rate`."""
    return "--" + name.replace("_", "-")
