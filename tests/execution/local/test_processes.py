"""Functions that have processes of their own compute something, with functions of the notebook."""

from __future__ import annotations

from nbtune import tune

NOTEBOOK = """
def square(x): return x * x

def by_pool():
    from multiprocessing import Pool
    with Pool(2) as pool: return pool.map(square, [1, 2])

def by_executor():
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(2) as pool: return list(pool.map(square, [1, 2]))

def by_joblib():
    from joblib import Parallel, delayed
    return Parallel(n_jobs=2)(delayed(square)(x) for x in (1, 2))

WAYS = {"Pool": by_pool, "ProcessPoolExecutor": by_executor, "joblib": by_joblib}

def build(how):
    import keras
    layers = [keras.layers.Dense(units) for units in WAYS[how]()]
    return keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(3, activation="softmax")])
"""


def test_a_function_may_use_processes(flowers, here):
    notebook = {"__name__": "__main__"}
    exec(NOTEBOOK, notebook)
    ways = {"how": list(notebook["WAYS"])}
    search = tune(notebook["build"], flowers, axis=ways, epochs=1, workers=2, retries=0, trial_timeout=60, dir=str(here))
    assert [(trial.status, trial.error) for trial in search.trials] == [("done", None)] * 3
