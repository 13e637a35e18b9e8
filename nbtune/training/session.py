"""A fresh start for a model: Keras forgets the models before, and keeps the settings of the user's notebook."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from nbtune.ask.surroundings import Surroundings, of_tensorflow
from nbtune.machine import TENSORFLOW
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
    """Sets Keras and TensorFlow in this process as the notebook has them."""
    _apply_to_tensorflow(surroundings.tensorflow)
    if not surroundings.config:
        return
    for name, value in surroundings.config.items():
        getattr(keras.config, f"set_{name}")(value)
    keras.config.set_dtype_policy(surroundings.dtype_policy)
    filters = keras.config.enable_traceback_filtering if surroundings.filtered else keras.config.disable_traceback_filtering
    filters()
    known = keras.saving.get_custom_objects()
    for name, thing in surroundings.custom_objects.items():
        package, mark, plain = name.partition(">")
        if mark and known.get(name) is not thing:
            keras.saving.register_keras_serializable(package, plain)(thing)
        known[name] = thing
    private.make_known(surroundings.custom_objects)


def _apply_to_tensorflow(settings: Mapping[str, Any]) -> None:
    """What is so already is left alone: some of it TensorFlow takes only before it has run anything."""
    if not settings or keras.backend.backend() != TENSORFLOW:
        return
    import tensorflow as tf

    now = of_tensorflow()
    changed = {name: value for name, value in settings.items() if value != now[name]}
    if changed.get("determinism"):  # TensorFlow has no public way back
        tf.config.experimental.enable_op_determinism()
    if "eager" in changed:
        tf.config.run_functions_eagerly(changed["eager"])
    if "options" in changed:
        tf.config.optimizer.set_experimental_options(changed["options"])
    if "jit" in changed:
        tf.config.optimizer.set_jit(changed["jit"])
    if "tensor_float_32" in changed:
        tf.config.experimental.enable_tensor_float_32_execution(changed["tensor_float_32"])


@contextlib.contextmanager
def surrounded(surroundings: Surroundings) -> Iterator[None]:
    """Keras as it was set when the search began, for a model that is built in the kernel; afterwards as it is set now."""
    now = Surroundings.here()
    apply(surroundings)
    try:
        yield
    finally:
        apply(now)
