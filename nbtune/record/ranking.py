"""The one ranking: which score is better, in which order trials stand, and what equal scores mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from nbtune.ask.objective import Objective


class Scored(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def score(self) -> float | None: ...


T = TypeVar("T", bound=Scored)


def ranked(found: Iterable[T], objective: Objective) -> list[T]:
    """Those that have a score, the best first; of equal ones that with the lower number, which a later search does not change."""
    scored = [one for one in found if one.score is not None]
    return sorted(scored, key=lambda one: (objective.order(one.score or 0.0), len(one.id), one.id))
