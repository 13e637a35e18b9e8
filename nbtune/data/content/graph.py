"""A graph of things → one hash that depends on nothing but their content.

Things may hold each other in circles (a class and its methods do), in sets without an order, and as one object or as
equal copies. So two graphs shall have the same hash if and only if they cannot be told apart by walking through them:
they are bisimilar. Where no circle is reached a thing's hash is that of its label and of its parts' hashes. The others
begin with their labels and take in their parts' hashes round by round, until a round tells no two things apart that were
equal before: partition refinement (Kanellakis and Smolka, Information and Computation 86, 1990).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes, range, slice, type(...), type(NotImplemented)})


class Node(NamedTuple):
    """A thing: what can be said of it at once, and its parts, in an order or (as in a set) without one."""

    label: bytes
    parts: Sequence[Any] = ()
    ordered: bool = True


def digest(*pieces: bytes) -> bytes:
    """A hash of the pieces, in which `ab, c` and `a, bc` differ."""
    found = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        found.update(len(piece).to_bytes(8, "little") + piece)
    return found.digest()


def content(thing: Any, describe: Callable[[Any], Node]) -> str:
    """The hash of a thing and all that `describe` reaches from it."""
    nodes, parts = _reach(thing, describe)
    colours = _without_circles(nodes, parts)
    circling = [i for i, colour in enumerate(colours) if not colour]
    for i in circling:
        colours[i] = digest(nodes[i].label)
    rounds, told_apart = 0, 0
    while told_apart < (now := len({colours[i] for i in circling})):
        rounds, told_apart = rounds + 1, now
        for i, colour in [(i, _colour(nodes[i], [colours[part] for part in parts[i]])) for i in circling]:
            colours[i] = colour
    return digest(str(rounds).encode(), colours[0], *sorted({colours[i] for i in circling})).hex()


def _reach(thing: Any, describe: Callable[[Any], Node]) -> tuple[list[Node], list[list[int]]]:
    """Every thing once, the first one first, and the numbers of its parts."""
    numbers: dict[Any, int] = {}
    found: list[Any] = []  # keeps them alive, so that no two of them have one id

    def number(part: Any) -> int:
        key = (type(part), repr(part)) if type(part) in ATOMS else id(part)
        if key not in numbers:
            numbers[key] = len(found)
            found.append(part)
        return numbers[key]

    number(thing)
    nodes: list[Node] = []
    parts: list[list[int]] = []
    for thing in found:  # grows meanwhile
        node = Node(f"{type(thing).__name__} {thing!r}".encode()) if type(thing) in ATOMS else describe(thing)
        nodes.append(node)
        parts.append([number(part) for part in node.parts])
    return nodes, parts


def _without_circles(nodes: Sequence[Node], parts: Sequence[Sequence[int]]) -> list[bytes]:
    """The hashes of those from which no circle can be reached; nothing for the others."""
    holders: list[list[int]] = [[] for _ in nodes]
    missing = [len(own) for own in parts]
    for i, own in enumerate(parts):
        for part in own:
            holders[part].append(i)
    colours = [b""] * len(nodes)
    ready = [i for i, count in enumerate(missing) if not count]
    for i in ready:  # grows meanwhile
        colours[i] = _colour(nodes[i], [colours[part] for part in parts[i]])
        for holder in holders[i]:
            missing[holder] -= 1
            if not missing[holder]:
                ready.append(holder)
    return colours


def _colour(node: Node, parts: list[bytes]) -> bytes:
    return digest(node.label, *(parts if node.ordered else sorted(parts)))
