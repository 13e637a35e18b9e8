"""Which cases of a test every run has; the others are left to `make test-all`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def cases(every: Iterable[Any], quick: Iterable[Any]) -> list[Any]:
    """What `parametrize` takes: those that are not among the quick ones are marked slow. Tuples are several arguments."""
    every, quick = list(every), list(quick)
    assert all(each in every for each in quick), "a quick case that is not there"
    return [each if each in quick else _slow(each) for each in every]


def _slow(case: Any) -> Any:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
