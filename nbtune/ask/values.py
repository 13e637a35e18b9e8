"""How values are written on a `%%tune` line: `16,32,64`, `1:3`, `1:9:2`, `log:1e-4:1e-2:3`, `{expression}`, `$name`."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nbtune.errors import UsageError

Evaluate = Callable[[str], Any]
MOST = 10_000  # values on one axis; more is a slip of the pen
_OPEN, _CLOSE = "([{", ")]}"


def split(line: str, separator: Callable[[str], bool] = str.isspace) -> list[str]:
    """Splits outside of quotes and brackets; quotes around a whole piece go, and a blank next to a comma separates nothing.

    Raises:
        UsageError: a quote or a bracket that is never closed.
    """
    if separator is str.isspace:
        line = _tighten(line)
    pieces, piece, depth, quote = [], "", 0, ""
    for char in line:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        else:
            depth += (char in _OPEN) - (char in _CLOSE)
        if separator(char) and not quote and depth <= 0:
            pieces.append(piece)
            piece = ""
        else:
            piece += char
    if quote or depth > 0:
        raise UsageError(f"a {'quote' if quote else 'bracket'} is never closed in: {line.strip()}")
    pieces.append(piece)
    if separator is str.isspace:
        pieces = [p for p in pieces if p]
    return [_unquote(p) for p in pieces]


def _tighten(line: str) -> str:
    """Without the blanks around commas; what is quoted stays as it is, and a comma before an option ends its list."""
    return re.sub(r"""("[^"]*"|'[^']*')|\s*,(?!\s+--)\s*""", lambda m: m[1] or ",", line)


def _unquote(piece: str) -> str:
    quoted = len(piece) > 1 and piece[0] in "'\"" and piece[-1] == piece[0] and piece.count(piece[0]) == 2
    return piece[1:-1] if quoted else piece


def expand(text: str, evaluate: Evaluate) -> Any:
    """`{expression}` or `$name` as the object itself where that is all of the text, else its text put in place."""
    if _is_dict(text):
        return evaluate(text)
    whole = re.fullmatch(r"\{(.+)\}|\$(\w+)", text, re.DOTALL)
    if whole and (whole[2] or _is_one_pair(text)):
        return evaluate(whole[1] or whole[2])
    put = lambda m: m[0] if _is_dict(m[0]) else str(evaluate(m[1] or m[2]))  # noqa: E731
    return re.sub(r"\{([^{}]+)\}|\$(\w+)", put, text)


def _is_dict(text: str) -> bool:
    """`{0: 1, 1: 5}`, which is a value and not an expression in braces."""
    try:
        return text.startswith("{") and isinstance(ast.parse(text, mode="eval").body, ast.Dict)
    except (SyntaxError, ValueError):
        return False


def _is_one_pair(text: str) -> bool:
    """Whether the first brace is closed by the last character, and not before."""
    depths = itertools.accumulate((char == "{") - (char == "}") for char in text)
    return 0 not in list(depths)[:-1]


def read_values(text: str) -> list[Any]:
    """The values that a text stands for, in order.

    Raises:
        UsageError: a range that is empty, endless or not of whole numbers, an empty item.
    """
    text = text.strip()
    if text[:1] in ("[", "("):
        try:
            found = ast.literal_eval(text)
            return [found] if isinstance(found, str) else list(found)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            raise UsageError(f"{text} is no list of plain values; write 16,32,64") from None
    items = split(text, ",".__eq__)
    values = [value for item in items for value in _read_item(item.strip(), text)]
    if len(values) > MOST:
        raise UsageError(f"{text} stands for {len(values):,} values; {MOST:,} are the most")
    return values


def _read_item(item: str, text: str) -> Iterator[Any]:
    if not item:
        raise UsageError(f"{text!r} has an empty value; write 16,32,64")
    if item.startswith("log:"):
        yield from _log(item)
    elif re.fullmatch(r"[-+\d.eE]+(:[-+\d.eE]+){1,2}", item):
        yield from _range(item)
    else:
        yield read_value(item)


def read_value(item: str) -> Any:
    """One value: a whole number, a number, True, False or None, else text."""
    for kind in (int, float):
        try:
            return kind(item)
        except ValueError:
            pass
    return {"True": True, "False": False, "true": True, "false": False, "None": None}.get(item, item)


def _range(item: str) -> range:
    try:
        first, last, step = [int(part) for part in [*item.split(":"), "1"][:3]]
    except ValueError:
        raise UsageError(f"{item}: a:b:step is for whole numbers; list the values, or use log:lo:hi:n") from None
    if not step:
        raise UsageError(f"{item} has a step of 0; write 1 or more, or leave the step out: {first}:{last}")
    values = range(first, last + (1 if step > 0 else -1), step)
    if not values:
        raise UsageError(f"{item} is an empty range; write the smaller number first, like 1:3")
    if abs(last - first) // abs(step) >= MOST:  # not len(values), which has a limit of its own
        raise UsageError(f"{item} stands for more than {MOST:,} values")
    return values


def _log(item: str) -> list[Any]:
    try:
        _, low, high, count = item.split(":")
        lo, hi, n = float(low), float(high), int(count)
    except ValueError:
        raise UsageError(f"{item}: write log:lo:hi:n, like log:1e-4:1e-2:3") from None
    if not (0 < lo < hi < float("inf")) or not 2 <= n <= MOST:
        raise UsageError(f"{item}: log:lo:hi:n needs 0 < lo < hi and n of 2 or more")
    values = [lo, *(float(f"{v:.6g}") for v in np.geomspace(lo, hi, n)[1:-1]), hi]
    if isinstance(read_value(low), int) and isinstance(read_value(high), int):
        return list(dict.fromkeys(round(v) for v in values))
    return values
