"""The options as a form to fill in: which fields there are for a function and its data, and what their texts amount to.

Every field holds a text as it would stand on a `%%tune` line, so that one parser and one set of rules read both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nbtune.ask import names
from nbtune.ask.function import Function
from nbtune.ask.labels import Labels
from nbtune.ask.option import GROUPS, Option, Place, Reads, flag
from nbtune.ask.options import table
from nbtune.ask.parsing import DEFAULT_NAME, typed
from nbtune.ask.space import Value
from nbtune.ask.values import Evaluate, read_values
from nbtune.errors import UsageError
from nbtune.record.progress import show

_SUGGESTED = {  # values to begin with, for parameters that many functions have
    "dropout": "0,0.2,0.5",
    "activation": "relu,tanh",
    "filters": "8,16,32",
    "kernel_size": "3,5",
}
_SHOWS = {"range": r"\s*-?\d+:-?\d+(:\d+)?\s*", "log": r"\s*log:[^:,]+:[^:,]+:\d+\s*"}  # texts that an editor can show


@dataclass(frozen=True)
class Field:
    """One thing to fill in.

    Attributes:
        name: the option's, or that of a parameter of the function.
        label, help: for people.
        group: the title of its group.
        editor: as `Option.editor`.
        text: as on a `%%tune` line; empty where it is left out.
        hint: what holds then.
        choices: what "choice" and "select" offer.
        parameter: it is a parameter of the function and no option: `--axis NAME=...`.
        first: in sight, and not under Further settings.
    """

    name: str
    label: str
    help: str
    group: str
    editor: str
    text: str = ""
    hint: str = ""
    choices: tuple[str, ...] = ()
    parameter: bool = False
    first: bool = False

    def shown(self) -> Field:
        """With an editor that can show its text: a list is no range."""
        if not self.text or re.fullmatch(_SHOWS.get(self.editor, ".*"), self.text):
            return self
        return replace(self, editor="tags")


def fields(function: Function, y: Any, texts: Mapping[str, Any] | None = None) -> list[Field]:
    """The fields for a function and labels, in the order of the option table.

    Args:
        y: labels, which tell the losses that fit where they are one array.
        texts: what was typed before, as in `Options.texts`; None for suggestions, unless the function has values of its own.
    """
    found = []
    for option in table().values():
        if option.reads is Reads.PAIRS:
            found += _parameters(function, texts)
        elif option.place is not Place.NOWHERE and _is_taken(option, function):
            found.append(_option_field(option, y, {} if texts is None and function.takes_hp else texts))
    return [field.shown() for field in found]


def _is_taken(option: Option, function: Function) -> bool:
    """Layers and units are parameters like others; what is applied outside needs no parameter."""
    if not option.is_axis or option.applied_outside or function.parameters is None:
        return True
    return option.name in function.parameters


def _option_field(option: Option, y: Any, texts: Mapping[str, Any] | None) -> Field:
    text = option.suggestion if texts is None else texts.get(option.name, "")
    return Field(
        option.name,
        option.label or option.name.replace("_", " "),
        option.help,
        GROUPS[option.group],
        option.editor,
        _switched(option, text) if option.editor == "switch" else str(text or ""),
        option.shown_default,
        tuple(choice for choice in option.choices if option.name != "loss" or _fits(choice, y)),
        first=option.place is Place.FIRST,
    )


def _switched(option: Option, text: Any) -> str:
    return "on" if (text is True if isinstance(text, bool) else option.default) else ""


def _fits(loss: str, y: Any) -> bool:
    if not isinstance(y, np.ndarray):  # of several outputs, or none
        return True
    try:
        labels = Labels.of(y, [loss])
    except UsageError:
        return False
    return loss not in names.NUMBER_LOSSES or not labels.are_classes or loss == "mean_squared_error"


def _parameters(function: Function, texts: Mapping[str, Any] | None) -> list[Field]:
    """A field for each parameter that is no option."""
    if function.takes_hp or function.parameters is None:
        return []
    given = dict(pair.split("=", 1) for pair in (texts or {}).get("axis", []))
    own = [name for name in function.parameters if name not in table() or name == "axis"]
    return [
        parameter_field(name, _SUGGESTED.get(name, "") if texts is None and must else given.get(name, ""), must)
        for name in own
        for must in [function.parameters[name]]
    ]


def parameter_field(name: str, text: str = "", must: bool = False, own: Sequence[Value] = ()) -> Field:
    """The field of a parameter; `own`: the values that a KerasTuner function has for it."""
    hint = hint_of(own) if own else "" if must else "the function's default"
    help = f"values of the parameter {name}"
    return Field(name, name.replace("_", " "), help, "axes", "tags", text, hint, parameter=True, first=True)


def hint_of(own: Sequence[Value]) -> str:
    """The values that a function has by itself."""
    return ", ".join(map(show, own))


def texts_of(filled: Sequence[Field]) -> dict[str, Any]:
    """What was filled in, as `parsing.read` returns it."""
    texts: dict[str, Any] = {}
    for field in filled:
        if field.parameter and field.text.strip():
            texts.setdefault("axis", []).append(f"{field.name}={field.text}")
        elif field.editor == "switch":
            if bool(field.text) is not table()[field.name].default:
                texts[field.name] = bool(field.text)
        elif field.text.strip():
            texts[field.name] = field.text
    return texts


def mistakes(filled: Sequence[Field], evaluate: Evaluate) -> dict[str, str]:
    """Name to what is wrong, for each field whose text is not right by itself."""
    found = {}
    for field in filled:
        try:
            typed(texts_of([field]), evaluate)
        except UsageError as error:
            found[field.name] = str(error)
    return found


def listed(field: Field) -> Field:
    """With its values one by one, to be edited as a list."""
    try:
        values = read_values(field.text) if field.text.strip() else []
    except UsageError:
        return replace(field, editor="tags")
    return replace(field, editor="tags", text=",".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values))


def with_value(field: Field, value: Value) -> Field:
    """With one value more, in a list of them."""
    field = listed(field)
    return replace(field, text=",".join(filter(None, [field.text, show(value)])))


def cell_text(name: str, build: str, data: str, filled: Sequence[Field]) -> str:
    """The cell that starts the same search: one line, as the function has been defined already."""
    words = ["%%tune", *([name] if name != DEFAULT_NAME else []), "--build", build, "--data", _quoted(data)]
    for key, text in texts_of(filled).items():
        for one in text if isinstance(text, list) else [text]:
            words += [flag(key) if one else flag(f"no_{key}")] if isinstance(one, bool) else [flag(key), _quoted(one)]
    return " ".join(words)


def _quoted(text: str) -> str:
    return f'"{text}"' if re.search(r"\s", text) and '"' not in text else text


@dataclass(frozen=True)
class Growth:
    """The grid with one more axis: `total` combinations, `seconds` if the time of one is known."""

    name: str
    values: int
    total: int
    seconds: float | None


def growth(axes: Mapping[str, int], seconds_each: float | None = None) -> list[Growth]:
    """How a grid grows, axis by axis; `axes` leads from a name to its number of values."""
    steps, total = [], 1
    for name, values in axes.items():
        total *= values
        steps.append(Growth(name, values, total, None if seconds_each is None else seconds_each * total))
    return steps


def product_line(axes: Mapping[str, int]) -> str:
    """`3 × 3 × 3 × 2 = 54`."""
    total = int(np.prod(list(axes.values()), dtype=object)) if axes else 1
    return f"{' × '.join(map(str, axes.values())) or 'no axis'} = {total:,}"
