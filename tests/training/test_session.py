"""What the notebook has set is set in a worker, and in the kernel only while a model is built there."""

from __future__ import annotations

import contextlib

import keras
import pytest
import tensorflow as tf

from nbtune.ask.surroundings import Surroundings
from nbtune.report.script_keras import settings_lines
from nbtune.training import session

SETTINGS = {
    "floatx": (keras.config.set_floatx, keras.config.floatx, "float64", "float32"),
    "data format": (keras.config.set_image_data_format, keras.config.image_data_format, "channels_first", "channels_last"),
    "epsilon": (keras.config.set_epsilon, keras.config.epsilon, 0.1, 1e-7),
    "policy": (keras.config.set_dtype_policy, lambda: keras.config.dtype_policy().name, "mixed_float16", "float32"),
    "eager": (tf.config.run_functions_eagerly, tf.config.functions_run_eagerly, True, False),
    "jit": (tf.config.optimizer.set_jit, tf.config.optimizer.get_jit, "autoclustering", ""),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_travels(name):
    put, get, value, usual = SETTINGS[name]
    with contextlib.ExitStack() as after:
        after.callback(put, usual)
        put(value)
        here = Surroundings.here()
        put(usual)
        with session.surrounded(here):
            assert get() == value
        assert get() == usual


def test_tracebacks_are_as_long_as_in_the_notebook():
    keras.config.disable_traceback_filtering()
    here = Surroundings.here()
    keras.config.enable_traceback_filtering()
    with session.surrounded(here):
        assert not keras.config.is_traceback_filtering_enabled()
    assert keras.config.is_traceback_filtering_enabled()


def test_a_script_sets_what_the_notebook_had_set():
    assert settings_lines(Surroundings.here()) == ""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        here = Surroundings.here()
    finally:
        keras.config.set_dtype_policy("float32")
    assert settings_lines(here) == "keras.config.set_dtype_policy('mixed_bfloat16')"
