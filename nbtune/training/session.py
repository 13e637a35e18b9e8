"""A fresh start for a model: Keras forgets the models before, and keeps the settings of the user's notebook."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras

from nbtune.ask.surroundings import Surroundings
from nbtune.record.job import Terms
from nbtune.training.private import keras as private


def renew(terms: Terms, free_memory: bool = False) -> None:
    """Clears Keras's session, which resets the dtype policy too, and applies the notebook's settings again.

    Args:
        free_memory: look for rubbish as well, which takes as long as a model.
    """
    keras.utils.clear_session(free_memory=free_memory)
    apply(terms.surroundings)


def apply(surroundings: Surroundings) -> None:
    """Sets Keras in this process as the notebook has it."""
    if surroundings.floatx is None:
        return
    keras.config.set_floatx(surroundings.floatx)
    keras.config.set_image_data_format(surroundings.image_data_format)
    keras.config.set_epsilon(surroundings.epsilon)
    keras.config.set_dtype_policy(surroundings.dtype_policy)
    known = keras.saving.get_custom_objects()
    for name, thing in surroundings.custom_objects.items():
        package, mark, plain = name.partition(">")
        if mark and known.get(name) is not thing:
            keras.saving.register_keras_serializable(package, plain)(thing)
        known[name] = thing
    private.make_known(surroundings.custom_objects)


@contextlib.contextmanager
def surrounded(surroundings: Surroundings) -> Iterator[None]:
    """Keras as it was set when the search began, for a model that is built in the kernel; afterwards as it is set now."""
    now = Surroundings.here()
    apply(surroundings)
    try:
        yield
    finally:
        apply(now)
