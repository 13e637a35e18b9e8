"""`keras_tuner.GridSearch`, in this process."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

from benchmarks.peers import report, workload_of
from benchmarks.workloads import SEED


def main() -> None:
    import keras_tuner

    workload = workload_of(sys.argv)
    rows = workload.rows()

    def build(hp: Any) -> Any:
        return workload.compiled({name: hp.Choice(name, values) for name, values in workload.grid.items()})

    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.GridSearch(
            build,
            objective=keras_tuner.Objective(workload.objective, "max" if workload.sign == 1 else "min"),
            max_trials=len(workload.combinations),
            executions_per_trial=workload.repeats,
            seed=SEED + 1,  # to KerasTuner, 0 is no seed
            directory=folder,
        )
        tuner.search(
            rows.x,
            rows.y,
            epochs=workload.epochs,
            validation_data=(rows.x_val, rows.y_val),
            callbacks=[workload.stopper()],
            verbose=0,
        )
        best = tuner.oracle.get_best_trials(1)[0]
        report(workload, best.hyperparameters.values, best.score, len(tuner.oracle.trials))


if __name__ == "__main__":
    main()
