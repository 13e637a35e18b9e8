"""`nbtune.lr_range`: which learning rates are worth a place on the axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nbtune.ask.options import Options, table
from nbtune.errors import UsageError
from nbtune.execution.local import warm
from nbtune.launch import launch
from nbtune.record.rates import RateRange
from nbtune.run.request import Request
from nbtune.search import Search
from nbtune.tuning import with_parameters

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# How each network is trained, whichever way the test is asked for. Training alone decides, so no rows need be held out.
TERMS: Mapping[str, Any] = {"epochs": 2, "patience": None, "objective": "loss", "validation_split": 0.0, "retries": 0, "keep": 1}
NAME, LOW, HIGH, POINTS = "lr", 1e-6, 1.0, 25


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
    low: float = LOW,
    high: float = HIGH,
    points: int = POINTS,
    name: str = NAME,
    **options: Any,
) -> RangeTest:
    """Trains the same network at many learning rates for a few epochs, all together, and says which rates are worth trying.

    Smith 2017 ("Cyclical learning rates for training neural networks") raises the rate while one network trains; here each
    rate has a network of its own, so that none inherits what another one has learned or broken.

    Args:
        build, data: as for `nbtune.tune`.
        low, high: the smallest and the largest rate.
        points: how many rates, evenly spaced on a log scale.
        name: the folder of the project.
        **options: further options of `nbtune.tune`, like `epochs=3` (2 if left out); other axes need a single value, like
            `units=[32]`.

    Raises:
        UsageError: as `nbtune.tune`; a range that is none; too few rates that do not diverge.

    Example:
        >>> nbtune.lr_range(build, (x, y), layers=[2], units=[32])
    """
    if not 0 < low < high or points < 5:
        asked = f"{points} from {low} to {high}"
        raise UsageError(f"lr_range takes 5 rates or more from a low above 0 to a high above it, not {asked}")
    rates = np.geomspace(low, high, points).tolist()
    known = {key: options.pop(key) for key in [*options] if key in table()}
    axis = with_parameters(build, known.get("axis"), options)
    terms = {**TERMS, **known, "axis": axis, "build": build, "data": data, "learning_rate": rates}
    return run(Options.of(**terms), name, warm.reserve())


def run(options: Options, name: str, pool: warm.Pool) -> RangeTest:
    """The test of the rates on the axis `learning_rate`, in workers of the pool.

    Raises:
        UsageError: another axis has several values, or the search cannot start.
    """
    for axis in options.axes:
        if axis.name != "learning_rate" and len(axis.values) > 1:
            raise UsageError(f"the range test needs a single value of {axis.name}, like {axis.values[-1]}", axis.name)
    search = launch(Request.of(options), name, pool)
    search.wait()
    rates = {trial.values["learning_rate"] for trial in search.trials}
    if len(search.trials) != len(rates):
        raise UsageError(
            "the range test trains one combination at each rate; the function asks for more: give each a single value"
        )
    return RangeTest(search)
