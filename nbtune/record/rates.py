"""What a learning-rate range test says: where the loss falls fastest, where it is lowest, where it diverges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DIVERGES = 1.05  # times the loss of the smallest rate, which has hardly learned


@dataclass(frozen=True)
class RateRange:
    """Losses by learning rate, and what to read from them.

    Attributes:
        rates: ascending.
        losses: the training loss after the last epoch, one a rate; NaN where the network diverged or failed.
        best: the rate with the lowest loss.
        steepest: the rate up to `best` around which the loss falls fastest per factor of ten (a running mean of three rates).
        diverging: the smallest rate above `best` whose loss is above that of the smallest rate, or not finite; None if none is.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    best: float
    steepest: float
    diverging: float | None

    @classmethod
    def of(cls, rates: Sequence[float], losses: Sequence[float]) -> RateRange:
        """Raises ValueError where fewer than three losses are finite."""
        order = np.argsort(rates)
        x, y = np.asarray(rates, float)[order], np.asarray(losses, float)[order]
        known = np.flatnonzero(np.isfinite(y))
        if len(known) < 3:
            raise ValueError("fewer than three rates have a finite loss")
        lowest = int(known[np.argmin(y[known])])
        high = DIVERGES * y[known[0]]
        beyond = [i for i in range(lowest + 1, len(x)) if not math.isfinite(y[i]) or y[i] > high]
        return cls(
            tuple(x.tolist()),
            tuple(y.tolist()),
            float(x[lowest]),
            float(x[_steepest(np.log10(x), y, lowest)]),
            float(x[beyond[0]]) if beyond else None,
        )

    @property
    def suggestion(self) -> str:
        """An axis to paste: three rates from a tenth of the best one to it, none at or beyond divergence."""
        high = self.best if self.diverging is None else min(self.best, self.diverging / 2)
        rates = sorted({_rounded(high / 10), _rounded(high / 10**0.5), _rounded(high)})
        return "--learning-rate " + ",".join(f"{rate:g}" for rate in rates)

    def __str__(self) -> str:
        end = f"it diverges from {self.diverging:.2g} on" if self.diverging else "none of these rates diverges"
        return f"The loss falls fastest around {self.steepest:.2g} and is lowest at {self.best:.2g}; {end}. Try {self.suggestion}"


def _steepest(x: np.ndarray, y: np.ndarray, lowest: int) -> int:
    """Where the smoothed loss falls fastest, up to the lowest."""
    known = np.flatnonzero(np.isfinite(y) & (np.arange(len(y)) <= lowest))
    if len(known) < 3:
        return lowest
    padded = np.pad(y[known], 1, mode="edge")
    smooth = np.convolve(padded, np.ones(3) / 3, mode="valid")
    return int(known[np.argmin(np.gradient(smooth, x[known]))])


def _rounded(rate: float) -> float:
    """To one digit."""
    return float(f"{rate:.0e}")
