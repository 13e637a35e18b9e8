"""Makes the things of Keras's, and of ours, that `ask.calls` describes."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import keras

from nbtune.ask import schedules
from nbtune.ask.calls import Call, Times
from nbtune.training.onecycle import OneCycle


def make(call: Call, rate: float = 1.0) -> Any:
    """A new object of the class, with the arguments; `rate` is the base learning rate."""
    made = OneCycle if call.path == schedules.OUR_OWN else attrgetter(call.path.removeprefix("keras."))(keras)
    return made(**{name: _resolved(value, rate) for name, value in call.arguments.items()})


def _resolved(value: Any, rate: float) -> Any:
    if isinstance(value, list):
        return [_resolved(part, rate) for part in value]
    return value.factor * rate if isinstance(value, Times) else value
