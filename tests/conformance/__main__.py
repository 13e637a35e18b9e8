"""Runs all models, prints a table, and writes it to the documentation: `make conformance`. Some, by a part of their names, with
arguments; then nothing is written. `--jobs=8` runs eight at a time, each in a process."""

from __future__ import annotations

import os
import platform
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import keras
import tensorflow as tf

from tests.conformance.models import CASES
from tests.conformance.rows import examined

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
HEAD = ("model", "trained together", "largest relative difference", "seconds: model.fit", "one by one", "together")


def page(rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in [list(HEAD), ["---"] * len(HEAD), *rows]]
    versions = {"python": platform.python_version(), "keras": keras.__version__, "tensorflow": tf.__version__}
    device = "a GPU" if tf.config.list_physical_devices("GPU") else f"a CPU with {os.cpu_count()} cores"
    return "\n".join([_INTRODUCTION.format(device=device, **versions), *lines, ""])


_INTRODUCTION = """\
# The same numbers as `model.fit`

Each of these models is trained at two learning rates for three epochs, with a shorter last batch: by `model.fit`, and in a
search by each engine. Compared are every metric of every epoch, the best epoch, the weights that are restored,
`best_model.evaluate`, the history of `search.code()` and the weights of `search.refit()`. The table shows the largest relative
difference in a history, and the seconds for the two trials, compilation included. `make conformance` writes this page.

Python {python}, Keras {keras}, TensorFlow {tensorflow}, on {device}.
"""


def main(arguments: list[str]) -> int:
    jobs = next((int(each.removeprefix("--jobs=")) for each in arguments if each.startswith("--jobs=")), 1)
    parts = [each.lower() for each in arguments if not each.startswith("--")]
    places = [i for i, case in enumerate(CASES) if not parts or any(part in case.name.lower() for part in parts)]
    rows, wrong = [], 0
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for shown, failures in pool.map(examined, places):
            rows.append(shown)
            wrong += bool(failures)
            print("\n".join([f"  WRONG {shown[0]}: {failure}" for failure in failures] + ["  ".join(shown)]), flush=True)
    if not parts:
        PAGE.write_text(page(rows), encoding="utf-8")
    print(f"{len(rows)} models, {wrong} not as they should be")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
