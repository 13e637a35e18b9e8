"""The workers of a search, whoever they are at the moment: hired, asked, dismissed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nbtune.ask.space import Value
from nbtune.ask.strategy import TRIAL
from nbtune.data import arrays
from nbtune.data.rows import Data
from nbtune.execution.local.warm import Pool
from nbtune.record.events import Event
from nbtune.record.initial import Initial
from nbtune.record.job import Job
from nbtune.record.pace import Pace
from nbtune.record.predicted import Predicted
from nbtune.record.progress import Progress, Trial, Unit
from nbtune.run.begun import apart, as_begun
from nbtune.run.grouping import in_order, shared_out, units
from nbtune.run.judged import check_predictable, predicted, predicted_in_folds
from nbtune.run.opening import LOG, Opened, work_of
from nbtune.run.request import Request
from nbtune.run.site import Site

ROWS = "rows"
ALWAYS_PAY = 4  # fits, as `training.fused.worth` says
_TRAIN = ("refit", "model_fit")  # on the cluster, if there is one; what reads or writes the user's files is done here
WorkToDo = Future[Sequence[Sequence[int]]]  # the numbers of the combinations of each stack


class Crew:
    """At most one place to train at a time; each has a number, its generation.

    Args:
        hear: takes what workers tell, with their generation; called from any thread.

    Attributes:
        job: as the workers that are here have it.
        size: how many there are to be; 0 for none, and all is done in the calling thread.
        dask: the Dask cluster that they come from; None: processes of this machine.
    """

    def __init__(self, request: Request, found: Opened, pool: Pool, hear: Callable[[int, list[Event]], None]) -> None:
        self._request, self._pool, self._hear = request, pool, hear
        self._space, self._groups, self._log = found.space, found.groups, found.project.path / LOG
        self.size = found.workers
        self.job: Job = found.job if self.size else apart(found.job)
        self.dask = request.options.dask
        self._site: Site | None = found.site
        self._pace = Pace()
        self._generation = 0
        self._lock = threading.Lock()

    @property
    def pool(self) -> Pool:
        """Where the workers come from."""
        return self._pool

    def knows(self, generation: int) -> bool:
        """Whether these workers have not been dismissed."""
        return generation == self._generation

    def hire(self, pending: frozenset[int], came: Callable[[int, WorkToDo], None]) -> None:
        """Gets workers who have the data, and their work: `pending` combinations.

        However long that takes, they can be dismissed meanwhile.

        Args:
            came: is told their generation and their work, or what went wrong, from another thread.
        """
        generation, work = self._generation, WorkToDo()
        work.add_done_callback(partial(came, generation))
        if self.size == 0:
            self._hire(generation, pending, work)
        else:
            threading.Thread(target=self._hire, args=[generation, pending, work], name="nbtune-hire", daemon=True).start()

    def _hire(self, generation: int, pending: frozenset[int], work: WorkToDo) -> None:
        try:
            if self._site is None:
                self._open(generation)
            groups = [[i for i in group if i in pending] for group in self._groups]
            found = in_order(shared_out(groups, self.size, self._space, work_of(self._request)), self._space, self.size)
        except BaseException as error:
            work.set_exception(error)
        else:
            work.set_result(found)

    def _open(self, generation: int) -> None:
        site = Site.open(self.size, self._log, partial(self._hear, generation), self._pool, self.dask)
        try:
            job = self._with_data(site)
            with self._lock:
                if self.knows(generation):
                    self._site, self.job = site, job
                    return
        except BaseException:
            site.close()
            raise
        site.close()

    def _with_data(self, site: Site) -> Job:
        """The job for the workers of a site, to whom the data are written."""
        return self._written(site, "data", self._request.data)

    def _written(self, site: Site, name: str, rows: Data) -> Job:
        folder, job = site.scratch / name, self.job
        arrays.write(rows, folder, job.targets, job.seed, job.surroundings.floatx)
        return replace(job, folder=folder)

    def units(self, stacks: Sequence[Sequence[int]], ids: Sequence[str]) -> tuple[Unit, ...]:
        """What these stacks are expected to take; `ids`: of all trials."""
        return units(stacks, ids, self._space, work_of(self._request), self._pace)

    def learn(self, progress: Progress) -> None:
        """How long stacks take here, for the time left of the next search; a cluster's say nothing of it."""
        if self.dask is None:
            self._pace.learn(progress)

    def _with_rows(self, site: Site, rows: Data) -> Job:
        """The same to whom other rows are written, and the data where a fold's are needed to make its model."""
        job = self._written(site, ROWS, rows)
        return self._with_data(site) if job.folds > 1 else job

    def room(self) -> int:
        """How many are here now, or are expected."""
        return self._site.backend.size if self._site and self.dask is not None else self.size

    @property
    def one_is_a_stack(self) -> bool:
        """Whether a single trial has so many runs that to train them together always pays."""
        return self.job.engine != TRIAL and self.job.runs >= ALWAYS_PAY

    def submit(self, trials: Mapping[str, Mapping[str, Value]], together: bool) -> Future[Any]:
        """`together`: as a stack."""
        assert self._site is not None
        timeout = self._request.options.trial_timeout
        if not together:
            ((trial, values),) = trials.items()
            return self._site.backend.submit("fit", self.job, timeout, trial=trial, values=values)
        return self._site.backend.submit("fit_stack", self.job, timeout and timeout * len(trials), trials=trials)

    def pause(self) -> None:
        if self._site:
            self._site.backend.pause()

    def resume(self) -> None:
        if self._site:
            self._site.backend.resume()

    def finish_up(self) -> None:
        if self._site:
            self._site.backend.finish_up()

    def close(self) -> None:
        """Ends those that are here; what they said can still be heard."""
        if self._site:
            self._site.close()

    def dismiss(self) -> None:
        """As `close`, and forgets them, and those that are coming."""
        with self._lock:
            site, self._site = self._site, None
            self._generation += 1
        if site:
            site.close()
            self._pool.refill()

    def refit(self, trial: Trial, epochs: int) -> Path:
        """Trains a combination on all rows for so many epochs, in a worker of its own; returns the file of its weights."""
        found = self._in_a_worker("refit", trial, on_all_rows=True, epochs=epochs, rates=list(trial.rates))
        return self.job.project / str(found["weights"])

    def model_fit(self, trial: Trial) -> dict[str, list[float]]:
        """The history of a combination that plain `model.fit` trains, in a worker of its own."""
        history: dict[str, list[float]] = self._in_a_worker("model_fit", trial)["history"]
        return history

    def initial(self, trial: Trial) -> Initial:
        """What a combination's network starts from, beside the other initialisers of the search, or the usual ones."""
        inits = next((axis.values for axis in self._space.axes if axis.name == "init" and len(axis.values) > 1), ())
        known = [name for name in inits if name not in self.job.objects.get("init", {})]
        return Initial.of(self._in_a_worker("initial", trial, inits=known))

    def predict(self, trial: Trial, weights: Path) -> Predicted:
        """What the model with these weights makes of the validation rows, in a worker of its own; each fold's with folds."""
        data = self._request.data
        check_predictable(self.job, data)
        if self.job.folds > 1:
            return predicted_in_folds(self.job, trial.label, data, self.out_of_fold(trial))
        take = lambda job, found: predicted(job, trial.label, Path(found["output"]), data.class_names)  # noqa: E731
        result: Predicted = self._in_a_worker("predict", trial, take, weights=str(weights))
        return result

    def out_of_fold(self, trial: Trial) -> np.ndarray:
        """For each row the output of the network that did not train on it, `(rows, ...)`; NaN where all did.

        In a worker of its own, with the networks of the first seed.
        """
        paths = {fold: str(self.job.weights_of_fold(trial.id, int(fold))) for fold in trial.fold_weights}
        take = lambda job, found: np.load(found["output"])  # noqa: E731
        result: np.ndarray = self._in_a_worker("predict_folds", trial, take, every_run=True, weights=paths)
        return result

    def evaluate(self, trial: Trial, weights: Path, rows: Data) -> dict[str, float]:
        """The metrics of the model with these weights on these rows, in a worker of its own."""
        found: dict[str, float] = self._in_a_worker("evaluate", trial, rows=rows, weights=str(weights))["metrics"]
        return found

    def save(self, trial: Trial, weights: Path, path: Path, refit: bool = False) -> None:
        """Writes the whole model with these weights, in a worker of its own.

        Args:
            refit: the weights are those of the model that was trained on all rows.
        """
        self._in_a_worker("save", trial, on_all_rows=refit, weights=str(weights), path=str(path))

    def _in_a_worker(
        self,
        task: str,
        trial: Trial,
        take: Callable[[Job, dict[str, Any]], Any] = lambda job, found: found,
        rows: Data | None = None,
        on_all_rows: bool = False,
        every_run: bool = False,
        **arguments: Any,
    ) -> Any:
        """A task on one combination, for the run that stands for it.

        Args:
            take: makes something of the result while the files of the worker are still there.
            rows: other rows than those of the search, to be written for the worker.
            on_all_rows: the run's seed, and all rows, where it is of a fold.
            every_run: for all of its runs.
        """
        site = Site.open(min(self.size, 1), self._log, lambda events: None, self._pool, self.dask if task in _TRAIN else None)
        try:
            job = self._with_data(site) if rows is None else self._with_rows(site, rows)
            arguments |= {} if rows is None else {"rows": str(site.scratch / ROWS)}
            job = job if self.size else as_begun(job, self._request)
            job = job if every_run else job.best_run(trial.scores)
            job = job.on_all_rows if on_all_rows else job
            return take(job, site.backend.submit(task, job, values=dict(trial.values), **arguments).result())
        finally:
            site.close()
            self._pool.refill()
