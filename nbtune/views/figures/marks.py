"""A shape for each status, so that it also reads without colour: in a square of side 1 around (0, 0), y upwards."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nbtune.record.events import DIVERGED, DONE, FAILED, PENDING, RUNNING, STOPPED

Points = tuple[tuple[float, float], ...]
ORDER = (DONE, RUNNING, PENDING, STOPPED, FAILED, DIVERGED)  # in legends
LEFT_OUT = "left-out"  # a combination that is no part of the search


@dataclass(frozen=True)
class Mark:
    """Lines from point to point; `filled` areas, or strokes whose width is a share of the side."""

    lines: tuple[Points, ...]
    filled: bool = False
    stroke: float = 0.2

    @property
    def path(self) -> str:
        """As SVG has it, where y goes down."""
        texts = ("M" + "L".join(f"{x:.3g} {-y:.3g}" for x, y in line) for line in self.lines)
        return "".join(text + "Z" * self.filled for text in texts)


def _circle(radius: float) -> Points:
    angles = [2 * math.pi * i / 20 for i in range(21)]
    return tuple((radius * math.cos(a), radius * math.sin(a)) for a in angles)


MARKS = {
    DONE: Mark((((-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)),), filled=True),
    RUNNING: Mark((_circle(0.42),), stroke=0.18),
    FAILED: Mark((((-0.4, -0.4), (0.4, 0.4)), ((-0.4, 0.4), (0.4, -0.4)))),
    DIVERGED: Mark((((0.0, 0.5), (0.0, -0.12)), ((0.0, -0.36), (0.0, -0.5)))),
    STOPPED: Mark((((-0.5, 0.0), (0.5, 0.0)),)),
    PENDING: Mark((_circle(0.14),), filled=True),
    LEFT_OUT: Mark((((-0.4, -0.4), (0.4, 0.4)),), stroke=0.12),
}
