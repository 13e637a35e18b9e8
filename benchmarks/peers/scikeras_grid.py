"""scikit-learn's `GridSearchCV` over SciKeras, `n_jobs=2`. The one fold is the validation rows that everyone has."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from benchmarks.peers import PROCESSES, report, workload_of
from benchmarks.workloads import SEED, WORKLOADS


def build(workload: str, **given: Any) -> Any:
    """SciKeras hands in more than the values."""
    chosen = WORKLOADS[workload]
    return chosen.compiled({name: given[name] for name in chosen.grid})


def accuracy(estimator: Any, x: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(estimator.predict(x).argmax(-1) == y.argmax(-1)))


def error(estimator: Any, x: np.ndarray, y: np.ndarray) -> float:
    return -float(np.mean(np.abs(estimator.predict(x).reshape(y.shape) - y)))


def main() -> None:
    import keras
    from scikeras.wrappers import BaseWrapper
    from sklearn.model_selection import GridSearchCV, PredefinedSplit

    workload = workload_of(sys.argv)
    rows = workload.rows()
    fold = np.concatenate([np.full(len(rows.x), -1), np.zeros(len(rows.x_val), int)])
    settings = {f"callbacks__{name}": getattr(workload.stopper(), name) for name in ("monitor", "patience")}
    wrapper = BaseWrapper(
        build,
        model__workload=workload.name,
        epochs=workload.epochs,
        verbose=0,
        random_state=SEED,
        callbacks=keras.callbacks.EarlyStopping,
        callbacks__restore_best_weights=True,
        **settings,
        fit__validation_data=(rows.x_val, rows.y_val),
    )
    grid = {f"model__{name}": values for name, values in workload.grid.items()}
    if workload.repeats > 1:
        grid["random_state"] = list(range(SEED, SEED + workload.repeats))
    search = GridSearchCV(
        wrapper,
        grid,
        scoring=accuracy if workload.sign == 1 else error,
        cv=PredefinedSplit(fold),
        n_jobs=PROCESSES,
        refit=False,
    )
    search.fit(np.concatenate([rows.x, rows.x_val]), np.concatenate([rows.y, rows.y_val]))
    scores: dict[tuple[Any, ...], list[float]] = {}
    for parameters, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
        scores.setdefault(tuple(parameters[f"model__{name}"] for name in workload.grid), []).append(score)
    best = max(scores, key=lambda values: np.mean(scores[values]))
    values = dict(zip(workload.grid, best, strict=True))
    report(workload, values, workload.sign * float(np.mean(scores[best])), len(search.cv_results_["params"]))


if __name__ == "__main__":
    main()
