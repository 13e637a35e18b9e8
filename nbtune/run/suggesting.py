"""`nbtune.suggest`: values to begin with, for a function and data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nbtune.ask.function import Function
from nbtune.ask.options import Options
from nbtune.ask.suggestions import Suggestions, suggested
from nbtune.data.read import read_data
from nbtune.data.rows import Data
from nbtune.data.tree import leaves
from nbtune.errors import UsageError


def suggest(build: Any, data: Any) -> Suggestions:
    """Axes and losses to begin with, each with its reason; prints as a list, and its `line` is ready to paste.

    Args:
        build, data: as for `nbtune.tune`.

    Raises:
        UsageError: `build` is no function, or the data cannot be read.

    Example:
        >>> nbtune.suggest(build, (x, y))
    """
    return for_data(Function.of(build), read_data(data))


def for_data(function: Function, data: Data) -> Suggestions:
    """For what has been read already."""
    inputs = sum(math.prod(leaf.shape[1:]) for leaf in leaves(data.x))
    parameters = () if function.takes_hp else tuple(function.parameters or ())
    return suggested(parameters, inputs, data.rows, data.y, _is_unsupervised(data))


def _is_unsupervised(data: Data) -> bool:
    """The labels are the features, or there are none."""
    x, y = leaves(data.x), leaves(data.y)
    if not y:
        return True
    if len(x) != 1 or len(y) != 1 or x[0].shape != y[0].shape:
        return False
    return x[0] is y[0] or bool(np.array_equal(x[0], y[0]))


def with_suggestion(error: UsageError, function: Function, options: Options) -> UsageError:
    """An error about missing axes, with axes for these data; as it is where there are none, or the data cannot be read."""
    try:
        found = for_data(function, read_data(options.data))
    except UsageError:
        return error
    if not any(each.option != "--learning-rate" for each in found.axes):
        return error
    data = options.texts.get("data")
    why = f"%tune suggest {function.name} --data {data}" if data else f"nbtune.suggest({function.name}, data)"
    return UsageError(f"{error}. For these data try {found.line} ({why} gives the reasons)", error.about)
