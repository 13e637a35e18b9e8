"""What is written out is run in an empty namespace, and has to give what the function gives here."""

from __future__ import annotations

import functools
import math as mathematics

import keras
import keras_tuner
import numpy as np
import pytest

from nbtune.ask.function import Function
from nbtune.report.script_around import Around

FACTOR, TABLE = 3, {"low": 0.5, "none": None, "far": (float("inf"), [1, 2])}
WEIGHTS = np.array([1.0, 2.5], "float32")


def written(function):
    """The function that the text of `function` gives, and the text."""
    around = Around(Function.of(function))
    text = "\n".join([*sorted(around.imports), around.text])
    names = {"keras": keras, "np": np, "__name__": "elsewhere"}
    exec(text, names)
    return eval(around.function, names), text


def scaled(factor):
    def scale(value):
        return value * factor

    scale.__name__ = f"scale_{factor}"
    return scale


twice, thrice = scaled(2), scaled(3)
KNOWN = {"two": twice, "half": lambda value: value / 2, "root": mathematics.sqrt}
LIST = [scaled(FACTOR), functools.partial(pow, 2)]
shifted = lambda value: value + FACTOR  # noqa: E731
negated = functools.partial(lambda value, sign: sign * value, sign=-1)


def one_in_a_variable(units):
    return twice(units), twice.__name__


def two_of_one_maker(units):
    return twice(units), thrice(units), twice.__name__, thrice.__name__


def those_in_containers(units):
    return [make(units) for make in KNOWN.values()] + [make(units) for make in LIST]


def lambdas(units):
    return shifted(units), negated(units), (lambda value: shifted(value) * 2)(units)


def values(units):
    return TABLE["low"] * units, TABLE["far"], (WEIGHTS * units).tolist(), WEIGHTS.dtype.name, mathematics.pi


def calls_itself(units):
    return 1 if units < 2 else units * other(units)


def other(units):
    return calls_itself(units - 1)


def logged(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return ("logged", function(*args, **kwargs))

    return inner


@logged
def decorated(units, factor=FACTOR):
    return units * factor


class Base:
    start = FACTOR

    def more(self, value):
        return value + self.start


class Adder(Base):
    def __init__(self, amount, name="adder"):
        self.amount, self.name = amount, name

    def __call__(self, value):
        return super().more(value) + shifted(self.amount)


adder = Adder(4)


def classes(units):
    return adder(units), Adder(1)(units), adder.name


class Maker:
    def __init__(self, factor):
        self.factor = factor

    def make(self, units):
        return thrice(units) * self.factor


def losses(units):
    return OWN(np.zeros(2), np.full(2, float(units))).numpy().item(), HUBER.get_config()


class Off(keras.losses.Loss):
    def __init__(self, by, name="off"):
        super().__init__(name=name)
        self.by = by

    def call(self, y_true, y_pred):
        return keras.ops.mean(y_pred, axis=-1) + self.by

    def get_config(self):
        return {"by": self.by, "name": self.name}


OWN, HUBER = Off(2.0), keras.losses.Huber(0.5)


def closure(depth):
    def build(units):
        return [twice(units)] * depth

    return build


CASES = {
    **{
        function.__name__: function
        for function in (
            *(one_in_a_variable, two_of_one_maker, those_in_containers, lambdas, values, calls_itself, decorated, classes),
            losses,
        )
    },
    "a method": Maker(5).make,
    "a closure": closure(2),
    "a lambda": lambda units: twice(units) + FACTOR,
    "one of two lambdas": [lambda units: units + 1, lambda units: (lambda value: value * 7)(units)][1],
}


@pytest.mark.parametrize("case", CASES)
def test_the_text_gives_the_same_function(case):
    function, text = written(CASES[case])
    assert function(4) == CASES[case](4), text
    assert "as in your notebook" not in text


class Hyper(keras_tuner.HyperModel):
    def __init__(self, classes, act="relu"):
        super().__init__()
        self.classes, self.act = classes, act

    def build(self, hp):
        return thrice(hp.Int("units", 4, 8)), self.classes, self.act


@pytest.mark.parametrize("made", [Hyper(3), Hyper(classes=2, act="tanh")])
def test_a_hypermodel_is_made_again(made):
    build, text = written(made)
    assert build(keras_tuner.HyperParameters()) == made.build(keras_tuner.HyperParameters()) == (12, made.classes, made.act)
    assert "as in your notebook" not in text


def test_a_value_that_has_no_text_is_said():
    thing = object()

    def build(units):
        return thing, units

    assert "# thing: as in your notebook, object" in Around(Function.of(build)).text


def test_a_layer_with_weights_is_not_taken_for_its_configuration():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))

    def build(units):
        return layer

    assert "# layer: as in your notebook, Dense" in Around(Function.of(build)).text
