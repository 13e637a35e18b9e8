"""What networks start from, in numbers: each layer's weights beside the formula of their initialiser, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Weights:
    """The initial values of one weight, and the distribution that its initialiser's formula gives.

    Attributes:
        layer, name: the layer's name, and the weight's in it ("kernel", "recurrent_kernel", "embeddings", ...).
        shape: of the weight.
        initializer: as Keras spells it.
        fan_in, fan_out: connections into and out of a unit, as Keras counts them for this shape.
        distribution: "uniform", "normal", "truncated_normal", "orthogonal" or "constant"; "" where no formula is known.
        mean, variance: of the values.
        expected_mean, expected_variance: by the formula; None where there is none.
        mean_errors, variance_errors: how far the values are from the formula, in standard errors of so many draws; None where
            there is no formula or nothing is random.
        counts, edges: a histogram of the values; `edges` has one more.
        density: the formula's density in the middle of each bin; empty where there is none.
    """

    layer: str
    name: str
    shape: tuple[int, ...]
    initializer: str
    fan_in: int
    fan_out: int
    distribution: str
    mean: float
    variance: float
    expected_mean: float | None
    expected_variance: float | None
    mean_errors: float | None
    variance_errors: float | None
    counts: tuple[int, ...]
    edges: tuple[float, ...]
    density: tuple[float, ...]


@dataclass(frozen=True)
class Signals:
    """How a batch goes through a network that one initialiser has filled.

    `activations` and `gradients` hold, for each of `layers` from the input on, the standard deviation of what it puts out and
    the root mean square of the loss's gradient with respect to that; NaN where Keras computes the loss without it (a
    softmax at the end, whose loss takes the logits).
    """

    initializer: str
    layers: tuple[str, ...]
    activations: tuple[float, ...]
    gradients: tuple[float, ...]


@dataclass(frozen=True)
class Initial:
    """Both for one network. `signals` is empty without data, or where the layers do not form one graph."""

    weights: tuple[Weights, ...]
    signals: tuple[Signals, ...]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Initial:
        """From what a worker sent as JSON."""
        weights = [Weights(**{name: _tuple(value) for name, value in each.items()}) for each in found["weights"]]
        signals = [Signals(**{name: _tuple(value) for name, value in each.items()}) for each in found["signals"]]
        return cls(tuple(weights), tuple(signals))


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
