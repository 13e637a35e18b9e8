"""nbtune with `--engine fused`."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import nbtune
from benchmarks.peers import report, workload_of
from benchmarks.workloads import Workload
from nbtune import Search


def begun(workload: Workload, folder: str, **options: Any) -> Search:
    """A search of nbtune over a workload's grid."""
    rows = workload.rows()
    named = {name: values for name, values in workload.grid.items() if name in ("layers", "units", "learning_rate", "loss")}
    return nbtune.tune(
        workload.build,
        (rows.x, rows.y),
        validation_data=(rows.x_val, rows.y_val),
        epochs=workload.epochs,
        patience=workload.patience,
        objective=workload.objective,
        repeats=workload.repeats,
        dir=folder,
        **named,
        axis={name: values for name, values in workload.grid.items() if name not in named},
        **options,
    )


def main(engine: str) -> None:
    workload = workload_of(sys.argv)
    with tempfile.TemporaryDirectory() as folder:
        search = begun(workload, folder, engine=engine)
        epochs = [trial.epochs for trial in search.trials]
        report(workload, search.best.values, search.best.score, search.coverage.done, epochs)


if __name__ == "__main__":
    main("fused")
