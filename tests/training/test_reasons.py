"""What a user is told of why trials are trained one by one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from nbtune.ask.function import Function
from nbtune.training.reasons import CannotFuse, reason_of


class Raising(keras.layers.Layer):
    def __init__(self, error, **settings):
        super().__init__(**settings)
        self.error = error

    def call(self, inputs):
        raise self.error


def build():
    return keras.Sequential([Raising(ValueError())])


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CannotFuse("a cell that may not"), "a cell that may not"),
        (ValueError("no such columns"), "ValueError: no such columns, in your own code"),
    ],
)
def test_the_words_are_those_of_the_error_without_what_keras_puts_around_them(error, text):
    with pytest.raises(type(error)) as caught:
        keras.Sequential([Raising(error)])(np.zeros((1, 2), "float32"))
    assert reason_of(caught.value, Function.of(build)) == (text, False)
