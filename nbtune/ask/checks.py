"""What an option accepts: each check takes a name and a value, text or Python, and returns the value as it is kept."""

from __future__ import annotations

import ast
import contextlib
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from nbtune.ask import names
from nbtune.ask.objective import Objective
from nbtune.ask.option import Check
from nbtune.ask.space import Axis
from nbtune.ask.values import read_value, read_values
from nbtune.ask.where import Where
from nbtune.costs import SHARED_MB, WORKER_MB
from nbtune.errors import UsageError, about, did_you_mean, quoted

CheckValue = Callable[[str, Any], None]
NONE: Mapping[Any, Any] = {"none": None, "None": None, None: None}


def axis(check_value: CheckValue, spell: Callable[[str], str] = str) -> Check:
    """Values of an axis, each of which passes `check_value`; `spell` puts text into its usual spelling."""

    def check(name: str, values: Any) -> Axis | None:
        if values is None or isinstance(values, Axis):
            return values
        values = _spelled(read_values(values) if isinstance(values, str) else values, spell)
        for value in _plain(values):
            check_value(name, value)  # before kinds are compared: "'relu' is not a number" says more than "mixed kinds"
        axis = Axis.of(name, values)
        for value in axis.values:
            if value not in axis.objects:
                check_value(name, value)
        return axis

    return check


def _spelled(values: Any, spell: Callable[[str], str]) -> Any:
    return [spell(v) if isinstance(v, str) else v for v in values] if isinstance(values, (list, tuple)) else values


def _plain(values: Any) -> list[Any]:
    """The values of a list that stand for themselves, and not for a thing with a name."""
    return [v for v in values if v is None or isinstance(v, (bool, int, float, str))] if isinstance(values, (list, tuple)) else []


def count(least: int) -> CheckValue:
    def check(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise UsageError(f"{name}: {quoted(value)} is not a whole number of {least} or more{range_hint(value)}")

    return check


def range_hint(value: Any) -> str:
    """For `1-3`, `1..3` and `range(1, 4)`, which people write for a range, `8;16` for a list, and `1e2` for a whole number."""
    if isinstance(value, float) and value.is_integer():
        return f"; write {value:.0f}"
    if not isinstance(value, str):
        return ""
    if python := re.fullmatch(r"range\((\d+), ?(\d+)\)", value):
        return f"; a range is written {python[1]}:{int(python[2]) - 1}"
    if ";" in value:
        return f"; values have commas between them: {value.replace(';', ',')}"
    first, mark, last = value.partition(".." if ".." in value else "-")
    is_range = mark and first.strip().isdecimal() and last.strip().isdecimal()
    return f"; a range is written {first.strip()}:{last.strip()}" if is_range else ""


def rate(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or value <= 0:
        low, dots, high = str(value).partition("..")
        hint = f"; values between are written log:{low}:{high}:3" if dots else range_hint(value)
        hint = "; a decimal number has a point, as 0.001" if value == 0 else hint
        raise UsageError(f"{name}: {quoted(value)} is not a number above 0{hint}")


def one_of(known: Iterable[str]) -> CheckValue:
    def check(name: str, value: Any) -> None:
        text = str(value)
        if text in names.ELSEWHERE and names.ELSEWHERE[text] in known:
            raise UsageError(f"{name}: Keras calls {text!r} {names.ELSEWHERE[text]!r}")
        if not isinstance(value, str) or names.canonical(text.lower()) not in known:
            hint = did_you_mean(text.lower(), known) or f"; Keras has {', '.join(sorted(known))}"
            raise UsageError(f"{name}: unknown {name} {quoted(value)}{hint}")

    return check


def keras_names(known: Iterable[str]) -> Check:
    return axis(one_of(known), lambda name: names.SPELLED.get(name.lower(), name.lower()))


def whole(least: int, also: Mapping[Any, Any] | None = None, most: int | None = None) -> Check:
    """A whole number, or one of the words in `also`, for what they stand for."""

    def check(name: str, value: Any) -> Any:
        value = read_value(value) if isinstance(value, str) else value
        if also and (isinstance(value, str) or value is None) and value in also:
            return also[value]
        count(least)(name, value)
        if most is not None and value > most:
            raise UsageError(f"{name}: {quoted(value)} is too large; the largest is {most:,}")
        return int(value)

    return check


def number(low: float, below: float = float("inf")) -> Check:
    def check(name: str, value: Any) -> float:
        value = read_value(value) if isinstance(value, str) else value
        if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) < below:
            bounds = f"of {low:g} or more" + (f" and below {below:g}" if below != float("inf") else "")
            raise UsageError(f"{name}: {quoted(value)} is not a number {bounds}")
        return float(value)

    return check


def share(name: str, value: Any) -> float:
    """A part of a whole, below 1; for what is written in per cent, the message says the share."""
    given = read_value(value.strip().removesuffix("%")) if isinstance(value, str) else value
    try:
        return number(0, 1)(name, value)
    except UsageError as error:
        is_percent = isinstance(given, (int, float)) and 1 < given < 100
        raise UsageError(f"{error}{f'; for {given:g} % write {given / 100:g}' if is_percent else ''}") from None


def objective(name: str, value: Any) -> Objective | None:
    """The name of a metric, a `keras_tuner.Objective`, or a list of either, of which the first ranks."""
    if value is None or isinstance(value, Objective):
        return value
    given = value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else [value]
    found = [_objective(name, each) for each in given]
    if not found:
        raise UsageError(f"{name}: the list is empty; write val_accuracy, or max:val_my_metric")
    return replace(found[0], also=tuple(each.name for each in found[1:]))


def frequency(name: str, value: Any) -> int | tuple[int, ...]:
    """`fit`'s `validation_freq`: a whole number, or epochs counted from 1."""
    if isinstance(value, str):
        read = read_values(value)
        value = read if len(read) > 1 else read[0]
    if isinstance(value, (list, tuple, set, frozenset, range)) and value:
        for epoch in value:
            count(1)(name, epoch)
        return tuple(sorted({int(epoch) for epoch in value}))
    count(1)(name, value)
    return int(value)


def _objective(name: str, value: Any) -> Objective:
    if isinstance(value, Objective):
        return value
    if isinstance(value, str):
        return Objective.of(value.strip())
    text, direction = getattr(value, "name", None), getattr(value, "direction", None)  # a keras_tuner.Objective
    if isinstance(text, str):
        return Objective(text, direction) if direction in ("min", "max") else Objective.of(text)
    raise UsageError(f"{name}: {quoted(value)} is not the name of a metric; write val_accuracy, or max:val_my_metric")


def class_weight(name: str, value: Any) -> Axis | None:
    """None, "balanced" or a dict of class number to weight, or a list of those."""
    if value is None or isinstance(value, Axis):
        return value
    given = read_values(value) if isinstance(value, str) else value if isinstance(value, (list, tuple)) else [value]
    objects: dict[str, Any] = {}
    texts = []
    for each in given:
        if isinstance(each, str) and each.startswith("{"):
            with contextlib.suppress(SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
                each = ast.literal_eval(each)
        if isinstance(each, Mapping):
            text = ",".join(f"{number}:{weight:g}" for number, weight in _class_weights(name, each).items())
            objects[text] = dict(each)
        elif each is None or (isinstance(each, str) and each in ("none", "None", "balanced")):
            text = str(each).lower()
        else:
            raise UsageError(
                f"{name}: {quoted(each)} is neither none, balanced, nor a dict of class to weight like {{0: 1, 1: 5}}, which "
                "dict(enumerate(weights)) makes of weights in the order of the classes"
            )
        texts.append(text)
    return Axis(name, Axis.of(name, texts).values, objects)


def _class_weights(name: str, given: Mapping[Any, Any]) -> Mapping[Any, Any]:
    for number, weight in given.items():
        if isinstance(number, bool) or not isinstance(number, Integral) or number < 0:
            raise UsageError(f"{name}: {quoted(number)} is not the number of a class, 0 or more")
        if isinstance(weight, bool) or not isinstance(weight, Real) or not 0 <= float(weight) < math.inf:
            raise UsageError(f"{name}: class {number} has the weight {quoted(weight)}; give a number of 0 or more")
    return given


def factory(name: str, value: Any) -> Any:
    """A function that makes callbacks; one and the same callback would hand its state on from trial to trial."""
    if value is None or (callable(value) and not hasattr(value, "on_epoch_end")):
        return value
    raise UsageError(f"{name}: give a function that makes them anew for each trial, like lambda values: [...]")


def custom_axes(name: str, value: Any) -> tuple[Axis, ...]:
    if value is None or (isinstance(value, (list, tuple)) and all(isinstance(axis, Axis) for axis in value)):
        return tuple(value or ())
    if not isinstance(value, Mapping):
        raise UsageError(f"{name} must be a dict of names and values, like axis={{'dropout': [0, 0.2]}}")
    found = []
    for key, values in value.items():
        if not isinstance(key, str) or not key.isidentifier():
            raise UsageError(f"{name}: {key!r} cannot be the name of a parameter")
        with about(key):
            found.append(Axis.of(key, read_values(values) if isinstance(values, str) else values))
    return tuple(found)


def where(name: str, value: Any) -> Where | None:
    if not isinstance(value, (str, Where, type(None))):
        raise UsageError(f'{name}: {quoted(value)} is not an expression in text; write "layers * units <= 128"')
    return Where.of(value) if isinstance(value, str) else value


def choice(known: tuple[str, ...]) -> Check:
    def check(name: str, value: Any) -> str:
        if value not in known:
            raise UsageError(f"{name}: {quoted(value)} is not one of {', '.join(known)}{did_you_mean(str(value), known)}")
        return str(value)

    return check


def trackers(name: str, value: Any) -> tuple[str, ...]:
    """Names of `names.TRACKERS`, in text or in a list."""
    chosen = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value or ())
    for tracker in chosen:
        choice(names.TRACKERS)(name, tracker)
    return chosen


def megabytes(name: str, value: Any) -> float | None:
    if value is None:
        return None
    limit, least = number(1)(name, value), SHARED_MB + WORKER_MB
    if limit < least:
        raise UsageError(f"{name}: a single worker takes {least:,} MB, most of it TensorFlow; give at least that")
    return limit


def seconds(name: str, value: Any) -> float | None:
    return None if value is None else number(1e-3)(name, value)


def cluster(name: str, value: Any) -> Any:
    """The address of a Dask scheduler, or a thing of Dask's that has one: a client, a cluster."""
    if value is None or (isinstance(value, str) and ":" in value) or hasattr(value, "scheduler_info"):
        return value
    what = repr(value) if isinstance(value, str) else f"a thing of the type {type(value).__name__}"
    raise UsageError(f"{name}: {what} is neither the address of a Dask scheduler, like tcp://host:8786, nor a Dask client")


def folder(name: str, value: Any) -> str:
    """A path; one of Windows is only one there."""
    if not isinstance(value, (str, os.PathLike)):
        raise UsageError(f"{name}: {quoted(value)} is no path")
    if os.sep == "/" and re.match(r"[A-Za-z]:\\|.*\\.*\\", str(value)):
        raise UsageError(f"{name}: {str(value)!r} is a folder of Windows, and the kernel runs on another system; write it with /")
    return str(Path(value).expanduser())


def minutes(name: str, value: Any) -> float | None:
    """Up to a year; None for no limit."""
    value = read_value(value) if isinstance(value, str) else value
    if value is None or value in ("none", "None"):
        return None
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) <= 366 * 24 * 60:
        raise UsageError(f"{name}: {quoted(value)} is not a number of minutes above 0; write {name} 20, or 0.5 for half a minute")
    return float(value)
