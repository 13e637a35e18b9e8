"""What a function is after its way to a worker."""

from __future__ import annotations

import pickle

from nbtune.execution.local import pickling


def test_code_knows_where_it_comes_from():
    def outer(a, *, b=2):
        def inner():
            return a + b

        return inner

    there = pickle.loads(pickling.dumps(outer))
    assert there(1)() == 3
    assert there.__code__.co_filename == there(1).__code__.co_filename == __file__
    assert there.__code__.co_firstlineno == outer.__code__.co_firstlineno
