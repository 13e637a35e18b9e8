"""The rows that scores are measured on: how many there are, and how far a constant answer would come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class HeldOut:
    """Labels of the validation rows, summed up.

    Attributes:
        rows: how many there are; None where that is not known; of folds, those of all.
        folds: in how many they validate; 0 without cross-validation.
        ratio: of folds, rows that validate over rows that train, on average.
        classes: in how many classes they are; 0 where a row has no single class.
        largest: the name of the class of the most rows.
        share: its share of them, which is the accuracy of answering nothing else.
    """

    rows: int | None = None
    classes: int = 0
    largest: str = ""
    share: float = 0.0
    folds: int = 0
    ratio: float = 0.0

    @classmethod
    def of(cls, rows: int, counts: Mapping[str, int]) -> HeldOut:
        """`counts`: name of a class to its number of rows; empty where rows have no single class."""
        if not counts:
            return cls(rows)
        largest = max(counts, key=lambda one: counts[one])
        return cls(rows, len(counts), largest, counts[largest] / sum(counts.values()))

    @property
    def uneven(self) -> bool:
        """Whether accuracy misleads: nearly all rows, or many times a fair share of them, are of one class."""
        return self.classes > 1 and (self.share >= 0.7 or (self.share >= 0.5 and self.share * self.classes >= 3))
