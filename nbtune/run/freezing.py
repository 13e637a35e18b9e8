"""What users made, written down when a search begins: later cells may change it, and workers import modules anew.

A worker's modules need not hold what the notebook has set in them. Each compares, thing by thing, what its fresh import gives
with what the notebook has; where that differs, the things go along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nbtune.data.content import live
from nbtune.execution.local import pickling
from nbtune.record.job import Terms


@dataclass
class Freezer:
    """Terms as workers are to have them.

    Attributes:
        notes: what the workers do not have as the notebook has it, a sentence each.
    """

    _terms: Terms
    notes: list[str] = field(default_factory=list)
    _changed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._expected = live.reached(self._terms.live)

    def terms(self) -> Terms:
        """Raises UsageError where what users made cannot be written."""
        return replace(self._terms, frozen=self._written(), expected=self._expected)

    def add(self, paths: Sequence[str]) -> None:
        """Has things go along that a worker does not have."""
        for path in paths:
            known = self._expected.pop(path)
            if known == live.NOTHING or pickling.can_be_sent(live.value(path)):
                self._changed.append(path)
            elif parts := live.attributes(path):  # what can be sent of it
                self._expected |= live.hashes(parts)
            else:
                kind = type(live.value(path)).__name__
                self.notes.append(
                    f"{path.replace(':', '.')}, which was set in the notebook, is a {kind} and cannot be sent: "
                    "workers have what a fresh import gives."
                )

    def _written(self) -> bytes:
        things, function = self._terms.live, self._terms.function
        try:
            return pickling.frozen(things, self._changed, self._expected)
        except Exception as error:  # pickling a user's objects can raise anything
            raise pickling.refusal(function, error) from None
