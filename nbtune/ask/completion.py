"""What the Tab key offers on `%%tune` and `%tune` lines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nbtune.ask.option import Option, Reads
from nbtune.ask.options import AXES, flags, table


class Offer(NamedTuple):
    """A word, and what kind of thing it is."""

    text: str
    kind: str


@dataclass(frozen=True)
class Scope:
    """What a line can name.

    Attributes:
        data, functions, searches: names of variables.
        verbs: what `%tune` takes.
        parameters: from the name of a function, or "" for that of the cell, to those of its parameters.
    """

    data: Sequence[str] = ()
    functions: Sequence[str] = ()
    searches: Sequence[str] = ()
    verbs: Sequence[str] = ()
    parameters: Callable[[str], Sequence[str]] = lambda function: ()


def complete(line: str, scope: Scope) -> tuple[str, list[Offer]]:
    """The end of `line` that is to be replaced, and what may stand there instead.

    Args:
        line: up to the cursor, from `%%tune` or `%tune` on.
    """
    *before, word = line.split(" ")
    before = [piece for piece in before if piece]
    if before == ["%tune"] and not word.startswith("-"):
        return word, _beginning(word, scope.verbs, "command")
    if len(before) == 2 and before[0] == "%tune" and not before[1].startswith("-"):
        names, kind = (scope.functions, "function") if before[1] in ("panel", "lr", "suggest") else (scope.searches, "search")
        return word, _beginning(word, names, kind)
    option, values = _under_way(before, word)
    if option is None:
        return word, _options(before, word)
    last = values.rpartition(",")[2]
    return last, _values(option, last, line, before, scope)


def _under_way(before: Sequence[str], word: str) -> tuple[Option | None, str]:
    """The option whose value the cursor is in, and the value so far."""
    known = {option.flag: option for option in table().values() if option.reads not in (Reads.SWITCH, Reads.YES_NO)}
    name, equals, values = word.partition("=")
    if equals and name in known:
        return known[name], values
    text = next((piece for piece in reversed(before) if piece.startswith("--")), "")
    if text in known and known[text].reads is Reads.TEXT and not word.startswith("--"):
        return known[text], word
    if before and before[-1] in known:
        return known[before[-1]], word
    if len(before) > 1 and before[-2] in known and before[-1].endswith(","):  # --data x, y
        return known[before[-2]], word
    return None, ""


def _options(before: Sequence[str], word: str) -> list[Offer]:
    """Those that are not on the line yet; one that can be repeated is always offered."""
    again = {option.flag for option in table().values() if option.reads is Reads.PAIRS}
    given = {piece.partition("=")[0] for piece in before} - again
    return _beginning(word, [name for name in flags() if name not in given], "option")


def _values(option: Option, last: str, line: str, before: Sequence[str], scope: Scope) -> list[Offer]:
    if option.reads is Reads.EXPRESSION:
        is_data = option.group == "data" and option.name != "build"
        return _beginning(last, scope.data if is_data else scope.functions, "variable" if is_data else "function")
    if option.reads is Reads.PAIRS:
        function = next((name for flag, name in itertools.pairwise(before) if flag == table()["build"].flag), "")
        own = [name for name in scope.parameters(function) if name not in AXES]
        return [] if "=" in last else _beginning(last, [f"{name}=" for name in own], "parameter")
    if option.reads is Reads.TEXT:
        given = [name for name in AXES if f"{table()[name].flag} " in line or f"{table()[name].flag}=" in line]
        pairs = [piece.partition("=")[0] for flag, piece in itertools.pairwise(before) if flag == "--axis"]
        return _beginning(last.lstrip("\"'("), [*given, *pairs], "axis")
    usual = [option.suggestion or option.shown_default] if not last and not option.choices else []
    return _beginning(last, option.choices or [text for text in usual if text and " " not in text], "value")


def _beginning(word: str, names: Sequence[str], kind: str) -> list[Offer]:
    return [Offer(name, kind) for name in sorted(names) if name.startswith(word)]
