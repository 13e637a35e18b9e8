"""nbtune with `--engine fused`."""

from __future__ import annotations

import sys
import tempfile

from benchmarks.peers import report, workload_of


def main(engine: str) -> None:
    import nbtune

    workload = workload_of(sys.argv)
    rows = workload.rows()
    axes = {name: values for name, values in workload.grid.items() if name in ("layers", "units", "learning_rate", "loss")}
    with tempfile.TemporaryDirectory() as folder:
        search = nbtune.tune(
            workload.build,
            (rows.x, rows.y),
            validation_data=(rows.x_val, rows.y_val),
            epochs=workload.epochs,
            patience=workload.patience,
            objective=workload.objective,
            repeats=workload.repeats,
            engine=engine,
            dir=folder,
            **axes,
            axis={name: values for name, values in workload.grid.items() if name not in axes},
        )
        epochs = [trial.epochs for trial in search.trials]
        report(workload, search.best.values, search.best.score, search.coverage.done, epochs)


if __name__ == "__main__":
    main("fused")
