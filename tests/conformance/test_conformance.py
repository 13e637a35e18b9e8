"""The promise of the same numbers: models of many kinds by both engines against plain `model.fit` (`reference`).

A few are part of every test run, and some more of `make test-all`; `make conformance` runs all, and writes `docs/conformance.md`.
"""

from __future__ import annotations

import inspect
import os

import numpy as np
import pytest

from nbtune.training.fused.layers.kinds import KINDS
from tests.conformance import images, sequences, tables
from tests.conformance.case import SERIES
from tests.conformance.check import examine, without_influence
from tests.conformance.models import CASES

ALL = os.environ.get("NBTUNE_CONFORMANCE") == "all"
IN_EVERY_RUN = ["Conv2D"]


def _marked(case):
    refused = [pytest.mark.xfail(reason=case.refused, strict=True)] if case.refused else []
    slow = [] if case.name in IN_EVERY_RUN else [pytest.mark.slow]
    return pytest.param(case, marks=[*refused, *slow], id=case.name)


@pytest.mark.parametrize("case", [_marked(case) for case in CASES if case.quick or ALL])
def test_the_numbers_are_those_of_model_fit(case):
    assert examine(case).failures == []


def test_what_is_not_compared_has_no_influence():
    model = sequences.attention()
    before = model.predict(SERIES, verbose=0)
    (bias,) = [weight for weight in model.weights if without_influence(weight.path)]
    bias.assign(np.random.default_rng(0).normal(size=bias.shape))
    np.testing.assert_allclose(model.predict(SERIES, verbose=0), before, rtol=1e-5)


@pytest.mark.parametrize("layer", [name for name, kind in KINDS.items() if kind.proven])
def test_what_a_stack_need_not_prove_is_proven_here(layer):
    assert any(f"layers.{layer}(" in inspect.getsource(module) for module in (images, sequences, tables))
