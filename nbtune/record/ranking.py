"""The one ranking: which score is better, in which order trials stand, and what equal scores mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from nbtune.ask.objective import Objective


class Scored(Protocol):
    @property
    def score(self) -> float | None: ...


T = TypeVar("T", bound=Scored)


def ranked(found: Iterable[T], objective: Objective) -> list[T]:
    """Those that have a score, the best first; equal scores stay in the order in which they come."""
    return sorted((one for one in found if one.score is not None), key=lambda one: objective.order(one.score or 0.0))
