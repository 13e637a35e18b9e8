"""How much of an epoch a stack trains before it gives a sign of life."""

from __future__ import annotations

import math

SECONDS = 0.5  # of training between two signs


class Chunking:
    """The number of batches that take about half a second, from what the last ones took.

    The first call compiles, and so tells nothing; it takes one batch, that it may not be followed by a long silence.
    """

    def __init__(self) -> None:
        self._is_compiled = False
        self._seconds: float | None = None

    def batches(self, left: int) -> int:
        """How many of the batches that are left of an epoch to train next: such that all parts of it are of like size."""
        if self._seconds is None:
            return 1
        most = max(math.floor(SECONDS / self._seconds), 1)
        return math.ceil(left / math.ceil(left / most))

    def took(self, batches: int, seconds: float) -> None:
        """To be told after each call."""
        if self._is_compiled:
            self._seconds = seconds / batches
        self._is_compiled = True
