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
from nbtune.ask.completion import WORDS
from nbtune.ask.function import APPLIED_OUTSIDE, Function
from nbtune.ask.labels import Labels
from nbtune.ask.options import Options, flag
from nbtune.ask.space import Value
from nbtune.ask.values import Evaluate, read_values
from nbtune.errors import UsageError
from nbtune.record.progress import show

_NOT_ASKED = ("axis", "build", "data", "plan", "wait")  # the panel has its own ways for these
_EDITORS = {"layers": "range", "learning_rate": "log"}
_SUGGESTED = {  # values to begin with
    "layers": "1:3",
    "units": "16,32,64",
    "learning_rate": "log:1e-4:1e-2:3",
    "dropout": "0,0.2,0.5",
    "activation": "relu,tanh",
    "filters": "8,16,32",
    "kernel_size": "3,5",
}
_PATTERNS = {"range": r"\s*-?\d+:-?\d+(:\d+)?\s*", "log": r"\s*log:[^:,]+:[^:,]+:\d+\s*"}


@dataclass(frozen=True)
class Field:
    """One thing to fill in.

    Attributes:
        name: the option's, or that of a parameter of the function.
        label, help: for people.
        group: "axes", "data", "fitting" or "running".
        editor: "range", "log", "tags", "choice" (tags out of `choices`), "switch" or "text".
        text: as on a `%%tune` line; empty where it is left out.
        hint: what holds then.
        parameter: it is a parameter of the function and no option: `--axis NAME=...`.
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

    def shown(self) -> Field:
        """With an editor that can show its text: a list is no range."""
        fits = not self.text or re.fullmatch(_PATTERNS.get(self.editor, ".*"), self.text)
        return self if fits else replace(self, editor="tags")


def fields(function: Function, y: np.ndarray, texts: Mapping[str, Any] | None = None) -> list[Field]:
    """The fields for a function and labels, in the order of the option table.

    Args:
        y: labels, `(n,)` or `(n, k)`; they tell which losses fit.
        texts: what was typed before, as in `Options.texts`; None for suggestions, unless the function has values of its own.
    """
    found = []
    for name, option in Options.table().items():
        if name == "axis":
            found += _parameters(function, texts)
        elif name not in _NOT_ASKED and _is_taken(name, option.metadata["group"], function):
            found.append(_option_field(name, option, y, {} if texts is None and function.takes_hp else texts))
    return [field.shown() for field in found]


def _is_taken(name: str, group: str, function: Function) -> bool:
    """Layers and units are parameters like others; what is applied outside needs no parameter."""
    if group != "axes" or name in APPLIED_OUTSIDE or function.parameters is None:
        return True
    return name in function.parameters


def _option_field(name: str, option: Any, y: np.ndarray, texts: Mapping[str, Any] | None) -> Field:
    group = option.metadata["group"]
    choices = tuple(sorted(_fitting(WORDS.get(flag(name), ()), name, y)))
    editor = _EDITORS.get(name, "text")
    if group == "axes" and name not in _EDITORS:
        editor = "choice" if choices else "tags"
    if option.default is False:
        editor = "switch"
    label = name.replace("_", " ").replace("init", "initialiser")
    default = option.default
    says = re.search(r"\((.+) if left out\)", option.metadata["help"]) or re.match(r"(auto)\|", option.metadata["metavar"])
    hint = show(default) if isinstance(default, (int, float, str)) else says[1] if says else ""
    text = _SUGGESTED.get(name, "") if texts is None and group == "axes" else (texts or {}).get(name, "")
    text = "on" if text is True else str(text or "")
    return Field(name, label, option.metadata["help"], group, editor, text, hint, choices)


def _fitting(words: Any, name: str, y: np.ndarray) -> list[str]:
    if name != "loss":
        return list(words)
    return [loss for loss in words if not _misfit(loss, y)]


def _misfit(loss: str, y: np.ndarray) -> bool:
    try:
        labels = Labels.of(y, [loss])
    except UsageError:
        return True
    return loss in names.NUMBER_LOSSES and labels.are_classes and loss != "mean_squared_error"


def _parameters(function: Function, texts: Mapping[str, Any] | None) -> list[Field]:
    """A field for each parameter that is no option."""
    if function.takes_hp or function.parameters is None:
        return []
    typed = dict(pair.split("=", 1) for pair in (texts or {}).get("axis", []))
    own = [name for name in function.parameters if name not in Options.table() or name == "axis"]
    return [
        parameter_field(name, _SUGGESTED.get(name, "") if texts is None and must else typed.get(name, ""), must)
        for name in own
        for must in [function.parameters[name]]
    ]


def parameter_field(name: str, text: str = "", must: bool = False, own: Sequence[Value] = ()) -> Field:
    """The field of a parameter; `own`: the values that a KerasTuner function has for it."""
    hint = hint_of(own) if own else "" if must else "the function's default"
    return Field(name, name.replace("_", " "), f"values of the parameter {name}", "axes", "tags", text, hint, parameter=True)


def hint_of(own: Sequence[Value]) -> str:
    """The values that a function has by itself."""
    return ", ".join(map(show, own))


def texts_of(filled: Sequence[Field]) -> dict[str, Any]:
    """What was filled in, as `Options.read` returns it."""
    texts: dict[str, Any] = {}
    for field in filled:
        if field.parameter and field.text.strip():
            texts.setdefault("axis", []).append(f"{field.name}={field.text}")
        elif field.editor == "switch" and field.text:
            texts[field.name] = True
        elif field.text.strip():
            texts[field.name] = field.text
    return texts


def mistakes(filled: Sequence[Field], evaluate: Evaluate) -> dict[str, str]:
    """Name to what is wrong, for each field whose text is not right by itself."""
    found = {}
    for field in filled:
        try:
            Options.typed(texts_of([field]), evaluate)
        except UsageError as error:
            found[field.name] = str(error)
    return found


def blamed(message: str, filled: Sequence[Field]) -> str:
    """The field that a message is about; "" for none."""
    for field in filled:
        marks = (rf"{flag(field.name)}\b(?!-)", rf"--axis {field.name}\b", rf"'{field.name}'", rf"^{field.name}\b")
        if any(re.search(mark, message) for mark in marks):
            return field.name
    return ""


def listed(field: Field) -> Field:
    """With its values one by one, to be edited as a list."""
    try:
        values = read_values(field.text) if field.text.strip() else []
    except UsageError:
        return replace(field, editor="tags")
    return replace(field, editor="tags", text=",".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values))


def cell_text(name: str, build: str, data: str, filled: Sequence[Field]) -> str:
    """The cell that starts the same search: one line, as the function has been defined already."""
    words = ["%%tune", *([name] if name != "search" else []), "--build", build, "--data", _quoted(data)]
    for key, text in texts_of(filled).items():
        for one in text if isinstance(text, list) else [text]:
            words += [flag(key)] if one is True else [flag(key), _quoted(one)]
    return " ".join(words)


def _quoted(text: str) -> str:
    return f'"{text}"' if re.search(r"\s", text) and '"' not in text else text


@dataclass(frozen=True)
class Step:
    """The grid with one more axis: `total` combinations, `seconds` if the time of one is known."""

    name: str
    values: int
    total: int
    seconds: float | None


def growth(axes: Mapping[str, int], seconds_each: float | None = None) -> list[Step]:
    """How a grid grows, axis by axis; `axes` leads from a name to its number of values."""
    steps, total = [], 1
    for name, values in axes.items():
        total *= values
        steps.append(Step(name, values, total, None if seconds_each is None else seconds_each * total))
    return steps


def product_line(axes: Mapping[str, int]) -> str:
    """`3 × 3 × 3 × 2 = 54`."""
    total = int(np.prod(list(axes.values()), dtype=object)) if axes else 1
    return f"{' × '.join(map(str, axes.values())) or 'no axis'} = {total:,}"
