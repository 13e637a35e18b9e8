"""`Search`: the handle on one grid search, from its plan to its winner."""

from __future__ import annotations

import contextvars
import functools
import shutil
import threading
import time
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtune import machine, winner
from nbtune.engines.site import Site
from nbtune.errors import UsageError
from nbtune.events import FAILED, RUNNING, STOPPED, Event, StateChanged, TrialEnded, from_dict
from nbtune.options import Options
from nbtune.plan import Measured, Plan
from nbtune.prepare import Request, prepare
from nbtune.progress import Coverage, Progress, Trial
from nbtune.script import script
from nbtune.space import Value
from nbtune.store import Store, new_project
from nbtune.views.headline import headline
from nbtune.views.screen import Screen

if TYPE_CHECKING:
    import keras
    import keras_tuner
    import pandas
    from matplotlib.figure import Figure


class Search:
    """One grid search. `nbtune.tune` and `%%tune` make it; the README describes its members."""

    def __init__(self, request: Request, name: str, screen: Screen) -> None:
        """Looks at the function in a worker; trains nothing yet.

        Raises:
            UsageError: the request cannot be carried out; nothing is left on disk.
        """
        options = request.options
        self._request = request
        self._screen = screen
        self._taking = threading.RLock()
        self._over = threading.Event()  # and not Thread.join, which an interrupt can break
        self._over.set()
        self._workers = machine.usual_workers() if options.workers is None else options.workers
        self._project = new_project(Path(options.dir), name)
        self._site: Site | None = None
        try:
            site = self._open_site()
            self._space, self._job = prepare(request, site.engine, site.scratch, self._project)
            self._workers = min(self._workers, len(self._space))
            assert self._job.objective is not None
            self._progress = Progress(self._space, self._job.objective, self._job.epochs, self._workers)
            self._store = Store(self._project, self._space, self._progress, options.seed, options.keep)
            self._plan = Plan.of(self._space, options.epochs, self._workers, self._measure(site) if options.plan else None)
        except BaseException:
            self._close_site()
            shutil.rmtree(self._project)
            raise
        if options.plan:
            self._close_site()

    # ---- running

    @property
    def state(self) -> str:
        """ "planned", "running", "paused", "stopped" or "finished"."""
        return self._progress.state

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the search has ended; True if it has. An interrupt (■, Ctrl-C) stops the search and keeps its results.

        Args:
            timeout: seconds at most; None for as long as it takes.
        """
        if self.state in ("planned", "paused"):
            raise UsageError(f"the search is {self.state}; `%tune resume` or search.resume() sets it going")
        try:
            self._over.wait(timeout)
        except KeyboardInterrupt:
            self.stop()
        if self._over.is_set():
            self._screen.settle()
        return self._over.is_set()

    def pause(self) -> None:
        """Halts the workers where they are. Nothing is lost, and nothing is computed until `resume`."""
        if self.state != "running" or self._site is None:
            raise UsageError(f"only a running search can be paused; this one is {self.state}")
        self._site.engine.pause()
        self._take(StateChanged("paused", time.time()))

    def resume(self) -> None:
        """Goes on after `pause`; after `stop`, trains what was not done; starts a search that was only planned."""
        if self.state == "paused" and self._site:
            self._site.engine.resume()
            self._take(StateChanged("running", time.time()))
        elif self.state in ("planned", "stopped"):
            self._start()

    def stop(self) -> None:
        """Ends the search and keeps every result; trials under way are marked "stopped"."""
        if not self._over.is_set():
            self._close_site()
            self._over.wait()

    def _start(self) -> None:
        if self._site is None:
            site = self._open_site()
            self._job = replace(self._job, folder=site.scratch / "data")
            assert self._job.labels is not None
            self._request.data.write(self._job.folder, self._job.labels, self._job.seed)
        self._take(StateChanged("running", time.time()))
        self._over.clear()
        if self._workers == 0:  # here and now, for the debugger
            self._screen.begin(self._progress, self)
            self._run()
            return
        threading.Thread(target=contextvars.copy_context().run, args=[self._run], name="nbtune-search", daemon=True).start()
        self._screen.begin(self._progress, self)

    def _run(self) -> None:
        assert self._site is not None
        try:
            fits = []
            for trial in self._progress.trials:
                if not trial.ended or trial.status == STOPPED:
                    fit = self._site.engine.submit("fit", self._job, trial=trial.id, values=dict(trial.values))
                    fit.add_done_callback(functools.partial(self._trial_ended, trial.id))
                    fits.append(fit)
            wait_for(fits)
        except KeyboardInterrupt:  # reaches this only with --workers 0
            self._stop_running_trials()
        finally:
            self._close_site()
            over = all(trial.ended and trial.status != STOPPED for trial in self._progress.trials)
            self._take(StateChanged("finished" if over else "stopped", time.time()))
            self._store.write_oracle()
            self._over.set()

    def _trial_ended(self, trial: str, fit: Future[dict[str, Any]]) -> None:
        if fit.cancelled():
            self._stop_running_trials([trial])
        elif error := fit.exception():
            self._take(TrialEnded(trial, FAILED, error=str(error)))
        else:
            self._take(from_dict(fit.result()))

    def _stop_running_trials(self, among: list[str] | None = None) -> None:
        for trial in self._progress.trials:
            if trial.status == RUNNING and (among is None or trial.id in among):
                seconds = time.time() - (trial.started or time.time())
                self._take(TrialEnded(trial.id, STOPPED, seconds=seconds, error="the search was stopped"))

    def _take(self, *events: Event) -> None:
        with self._taking:
            for event in events:
                self._progress.apply(event)
                self._store.record(event)

    def _open_site(self) -> Site:
        self._site = Site.open(self._workers, self._project / "workers.log", lambda events: self._take(*events))
        return self._site

    def _close_site(self) -> None:
        site, self._site = self._site, None
        if site:
            site.close()

    def _measure(self, site: Site) -> Measured:
        values = self._space.combinations[len(self._space) // 2]
        return Measured(**site.engine.submit("measure", self._job, values=values).result())

    # ---- what came out

    @property
    def plan(self) -> Plan:
        """The size of the search and, with `plan=True`, its measured cost."""
        return self._plan

    @property
    def trials(self) -> list[Trial]:
        """Every combination, in grid order, as it stands now."""
        return self._progress.trials

    @property
    def coverage(self) -> Coverage:
        """How many combinations ended how, as it stands now."""
        return self._progress.coverage

    @property
    def best_so_far(self) -> Trial | None:
        """The best trial now; None before the first has a score."""
        return self._progress.best

    @property
    def best(self) -> Trial:
        """The best trial, once the search has ended.

        Raises:
            UsageError: no trial has a score.
        """
        if self.state == "running":
            self.wait()
        best = self._progress.best
        if best is None:
            reasons = [trial.error for trial in self.trials if trial.error]
            last = f", {reasons[0].splitlines()[-1]}" if reasons else ""
            raise UsageError(f"no trial has a score yet ({self.coverage}{last})")
        return best

    @property
    def best_hyperparameters(self) -> dict[str, Value]:
        """The best trial's values."""
        return dict(self.best.values)

    @property
    def best_model(self) -> keras.Model:
        """The best trial's model with the weights of its best epoch, compiled for labels as you have them."""
        return winner.model(self._job, self._request.data.x, self.best.values, self._job.weights(self.best.id))

    def refit(self, epochs: int | None = None) -> keras.Model:
        """The final model: the best combination, trained anew on training and validation data together.

        Args:
            epochs: exactly so many; the best trial's best epoch if left out.
        """
        best = self.best
        site = Site.open(min(self._workers, 1), self._project / "workers.log", lambda events: None)
        try:
            job = replace(self._job, folder=site.scratch / "data")
            assert job.labels is not None
            self._request.data.write(job.folder, job.labels, job.seed)
            fit = site.engine.submit("refit", job, values=dict(best.values), epochs=epochs or best.best_epoch or 1)
            weights = Path(fit.result()["weights"])
        finally:
            site.close()
        return winner.model(self._job, self._request.data.x, best.values, weights)

    def code(self) -> str:
        """Plain Python that builds, compiles and fits the best combination as the search did."""
        return script(self._request.options, self._request.data, self._job, self.best.values)

    def to_frame(self) -> pandas.DataFrame:
        """One row a trial, in grid order: its values, then what came of it."""
        import pandas

        facts = ("status", "score", "std", "best_epoch", "epochs", "seconds", "error")
        rows = [{**trial.values, **{fact: getattr(trial, fact) for fact in facts}} for trial in self.trials]
        return pandas.DataFrame(rows, index=pandas.Index([trial.id for trial in self.trials], name="trial"))

    def plot(self, kind: str = "curves") -> Figure:
        """A new matplotlib figure: "curves" (the objective by epoch) or "grid" (the scores as a map)."""
        from nbtune.views.plots import plot  # brings matplotlib

        return plot(self._progress, kind)

    @property
    def tuner(self) -> keras_tuner.GridSearch:
        """A stock `keras_tuner.GridSearch` that has reloaded this project."""
        return winner.tuner(self._job, self._request.data.x, self._space)

    @property
    def directory(self) -> Path:
        """The project on disk; stock KerasTuner reloads it too."""
        return self._project

    def status(self) -> str:
        """How it stands, in a line."""
        return headline(self._progress, time.time())

    def show(self) -> None:
        """Shows the search in the current cell."""
        self._screen.show(self._progress, self)

    def __repr__(self) -> str:
        return f"<Search {self._project.name}: {self.state}, {self.coverage}>"

    def _ipython_display_(self) -> None:
        if self.state == "planned":
            from IPython.display import display

            display(self._plan)
            return
        self._screen.show_once(self._progress, self)


def tune(build: Any = None, data: Any = None, *, name: str = "search", wait: bool = True, **options: Any) -> Search:
    """Trains every combination of some hyperparameters and keeps the best: `%%tune` as a function.

    Args:
        build: a function of hyperparameters that returns a Keras model, or KerasTuner's `build(hp)`.
        data: (features, labels), or a dataset of (x, y) batches.
        name: the folder of the project, in `dir`.
        wait: return when the search has ended.
        **options: the options of `%%tune` with underscores, and Python values: `layers=[1, 2]`, `axis={"rate": [0, 0.5]}`.

    Returns:
        The search, ended or under way; only planned with `plan=True`.

    Raises:
        UsageError: a mistake in the call; `BuildError` if the function itself raised.
    """
    search = prepared(Request.of(Options.of(build=build, data=data, wait=wait, **options)), name)
    if search.state == "planned" and not search.plan.measured:
        search.resume()
        if wait:
            search.wait()
    return search


def prepared(request: Request, name: str) -> Search:
    """A search that is ready to start, with a word on screen while the workers load TensorFlow."""
    screen = Screen()
    with screen.notice("Starting the workers …"):
        return Search(request, name, screen)
