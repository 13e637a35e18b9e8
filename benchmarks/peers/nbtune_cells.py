"""nbtune as in a notebook, by the cells of one in IPython: `%load_ext nbtune`, the data, `%%tune`."""

from __future__ import annotations

import sys
import tempfile

from benchmarks.peers import report, workload_of

DATA = """
from benchmarks.workloads import WORKLOADS
rows = WORKLOADS["{name}"].rows()
x, y, x_val, y_val = rows.x, rows.y, rows.x_val, rows.y_val
"""
TUNE = """%%tune {line}
from benchmarks.workloads import {function}
"""


def main() -> None:
    from IPython.core.interactiveshell import InteractiveShell

    workload, shell = workload_of(sys.argv), InteractiveShell.instance()
    with tempfile.TemporaryDirectory() as folder:
        options = {
            "build": workload.build.__name__,
            "data": "x,y",
            "validation-data": "x_val,y_val",
            "epochs": workload.epochs,
            "patience": workload.patience,
            "objective": workload.objective,
            "repeats": workload.repeats,
            "dir": folder,
        }
        axes = [f"--axis {name}={','.join(map(str, values))}" for name, values in workload.grid.items()]
        line = " ".join([*(f"--{name} {value}" for name, value in options.items()), *axes])
        tune = TUNE.format(line=line, function=workload.build.__name__)
        for cell in ("%load_ext nbtune", DATA.format(name=workload.name), tune):
            shell.run_cell(cell).raise_error()
        search = shell.user_ns["search"]
        epochs = [trial.epochs for trial in search.trials]
        report(workload, search.best.values, search.best.score, search.coverage.done, epochs)


if __name__ == "__main__":
    main()
