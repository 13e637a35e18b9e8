"""Optimizers by name: Keras's, and those that are one of Keras's with a setting."""

from __future__ import annotations

from collections.abc import Mapping

from nbtune.ask import names
from nbtune.ask.calls import Call

WITH_SETTINGS: Mapping[str, Call] = {"momentum": Call("keras.optimizers.SGD", {"momentum": 0.9})}
OPTIMIZERS = frozenset(names.OPTIMIZERS | WITH_SETTINGS.keys())
