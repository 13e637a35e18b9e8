"""The rules of kinds of layers are about layers that Keras has."""

from __future__ import annotations

from keras import layers

from nbtune.training.fused.layers.kinds import KINDS, Kind, exact, inherited


def test_each_rule_is_about_a_layer_of_keras():
    assert [name for name in KINDS if not isinstance(getattr(layers, name, None), type)] == []


def test_a_layer_made_from_another_has_its_way_of_training_but_not_its_numbers():
    class Own(layers.Conv2D):
        def call(self, x):
            return super().call(x) - 1

    assert exact(layers.Conv2D(2, 2)).per_example
    assert exact(Own(2, 2)) == Kind()
    assert inherited(Own(2, 2)).in_turn
    assert inherited(layers.LSTM(2)).recurrent
    assert not exact(layers.BatchNormalization()).per_example
