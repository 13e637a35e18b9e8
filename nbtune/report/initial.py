"""`nbtune.plot_init`: what a network starts from, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nbtune.record.initial import Initial


def plot_init(model_or_build: Any, x: Any = None, y: Any = None, **values: Any) -> Figure:
    """Each layer's initial weights beside the distribution that its initialiser's formula gives, and what comes of them.

    With `x` two more pictures show how a first batch goes through the network, layer by layer: the spread of the activations
    and the size of the gradients, for this network and for the same one filled with zeros, ones, values that are too small or
    too large, and by Glorot, He and LeCun. Imports Keras.

    Args:
        model_or_build: a Keras model that has not been trained, or the function that builds one.
        x: features, an array `(rows, ...)` or a nest of arrays; the first 256 rows are used.
        y: their labels `(rows, ...)`, as the model's own compiled loss takes them; gradients are then that loss's.
        **values: arguments of the function, like `layers=3, units=64`.

    Returns:
        A matplotlib figure; `nbtune.initial_weights` gives its numbers.

    Raises:
        UsageError: no model, or one without weights yet.

    Example:
        >>> nbtune.plot_init(build, x, layers=3, units=64)
    """
    return drawn(initial_weights(model_or_build, x, y, **values))


def drawn(info: Initial) -> Figure:
    """The figure of these numbers."""
    from nbtune.views.figures.initial import WIDTH, draw_initial, height
    from nbtune.views.figures.plots import new_figure

    figure = new_figure(height(info), WIDTH)
    draw_initial(info, figure)
    return figure


def initial_weights(model_or_build: Any, x: Any = None, y: Any = None, **values: Any) -> Initial:
    """The numbers of `plot_init`, which takes the same: for each weight mean, variance, those of the formula, and z scores."""
    from nbtune.training.initial import initial as numbers

    return numbers(model_or_build, values, x, y)
