"""The random generators of a process, set aside while nbtune builds a model in it.

Python and NumPy have a public way. What TensorFlow and Keras keep of theirs is private: seen in TensorFlow 2.16 to 2.21 and
Keras 3.7 to 3.15; where it is not found, that generator alone is not set back.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Restore = Callable[[], None]


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Python's, NumPy's, TensorFlow's and Keras's generators are afterwards as they were before.

    Names are counted from the start inside, as in a new process: after them metrics are called, and so what a model logs.
    """
    restores = [_python(), _numpy()]
    for other in (_tensorflow, _keras):
        with contextlib.suppress(ImportError, AttributeError, TypeError):
            restores.append(other())
    try:
        yield
    finally:
        for restore in restores:
            restore()


def _python() -> Restore:
    state = random.getstate()
    return lambda: random.setstate(state)


def _numpy() -> Restore:
    state = np.random.get_state()
    return lambda: np.random.set_state(state)


def _tensorflow() -> Restore:
    from tensorflow.python.eager import context

    eager: Any = context.context()
    seed, generator = eager._seed, eager._rng
    state = generator.getstate() if generator is not None else None

    def restore() -> None:
        eager._set_global_seed(seed)  # forgets the kernels that count from the seed set meanwhile
        eager._rng = generator
        if generator is not None:
            generator.setstate(state)

    return restore


def _keras() -> Restore:
    """The generator that is drawn from without a seed, the seed that was set, and the counters behind names."""
    from keras.src.backend.common import global_state
    from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR
    from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED

    names = (GLOBAL_SEED_GENERATOR, GLOBAL_RANDOM_SEED, "object_name_uids")
    before = [global_state.get_global_attribute(name) for name in names]
    generator = before[0]
    state = None if generator is None else np.asarray(generator.state)
    global_state.set_global_attribute("object_name_uids", None)

    def restore() -> None:
        for name, value in zip(names, before, strict=True):
            global_state.set_global_attribute(name, value)
        if generator is not None:
            generator.state.assign(state)

    return restore
