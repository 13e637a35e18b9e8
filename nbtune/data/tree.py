"""Arrays in lists, tuples and dicts, however deep: what `keras.tree` is to Keras, without importing it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Tree = Any  # a leaf, or a dict, list or tuple of trees; None has no leaves


def like(model: Mapping[Any, Any], items: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """A dict, or an `OrderedDict` where that is one: Keras takes the parts of a dict by name, and those of that in its order."""
    return OrderedDict(items) if isinstance(model, OrderedDict) else dict(items)


def leaves(tree: Tree) -> list[Any]:
    """The leaves in order."""
    if tree is None:
        return []
    if isinstance(tree, Mapping):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]


def map_leaves(function: Callable[..., Any], first: Tree, *others: Tree) -> Tree:
    """A tree of the same structure; each leaf is `function` of the leaves at its place."""
    if first is None:
        return None
    if isinstance(first, Mapping):
        return like(first, ((key, map_leaves(function, first[key], *(other[key] for other in others))) for key in first))
    if isinstance(first, (list, tuple)):
        return type(first)([map_leaves(function, *parts) for parts in zip(first, *others, strict=True)])
    return function(first, *others)


def named_leaves(tree: Tree, name: str = "") -> list[tuple[str, Any]]:
    """The leaves with the path to each: `images`, `0`, `text/title`; a single leaf has an empty one."""
    if tree is None:
        return []
    if isinstance(tree, Mapping):
        parts = [(str(key), part) for key, part in tree.items()]
    elif isinstance(tree, (list, tuple)):
        parts = [(str(i), part) for i, part in enumerate(tree)]
    else:
        return [(name, tree)]
    return [found for key, part in parts for found in named_leaves(part, f"{name}/{key}" if name else key)]


def in_order_of(model: Tree, tree: Tree) -> Tree:
    """`tree` with its dicts in the order that `model`, of the same structure, has them in; where order tells, in its own."""
    if isinstance(tree, OrderedDict):
        return tree
    if isinstance(model, Mapping):
        return {key: in_order_of(model[key], tree[key]) for key in model}
    if isinstance(model, (list, tuple)):
        return type(model)([in_order_of(a, b) for a, b in zip(model, tree, strict=True)])
    return tree


def layout(tree: Tree, number: Callable[[Any], int]) -> Any:
    """The structure for JSON, with a number in place of each leaf."""
    if tree is None:
        return None
    if isinstance(tree, Mapping):
        kind = "ordered" if isinstance(tree, OrderedDict) else "dict"
        return {kind: [[key, layout(part, number)] for key, part in tree.items()]}
    if isinstance(tree, (list, tuple)):
        return {"list" if isinstance(tree, list) else "tuple": [layout(part, number) for part in tree]}
    return number(tree)


def laid_out(structure: Any, leaf: Callable[[int], Any]) -> Tree:
    """The tree of a `layout`, with `leaf(number)` at each place."""
    if structure is None:
        return None
    if isinstance(structure, int):
        return leaf(structure)
    ((kind, parts),) = structure.items()
    if kind in ("dict", "ordered"):
        return {"dict": dict, "ordered": OrderedDict}[kind]((key, laid_out(part, leaf)) for key, part in parts)
    return {"list": list, "tuple": tuple}[kind](laid_out(part, leaf) for part in parts)
