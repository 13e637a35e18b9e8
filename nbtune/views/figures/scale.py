"""How far a scale reaches: a few hopeless trials must not flatten the difference between the good ones."""

from __future__ import annotations

import math
from collections.abc import Iterable

from nbtune.ask.objective import Objective


def limits(values: Iterable[float], objective: Objective) -> tuple[float, float]:
    """Lowest and highest of the finite values, outliers on the worse side left out (Tukey's fence, three quartile ranges).

    Returns (0, 1) where there is nothing to see.
    """
    known = sorted(value for value in values if math.isfinite(value))
    if not known:
        return 0.0, 1.0
    low, high = known[0], known[-1]
    first, third = known[len(known) // 4], known[(3 * len(known)) // 4]
    reach = 3 * (third - first)
    if reach and objective.direction == "max":
        low = max(low, first - reach)
    if reach and objective.direction == "min":
        high = min(high, third + reach)
    return low, high
