"""The text of a function, a lambda or a class, and the names that it needs when it is defined."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator, Mapping
from typing import Any


def text_of(thing: Any) -> str | None:
    """The lines of a function or class; None where they are not known."""
    try:
        return textwrap.dedent(inspect.getsource(thing)).strip()
    except (OSError, TypeError):
        return None


def lambda_text(function: types.FunctionType) -> str | None:
    """A lambda's own text, of the statement in which it stands; None where it is not known."""
    try:
        lines, _ = inspect.findsource(function)
        text = "".join(lines)
        tree = ast.parse(text)
    except (OSError, TypeError, SyntaxError):
        return None
    places = [place for place in map(_place, function.__code__.co_positions()) if place]
    around = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda) and _holds(node.body, places)]
    found = min(around, key=_length, default=None)  # the innermost of those that stand in each other
    segment = found and ast.get_source_segment(text, found)
    if not segment:
        return None
    return segment if "\n" not in segment else f"({segment})"


Place = tuple[int, int, int, int]


def _place(position: tuple[int | None, int | None, int | None, int | None]) -> Place | None:
    line, end_line, column, end_column = position
    if line is None or end_line is None or column is None or end_column is None or end_column == 0:
        return None
    return line, column, end_line, end_column


def _holds(node: ast.expr, places: list[Place]) -> bool:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    first, last = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    return bool(places) and all(first <= place[:2] and place[2:] <= last for place in places)


def _length(node: ast.Lambda) -> tuple[int, int]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno - node.lineno, node.end_col_offset - node.col_offset


def names_at_definition(text: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """What is read when a function or class is defined: decorators, defaults, annotations, bases, a class's own values."""
    (definition,) = ast.parse(text).body
    names = {node.id for part in _read_at_once(definition) for node in ast.walk(part) if isinstance(node, ast.Name)}
    return {name: known[name] for name in sorted(names) if name in known}


def _read_at_once(definition: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from definition.decorator_list
        yield definition.args  # with its defaults and annotations
        if definition.returns:
            yield definition.returns
    elif isinstance(definition, ast.ClassDef):
        yield from (*definition.decorator_list, *definition.bases, *definition.keywords)
        for statement in definition.body:
            yield from _read_at_once(statement)
    else:
        yield definition
