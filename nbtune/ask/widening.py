"""A search's axes with more values than it had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nbtune.ask.options import AXES, Options, table
from nbtune.ask.space import Axis
from nbtune.errors import UsageError, about, did_you_mean


def widened(options: Options, axes: Sequence[Axis], values: Mapping[str, Any]) -> Options:
    """The options with these values added.

    Args:
        axes: all that the search has, those too that a KerasTuner function asks for by itself.
        values: the name of an axis to one value more, or a list of them.

    Raises:
        UsageError: no such axis, or a value that it cannot have, or has already.
    """
    known = {axis.name: axis for axis in axes}
    for name, more in values.items():
        if name not in known:
            raise UsageError(f"the search has no axis {name!r}{did_you_mean(name, known)}; it has {', '.join(known)}", name)
        axis = known[name]
        things = [axis.objects.get(str(value), value) for value in axis.values]
        with about(name):
            given = [*things, *(more if isinstance(more, (list, tuple)) else [more])]
            new = table()[name].check(name, given) if name in AXES else Axis.of(name, given)
        if name in AXES:
            changed: dict[str, Any] = {name: new}
            options = replace(options, **changed)
        else:
            others = tuple(other for other in options.axis if other.name != name)
            same_place = tuple(new if other.name == name else other for other in options.axis)
            options = replace(options, axis=same_place if len(others) < len(options.axis) else (*others, new))
    return replace(options, fresh=False, plan=False)
