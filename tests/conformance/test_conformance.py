"""The promise of the same numbers: models of many kinds by both engines against plain `model.fit` (`reference`).

A few are part of every test run; `make conformance` runs all, and writes `docs/conformance.md`.
"""

from __future__ import annotations

import inspect
import os

import pytest

from nbtune.training.fused.layers.kinds import KINDS
from tests.conformance import images, sequences, tables
from tests.conformance.check import examine
from tests.conformance.models import CASES

ALL = os.environ.get("NBTUNE_CONFORMANCE") == "all"


def _marked(case):
    refused = pytest.mark.xfail(reason=case.refused, strict=True) if case.refused else ()
    return pytest.param(case, marks=refused, id=case.name)


@pytest.mark.parametrize("case", [_marked(case) for case in CASES if case.quick or ALL])
def test_the_numbers_are_those_of_model_fit(case):
    assert examine(case).failures == []


@pytest.mark.parametrize("layer", [name for name, kind in KINDS.items() if kind.proven])
def test_what_a_stack_need_not_prove_is_proven_here(layer):
    assert any(f"layers.{layer}(" in inspect.getsource(module) for module in (images, sequences, tables))
