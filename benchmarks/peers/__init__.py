"""One file for each way to explore a grid: `python -m benchmarks.peers.NAME WORKLOAD`.

Each prints, as its last line, JSON with the number of `trials`, the `winner` (axis to value) and its `score`; nbtune also
the `epochs` of each trial, in grid order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.workloads import WORKLOADS, Workload

PROCESSES = 2


def workload_of(arguments: list[str]) -> Workload:
    return WORKLOADS[arguments[1]]


def report(workload: Workload, values: Mapping[str, Any], score: float, trials: int, epochs: list[int] | None = None) -> None:
    winner = {name: values[name] for name in workload.grid}
    found = {"trials": trials, "winner": winner, "score": score, **({"epochs": epochs} if epochs else {})}
    print("\n" + json.dumps(found), flush=True)
