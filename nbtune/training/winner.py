"""What the winner becomes: a model, or a stock KerasTuner tuner."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbtune.ask.space import Value
from nbtune.data.content import thaw
from nbtune.data.rows import Inputs
from nbtune.record.job import Job
from nbtune.record.progress import Trial

if TYPE_CHECKING:
    import keras
    import keras_tuner


def model(job: Job, x: Inputs, values: Mapping[str, Value], weights: Path) -> keras.Model:
    """The combination's model with these weights, compiled for labels as the user has them. Imports Keras.

    Args:
        job: of the run that the weights come from, under whose seed the model is built.
    """
    with _quiet():
        from nbtune.training.compiling import delivered  # here: in the kernel, so not before it is asked for
        from nbtune.training.session import surrounded

        with surrounded(job.surroundings), thaw.kept(job.frozen):
            built = delivered(replace(job, arrived=True), values, x)
            built.load_weights(weights)
    return built


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps out of the notebook what TensorFlow writes past Python when it is loaded: ten red lines on its build and devices."""
    if "tensorflow" in sys.modules:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def tuner(job: Job, x: Inputs, trials: Sequence[Trial]) -> keras_tuner.GridSearch:
    """Stock KerasTuner on the project of a search, with these of its trials. Imports Keras."""
    import keras_tuner

    from nbtune.training.compiling import delivered

    names = {trial.id for trial in trials}

    def built(hp: keras_tuner.HyperParameters) -> keras.Model:
        run = runs.get(json.dumps(dict(hp.values), sort_keys=True), job)
        with thaw.kept(run.frozen):
            return delivered(replace(run, arrived=True), hp.values, x)

    runs = {json.dumps(trial.values, sort_keys=True): job.best_run(trial.scores) for trial in trials}
    with contextlib.redirect_stdout(io.StringIO()):  # it prints that it reloads
        found = keras_tuner.GridSearch(
            built,
            objective=keras_tuner.Objective(job.objective.name, job.objective.direction),
            max_trials=len(trials),
            directory=str(job.project.parent),
            project_name=job.project.name,
        )
    found.oracle.trials = {id: trial for id, trial in found.oracle.trials.items() if id in names}
    return found
