"""What is private in KerasTuner: it is there in this version, and where it is not, the user hears it in one line."""

from __future__ import annotations

import keras_tuner
import pytest

import nbtune
from nbtune.training.private import keras_tuner as private
from tests.conftest import dense


def build(hp):
    return dense(1, hp.Choice("units", [4, 8]) + hp.Fixed("more", 1))


def test_each_hyperparameter_is_told_before_it_has_a_value():
    """Seen in KerasTuner 1.4.7 and 1.4.8."""
    told = []
    hp = private.asked(lambda hp, asked: told.append((asked.name, asked.name in hp.values)))
    assert hp.Int("a", 1, 3) == 1
    with hp.conditional_scope("a", [1]):
        assert hp.Choice("b", ["x", "y"]) == "x"
    assert hp.Int("a", 1, 3) == 1
    assert told == [("a", False), ("b", False)]


def test_without_the_name_a_function_of_hp_is_refused_in_one_line(flowers, here, monkeypatch):
    monkeypatch.delattr(keras_tuner.HyperParameters, "_register")
    with pytest.raises(nbtune.UsageError, match="KerasTuner .* has no _register, which reading the space .* needs"):
        nbtune.tune(build, flowers, dir=str(here), workers=0, epochs=1)
