"""One case as a row of the table; in a module of its own, so that a process of a pool can import it."""

from __future__ import annotations

import keras

from tests.conformance.check import Outcome, examine
from tests.conformance.models import CASES


def row(outcome: Outcome) -> list[str]:
    if outcome.case.refused and outcome.error:
        return [outcome.case.name, f"not taken yet: {outcome.case.refused}", "", "", "", ""]
    seconds = [f"{outcome.seconds.get(by, float('nan')):.1f}" for by in ("model.fit", "trial", "fused")]
    return [outcome.case.name, f"no: {outcome.reason}" if outcome.reason else "yes", f"{outcome.largest:.0e}", *seconds]


def examined(place: int) -> tuple[list[str], list[str]]:
    """The row of one of `CASES`, and what is not as it should be."""
    case = CASES[place]
    outcome = examine(case)
    keras.utils.clear_session()
    if bool(outcome.failures) == bool(case.refused):
        return row(outcome), []
    return row(outcome), outcome.failures or ["it is taken now; take its mark away"]
