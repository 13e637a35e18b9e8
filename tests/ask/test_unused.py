"""Parameters that a function takes and does not use."""

from __future__ import annotations

import pytest

from nbtune.ask.unused import unused


def forgets(layers, units):
    return layers


def overwrites(layers, units):
    units = 64
    return units, layers


def overwrites_at_times(layers, units):
    if layers:
        units = 3
    return units


def converts(layers, units):
    units = int(units)
    return layers, units


def looks_around(layers, units):
    return locals()


def hands_in(layers, units):
    def inner():
        return units

    return [layers for _ in range(3)], inner


class Method:
    def forgets(self, layers, units=8, *, rate=0.1):
        return self, units, layers


@pytest.mark.parametrize(
    ("function", "lost"),
    [
        (forgets, {"units"}),
        (overwrites, {"units"}),
        (overwrites_at_times, set()),
        (converts, set()),
        (looks_around, set()),
        (hands_in, set()),
        (Method().forgets, {"rate"}),
        (len, set()),
        (lambda layers, units: layers, {"units"}),
    ],
)
def test_what_a_function_does_not_use(function, lost):
    assert unused(function) == lost
