"""What the Tab key offers on a `%%tune` line."""

from __future__ import annotations

from collections.abc import Iterable

from nbtune.ask.option import Option, Reads
from nbtune.ask.options import flags, table


def complete(line: str, variables: Iterable[str]) -> list[str]:
    """Whole words that fit the end of `line`: options, or values of the option before it."""
    *before, word = line.split(" ")
    written = next((piece for piece in reversed(before) if piece), "")
    option = next((option for option in table().values() if option.flag == written), None)
    known = _words(option, variables) if option else []
    if not known:
        return sorted(name for name in flags() if name.startswith(word))
    begun, comma, last = word.rpartition(",")
    return sorted(begun + comma + name for name in known if name.startswith(last))


def _words(option: Option, variables: Iterable[str]) -> list[str]:
    if option.reads is Reads.EXPRESSION:
        return [name for name in variables if not name.startswith("_")]
    return list(option.choices)
