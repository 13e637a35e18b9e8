"""Optuna's `GridSampler` in two processes that share a journal."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.peers import PROCESSES, report, workload_of
from benchmarks.workloads import SEED, Workload


def study_of(workload: Workload, journal: Path) -> Any:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        sampler=optuna.samplers.GridSampler(workload.grid, seed=SEED),
        direction="maximize" if workload.sign == 1 else "minimize",
        study_name=workload.name,
        load_if_exists=True,
    )


def work(workload: str, journal: Path) -> None:
    from benchmarks.workloads import WORKLOADS

    chosen = WORKLOADS[workload]
    rows = chosen.rows()

    def objective(trial: Any) -> float:
        return chosen.score({name: trial.suggest_categorical(name, values) for name, values in chosen.grid.items()}, rows)

    study_of(chosen, journal).optimize(objective)


def main() -> None:
    workload = workload_of(sys.argv)
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.log"
        study_of(workload, journal)
        context = multiprocessing.get_context("spawn")
        workers = [context.Process(target=work, args=(workload.name, journal)) for _ in range(PROCESSES)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        study = study_of(workload, journal)
        report(workload, study.best_params, study.best_value, len(study.trials))


if __name__ == "__main__":
    main()
