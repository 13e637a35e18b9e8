"""`python -m benchmarks [WORKLOAD ...] [--peers NAME,...]`: runs them one after another and writes the table anew.

Results gather in results.json, so that a run can be taken up again: what was measured is replaced, the rest stays.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import psutil

from benchmarks.arithmetic import arithmetic
from benchmarks.measure import measured
from benchmarks.table import machine, versions, write
from benchmarks.workloads import WORKLOADS

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PEERS = [
    "nbtune_fused",
    "nbtune_auto",
    "nbtune_cells",
    "nbtune_trial",
    "optuna_grid",
    "ray_grid",
    "scikeras_grid",
    "bare_loop",
    "keras_tuner_grid",
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", default=["a", "b", "c", "d"], choices=[*WORKLOADS, []])
    parser.add_argument("--peers", default=",".join(PEERS), help="comma list; all if left out")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds after which a peer is given up")
    parser.add_argument("--times", type=int, default=1, help="runs of each, the median of which counts")
    given = parser.parse_args()
    for name in given.workloads:
        for peer in given.peers.split(","):
            runs = sorted((run(name, peer, given.timeout) for _ in range(given.times)), key=_seconds)
            result = {**runs[len(runs) // 2], "runs": len(runs)}
            print(f"{name} {peer}: {result}", flush=True)
            keep(name, peer, result)
        keep(name, "arithmetic", arithmetic(WORKLOADS[name], json.loads(RESULTS.read_text())[name]))
    write(json.loads(RESULTS.read_text()), HERE / "README.md")


def run(workload: str, peer: str, timeout: float) -> dict[str, object]:
    """One measurement from a cold process: what it cost and what came of it, or why nothing did."""
    load = psutil.getloadavg()[0]
    circumstances = {
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "load_before": round(load, 1),
    }
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", f"benchmarks.peers.{peer}", workload]
        try:
            cost, out = measured(command, Path(folder), timeout)
            found = json.loads(out.strip().splitlines()[-1])
        except (RuntimeError, ValueError, IndexError) as error:
            last = (Path(folder) / "log.txt").read_text(errors="replace").strip().splitlines()[-1:]
            return {"error": " ".join([str(error), *last]), **circumstances}
    return {**found, **{name: round(value, 1) for name, value in asdict(cost).items()}, **circumstances}


def _seconds(result: dict[str, Any]) -> float:
    return float(result.get("seconds", math.inf))


def keep(workload: str, peer: str, result: dict[str, object]) -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results.setdefault(workload, {})[peer] = result
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
