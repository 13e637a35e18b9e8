"""`nbtune.lr_range`: which learning rates are worth a place on the axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nbtune.errors import UsageError
from nbtune.record.rates import RateRange
from nbtune.search import Search
from nbtune.tuning import tune

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class RangeTest:
    """The outcome of `lr_range`: `result` in numbers, `search` with every network, `plot()` as a figure; prints what it says."""

    def __init__(self, search: Search) -> None:
        self.search = search
        ended = [(float(trial.values["learning_rate"]), trial.history.get("loss", ())) for trial in search.trials]
        losses = [history[-1] if history and all(map(math.isfinite, history)) else math.nan for _, history in ended]
        try:
            self.result = RateRange.of([rate for rate, _ in ended], losses)
        except ValueError as error:
            raise UsageError(f"there is nothing to see: {error} ({search.coverage}); try a smaller low") from None

    def plot(self) -> Figure:
        """The training loss by learning rate: where it falls fastest, where it is lowest, where it diverges."""
        from nbtune.views.figures.plots import new_figure
        from nbtune.views.figures.rates import draw_rates

        figure = new_figure(3.6)
        draw_rates(self.result, figure)
        return figure

    def __str__(self) -> str:
        return str(self.result)

    __repr__ = __str__

    def _repr_png_(self) -> bytes:
        return self.plot()._repr_png_()  # type: ignore[attr-defined]


def lr_range(
    build: Any = None,
    data: Any = None,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    points: int = 25,
    epochs: int = 2,
    name: str = "lr",
    **options: Any,
) -> RangeTest:
    """Trains the same network at many learning rates for a few epochs, all together, and says which rates are worth trying.

    Smith 2017 ("Cyclical learning rates for training neural networks") raises the rate while one network trains; here each
    rate has a network of its own, so that none inherits what another one has learned or broken.

    Args:
        build, data: as for `nbtune.tune`.
        low, high: the smallest and the largest rate.
        points: how many rates, evenly spaced on a log scale.
        epochs: how long each is trained.
        name: the folder of the project.
        **options: further options of `nbtune.tune`; other axes need a single value, like `units=[32]`.

    Raises:
        UsageError: as `nbtune.tune`; a range that is none; too few rates that do not diverge.

    Example:
        >>> nbtune.lr_range(build, (x, y), layers=[2], units=[32])
    """
    if not 0 < low < high or points < 5:
        asked = f"{points} from {low} to {high}"
        raise UsageError(f"lr_range takes 5 rates or more from a low above 0 to a high above it, not {asked}")
    rates = np.geomspace(low, high, points).tolist()
    terms: dict[str, Any] = {"patience": None, "objective": "loss", "retries": 0, "keep": 1, **options}
    search = tune(build, data, name=name, learning_rate=rates, epochs=epochs, **terms)
    search.wait()
    if len(search.trials) != points:
        raise UsageError("lr_range trains one combination at each rate; give every other axis a single value, like units=[32]")
    return RangeTest(search)
