"""The user's generators go on as if nothing had been built in between."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from nbtune.training import randomness

DRAWS = {
    "Python": lambda: random.random(),
    "NumPy": lambda: float(np.random.rand()),
    "TensorFlow": lambda: float(tf.random.uniform(())),
    "Keras": lambda: float(keras.random.uniform(())),
    "an initialiser": lambda: float(keras.initializers.RandomNormal()((1,))[0]),
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_go_on_where_they_were(name):
    draw = DRAWS[name]
    keras.utils.set_random_seed(3)
    expected = [draw() for _ in range(4)]
    if name == "Keras" and tuple(map(int, keras.__version__.split(".")[:2])) < (3, 13):
        pytest.skip("there no seed sets what is drawn without one")
    keras.utils.set_random_seed(3)
    found = [draw(), draw()]
    with randomness.kept():
        keras.utils.set_random_seed(8)
        inside = [draw() for _ in range(3)]
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dropout(0.5)])
    found += [draw(), draw()]
    assert found == expected
    assert not set(inside) & set(expected)


def test_names_are_those_of_a_new_process():
    keras.layers.Dense(1)
    with randomness.kept():
        assert keras.layers.Dense(1).name == "dense"
        assert keras.metrics.AUC().name == "auc"
    before = keras.layers.Dense(1).name
    with randomness.kept():
        keras.layers.Dense(1)
    number = int(before.rpartition("_")[2])
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"


def test_an_error_inside_puts_them_back_too():
    random.seed(1)
    expected = random.random()
    random.seed(1)

    def drawing():
        with randomness.kept():
            raise KeyError(random.random())

    with pytest.raises(KeyError):
        drawing()
    assert random.random() == expected
