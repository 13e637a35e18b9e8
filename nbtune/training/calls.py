"""Makes the things of Keras's that `ask.calls` describes."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import keras

from nbtune.ask.calls import Call


def make(call: Call) -> Any:
    """A new object of the class, with the arguments."""
    return attrgetter(call.path.removeprefix("keras."))(keras)(**call.arguments)
