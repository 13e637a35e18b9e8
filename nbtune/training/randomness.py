"""The random generators of a process, set aside while nbtune builds a model in it.

Python and NumPy have a public way. What TensorFlow and Keras keep of theirs is private: where it is not found, that generator
alone is not set back.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from nbtune.machine import keras_backend
from nbtune.training.private import keras
from nbtune.training.private.missing import Missing

Restore = Callable[[], None]


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Python's, NumPy's, TensorFlow's, PyTorch's and Keras's generators are afterwards as they were before.

    Names are counted from the start inside, as in a new process: after them metrics are called, and so what a model logs.
    """
    restores = [_python(), _numpy(), _torch()]
    for noted in (_tensorflow, keras.generators):
        with contextlib.suppress(Missing):
            restores.append(noted())
    try:
        yield
    finally:
        for restore in restores:
            restore()


def _tensorflow() -> Restore:
    if "tensorflow" not in sys.modules:  # Keras trains with another
        return lambda: None
    from nbtune.training.private import tensorflow

    return tensorflow.generators()


def _python() -> Restore:
    state = random.getstate()
    return lambda: random.setstate(state)


def _numpy() -> Restore:
    state = np.random.get_state()
    return lambda: np.random.set_state(state)


def _torch() -> Restore:
    torch = sys.modules.get("torch")
    if torch is None:
        return lambda: None
    state = torch.get_rng_state()
    return lambda: torch.set_rng_state(state)


def drawn_from() -> list[np.ndarray]:
    """The states of generators that training steps draw from and that no model holds: PyTorch's, for Keras's Dropout there."""
    return [sys.modules["torch"].get_rng_state().numpy()] if keras_backend() == "torch" else []


def draw_on(states: Sequence[np.ndarray]) -> None:
    """Sets the generators of `drawn_from`."""
    for state in states:
        torch = sys.modules["torch"]
        torch.set_rng_state(torch.from_numpy(state))
