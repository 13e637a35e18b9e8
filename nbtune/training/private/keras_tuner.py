"""What is private in KerasTuner and used here, in this module alone. Seen in KerasTuner 1.4.7 and 1.4.8."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras_tuner

from nbtune.training.private.missing import attribute

Take = Callable[[keras_tuner.HyperParameters, Any], None]


def asked(take: Take) -> keras_tuner.HyperParameters:
    """A `HyperParameters` that tells of each hyperparameter that a function asks for anew, before it gets a value.

    Args:
        take: is given it and the hyperparameter.

    Raises:
        Missing: KerasTuner has no such place.
    """
    register = attribute(keras_tuner.HyperParameters, "_register", "reading the space of a function of `hp`")

    class Asked(keras_tuner.HyperParameters):
        def _register(self, hyperparameter: Any, overwrite: bool = False) -> Any:
            take(self, hyperparameter)
            return register(self, hyperparameter, overwrite)

    return Asked()
