"""pandas labels rows with an index, and Keras joins features, labels and weights by their place: where these disagree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbtune.data.tree import leaves
from nbtune.errors import UsageError


def joined_by_place(parts: Sequence[Any], what: str) -> str:
    """What is to be said of features, labels and weights whose rows have different labels; nothing where they agree.

    Raises:
        UsageError: the labels are the same, in another order, so that one of the tables has been sorted or shuffled alone.
    """
    tables = [(name, table) for name, part in zip(("x", "y", "the weights"), parts, strict=False) for table in _tables(part)]
    for name, table in tables[1:]:
        first, own = tables[0][1].index, table.index
        if len(first) != len(own) or first.equals(own):
            continue
        both, name = ("parts of x", "the other one") if name == "x" else (f"x and {name}", name)
        if not (_is_numbered(first) or _is_numbered(own)) and set(first) == set(own):
            raise UsageError(
                f"{what}: {both} have the same row labels (their index) in different orders, so that rows that do not belong "
                f"together would be joined; give {name} with .loc[x.index], or both with .to_numpy() to join them by position"
            )
        return (
            f"{what}: {both} have different row labels (their index) and are joined by position, as in model.fit; to join them "
            f"by label, give {name} with .loc[x.index]."
        )
    return ""


def _tables(part: Any) -> list[Any]:
    return [table for table in leaves(part) if hasattr(table, "iloc") and hasattr(table, "index")]


def _is_numbered(index: Any) -> bool:
    """As pandas numbers rows that have no labels."""
    return type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1
