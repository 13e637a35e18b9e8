"""The final model: the best combination with the weights of its best epoch, or trained anew, and what it says of rows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from statistics import median_high
from typing import TYPE_CHECKING, Any

from nbtune.data import arrays
from nbtune.data.rows import Data, Inputs
from nbtune.data.tree import map_leaves
from nbtune.errors import UsageError
from nbtune.record import files
from nbtune.record.job import Job
from nbtune.record.looks import looked
from nbtune.record.progress import Trial
from nbtune.report.evaluation import Evaluation
from nbtune.report.verification import Verification
from nbtune.run.begun import apart, as_begun
from nbtune.run.judged import digest, rows_for_a_test
from nbtune.run.lifecycle import Run
from nbtune.training import winner

if TYPE_CHECKING:
    import keras
    import keras_tuner
    import numpy as np


@dataclass(frozen=True)
class Winner:
    """The best combination of a search, whose weights are on disk: `Search` has the docstrings of what it gives."""

    run: Run
    trial: Trial

    def model(self) -> keras.Model:
        """Imports Keras."""
        job = self.run.job.best_run(self.trial.scores)
        x = rows_of_run(self.run.job, job, self.run.request.data)
        return winner.model(apart(as_begun(job, self.run.request)), x, self.trial.values, self.weights())

    def refitted(self, epochs: int | None) -> keras.Model:
        """Imports Keras."""
        weights = self.run.refit(self.trial, epochs or usual_epochs(self.run.job, self.trial))
        job = as_begun(self.run.job.best_run(self.trial.scores).on_all_rows, self.run.request)
        return winner.model(job, self.run.request.data.x, self.trial.values, weights)

    def weights(self) -> Path:
        """The file of its weights.

        Raises:
            UsageError: there is none, or it is lost or damaged.
        """
        job, best = self.run.job, self.trial
        if best.weights is None:
            raise UsageError("the best trial was stopped before it handed in its weights; search.resume() trains it further")
        weights = job.weights(best.id)
        of_folds = [(job.weights_of_fold(best.id, int(fold)), stamp) for fold, stamp in best.fold_weights.items()]
        try:
            whole = all(files.is_as_stamped(path, job.project, stamp) for path, stamp in [(weights, best.weights), *of_folds])
        except OSError:
            whole = False
        if not whole:
            raise UsageError(f"{weights} is lost or damaged; run the cell again, which trains this trial anew")
        return weights

    def evaluation(self, x: Any, y: Any) -> Evaluation:
        """On rows that took no part, in a worker; the look is counted."""
        weights, rows = self.weights(), rows_for_a_test(x, y, self.run.request.data)
        metrics = self.run.crew.evaluate(self.trial, weights, rows)
        return Evaluation(self.trial.label, metrics, rows.rows, looked(self.run.project.path, digest(rows)))

    def out_of_fold(self) -> np.ndarray:
        """In a worker.

        Raises:
            UsageError: no folds.
        """
        if self.run.job.folds == 1:
            raise UsageError("out-of-fold predictions come from cross-validation; add --folds 5 to the search")
        self.weights()
        return self.run.crew.out_of_fold(self.trial)

    def saved(self, path: str | os.PathLike[str], refit: bool) -> Path:
        """The file of the whole model, which a worker writes."""
        weights = self.weights()
        file = Path(path or f"{self.run.project.path.name}{'-refit' * refit}.keras").absolute()
        if file.suffix != ".keras":
            raise UsageError(f"{file.name!r} must end in .keras")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            weights = self.run.refit(self.trial, usual_epochs(self.run.job, self.trial)) if refit else weights
            self.run.crew.save(self.trial, weights, file, refit)
        except OSError as error:
            raise UsageError(f"cannot write {file}: {error.strerror}") from None
        return file


def verification(run: Run, trial: Trial) -> Verification:
    """A trial beside plain `model.fit` of its combination, in a worker."""
    if not trial.history:
        raise UsageError(f"this combination has no history to compare: {trial.label} is {trial.status}")
    return Verification(trial.label, trial.history, run.model_fit(trial), run.progress.objective)


def tuner(run: Run) -> keras_tuner.GridSearch:
    """Stock KerasTuner on the project. Imports Keras."""
    job = apart(as_begun(run.job, run.request))
    return winner.tuner(job, run.request.data.x, run.progress.trials)


def usual_epochs(job: Job, trial: Trial) -> int:
    """A trial's best epoch; with folds the median of theirs, the later one of two in the middle."""
    return median_high(trial.best_epochs) if job.folds > 1 and trial.best_epochs else trial.best_epoch or 1


def rows_of_run(job: Job, run: Job, data: Data) -> Inputs:
    """The features that a run of a job trains on where it is of a fold, to which layers are adapted; else all."""
    if run.fold is None:
        return data.x
    rows = arrays.folds_of(data, job.targets, job.seed)[run.fold].train
    return map_leaves(lambda leaf: leaf[rows], data.x)
