"""What a notebook sets in libraries is found, and nothing else."""

from __future__ import annotations

import functools
import statistics

import numpy as np
import pytest

from nbtune.data.content.objects import Contents
from nbtune.data.content.planted import displaced, is_own, planted


def mine(*arguments):
    return 1.0


class Mine:
    pass


WAYS = {
    "numpy:mean": (np, "mean", mine),
    "numpy:median": (np, "median", functools.wraps(np.median)(lambda *arguments: 1.0)),
    "statistics:mean": (statistics, "mean", functools.partial(mine, 1)),
    "statistics:NormalDist": (statistics, "NormalDist", Mine),
    "statistics:NormalDist.pdf": (statistics.NormalDist, "pdf", mine),
    "statistics:NormalDist.mean": (statistics.NormalDist, "mean", property(mine)),
    "statistics:NormalDist.own": (statistics.NormalDist, "own", staticmethod(mine)),
}


@pytest.mark.parametrize("path", WAYS)
def test_code_of_the_users_own_in_a_library_is_found(monkeypatch, path):
    assert planted() == {}
    holder, name, thing = WAYS[path]
    before = vars(holder).get(name)
    monkeypatch.setattr(holder, name, thing, raising=False)
    assert planted() == {path: thing}
    assert is_own(thing)
    if isinstance(thing, type(mine)):
        assert displaced(before, path)
        assert Contents()(before), "it goes by its old name, for what was put there may call it"
        assert Contents()(thing) != Contents()(before)
    monkeypatch.undo()
    assert planted() == {}
