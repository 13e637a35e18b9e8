"""Runs all models, prints a table, and writes it to the documentation: `make conformance`. Some, by a part of their names, with
arguments; then nothing is written."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import tensorflow as tf

from tests.conformance.check import Outcome, examine
from tests.conformance.models import CASES

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
HEAD = ("model", "trained together", "largest relative difference", "seconds: model.fit", "one by one", "together")


def row(outcome: Outcome) -> list[str]:
    if outcome.case.refused and outcome.error:
        return [outcome.case.name, f"not taken yet: {outcome.case.refused}", "", "", "", ""]
    seconds = [f"{outcome.seconds.get(by, float('nan')):.1f}" for by in ("model.fit", "trial", "fused")]
    return [outcome.case.name, f"no: {outcome.reason}" if outcome.reason else "yes", f"{outcome.largest:.0e}", *seconds]


def page(rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in [list(HEAD), ["---"] * len(HEAD), *rows]]
    return "\n".join([_INTRODUCTION.format(keras=keras.__version__, tensorflow=tf.__version__), *lines, ""])


_INTRODUCTION = """\
# The same numbers as `model.fit`

Each of these models is trained at two learning rates for three epochs, with a shorter last batch: by `model.fit`, and in a
search by each engine. Compared are every metric of every epoch, the best epoch, the weights that are restored,
`best_model.evaluate`, the history of `search.code()` and the weights of `search.refit()`. The table shows the largest relative
difference in a history, and the seconds for the two trials, compilation included. `make conformance` writes this page.

Keras {keras}, TensorFlow {tensorflow}, on a CPU.
"""


def main(parts: list[str]) -> int:
    cases = [case for case in CASES if not parts or any(part.lower() in case.name.lower() for part in parts)]
    rows, wrong = [], 0
    for case in cases:
        outcome = examine(case)
        rows.append(row(outcome))
        failures = outcome.failures
        if bool(failures) != bool(case.refused):
            wrong += 1
            for failure in failures or ["it is taken now; take its mark away"]:
                print(f"  WRONG {case.name}: {failure}", flush=True)
        print("  ".join(rows[-1]), flush=True)
        keras.utils.clear_session()
    if not parts:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(rows), encoding="utf-8")
    print(f"{len(cases)} models, {wrong} not as they should be")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
