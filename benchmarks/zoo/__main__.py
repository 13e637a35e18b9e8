"""`python -m benchmarks.zoo [GRID ...] [--tools auto,trial,...] [--epochs N]`: runs them one after another and writes the table.

Results gather in zoo.json beside the table, so that a part can be measured anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.measure import measured
from benchmarks.table import machine, versions
from benchmarks.zoo.grids import EPOCHS, ZOO
from benchmarks.zoo.report import write
from benchmarks.zoo.tools import TOOLS

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo", description=__doc__)
    parser.add_argument("grids", nargs="*", default=list(ZOO), choices=[*ZOO, []])
    parser.add_argument("--tools", default=",".join(TOOLS), help="comma list; all if left out")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--results", type=Path, default=HERE / "zoo.json")
    given = parser.parse_args()
    for grid in given.grids:
        for tool in given.tools.split(","):
            result = run(grid, tool, given.epochs)
            shown = {name: value for name, value in result.items() if name != "histories"}
            print(f"{grid} {tool}: {shown}", flush=True)
            keep(given.results, grid, tool, result)
    write(json.loads(given.results.read_text()), given.results.with_suffix(".md"), machine(), versions())


def run(grid: str, tool: str, epochs: int) -> dict[str, Any]:
    """One measurement from a cold process: what it cost and what came of it, or why nothing did."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.zoo.tools", grid, tool, str(epochs)]
        try:
            cost, out = measured(command, Path(folder), 3600)
            found = json.loads(out.strip().splitlines()[-1])
        except (RuntimeError, ValueError, IndexError) as error:
            last = (Path(folder) / "log.txt").read_text(errors="replace").strip().splitlines()[-1:]
            return {"error": " ".join([str(error), *last])}
    return {**found, **{name: round(value, 1) for name, value in asdict(cost).items()}, "date": date.today().isoformat()}


def keep(path: Path, grid: str, tool: str, result: dict[str, Any]) -> None:
    results = json.loads(path.read_text()) if path.exists() else {}
    results.setdefault(grid, {})[tool] = result
    path.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
