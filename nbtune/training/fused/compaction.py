"""When a stack leaves the trials behind that have stopped."""

from __future__ import annotations


class Compaction:
    """A smaller stack has to be compiled anew; that is due once the stopped trials have cost as much.

    So they never cost more than twice of what they would if it were known beforehand how long the others go on.
    """

    def __init__(self) -> None:
        self._compiling: float | None = None
        self._lost = 0.0

    def due(self, seconds: float, live: int, size: int) -> bool:
        """To be asked after each epoch, which took so long in a stack of `size` trials, `live` of which go on."""
        if self._compiling is None:  # the first epoch; next to compiling, the training does not count
            self._compiling = seconds
        else:
            self._lost += seconds * (1 - live / size)
        if not 0 < live < size or self._lost < self._compiling:
            return False
        self._compiling, self._lost = None, 0.0
        return True
