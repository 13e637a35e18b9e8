"""`python -m benchmarks.zoo.tools GRID TOOL EPOCHS`: one grid by one tool, from a cold process; prints what came of it."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from benchmarks.zoo.data import SEED
from benchmarks.zoo.grids import BATCH_SIZE, PATIENCE, RATES, ZOO, Grid

_COMPARED = (0, 5, 11)  # of a grid's combinations: each value of each axis


def nbtune(grid: Grid, epochs: int, engine: str = "auto") -> dict[str, Any]:
    import nbtune

    rows = grid.rows()
    with tempfile.TemporaryDirectory() as folder:
        search = nbtune.tune(
            grid.build,
            (rows.x, rows.y),
            validation_data=(rows.x_val, rows.y_val),
            axis=grid.axes,
            learning_rate=RATES,
            batch_size=[BATCH_SIZE],
            epochs=epochs,
            patience=PATIENCE,
            objective=grid.objective,
            seed=SEED,
            engine=engine,
            workers=2,
            dir=folder,
        )
        trials = [(dict(trial.values), trial.history, trial.alone or "") for trial in search.trials]
        assert search.coverage.done == len(grid.combinations), search.trials[0].error
    alone = [reason for _, _, reason in trials if reason]
    kept = [history for values, history, _ in trials for number in _COMPARED if _is(values, grid.combinations[number])]
    return {"stacked": len(trials) - len(alone), "why": "; ".join(dict.fromkeys(alone)), "histories": kept}


def _is(values: dict[str, Any], combination: dict[str, Any]) -> bool:
    return all(values[name] == value for name, value in combination.items())


def _of_fit(grid: Grid, epochs: int) -> dict[str, Any]:
    """What `fit` is called with."""
    import keras

    rows = grid.rows()
    stopper = keras.callbacks.EarlyStopping(grid.objective, mode=grid.mode, patience=PATIENCE, restore_best_weights=True)
    validation = (rows.x_val, rows.y_val)
    terms = {"epochs": epochs, "batch_size": BATCH_SIZE, "callbacks": [stopper], "verbose": 0}
    return {"x": rows.x, "y": rows.y, "validation_data": validation, **terms}


def _compiled(grid: Grid, values: dict[str, Any]) -> Any:
    model = grid.build(**{name: value for name, value in values.items() if name in grid.axes})
    model.optimizer.learning_rate = values["learning_rate"]
    return model


def keras_tuner(grid: Grid, epochs: int) -> dict[str, Any]:
    import keras_tuner

    def build(hp: Any) -> Any:
        axes = {**grid.axes, "learning_rate": RATES}
        return _compiled(grid, {name: hp.Choice(name, values) for name, values in axes.items()})

    with tempfile.TemporaryDirectory() as folder:
        objective = keras_tuner.Objective(grid.objective, "min" if grid.mode == "min" else "max")
        tuner = keras_tuner.GridSearch(build, objective, len(grid.combinations), seed=SEED + 1, directory=folder)
        tuner.search(**_of_fit(grid, epochs))
        return {"trials": len(tuner.oracle.trials)}


def model_fit(grid: Grid, epochs: int) -> dict[str, Any]:
    """Some of the combinations by plain `model.fit`: the histories that nbtune's have to be."""
    import keras

    histories = []
    for number in _COMPARED:
        keras.utils.clear_session()
        keras.utils.set_random_seed(SEED)
        model = _compiled(grid, grid.combinations[number])
        keras.utils.set_random_seed(SEED)
        fitted = model.fit(**_of_fit(grid, epochs))
        histories.append({name: [float(value) for value in values] for name, values in fitted.history.items()})
    return {"histories": histories}


TOOLS: dict[str, Callable[..., dict[str, Any]]] = {
    "auto": nbtune,
    "trial": lambda grid, epochs: nbtune(grid, epochs, "trial"),
    "keras_tuner": keras_tuner,
    "model_fit": model_fit,
}


if __name__ == "__main__":
    print(json.dumps(TOOLS[sys.argv[2]](ZOO[sys.argv[1]], int(sys.argv[3]))))
