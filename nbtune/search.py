"""`Search`: the handle on one grid search, from its plan to its winner."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtune import final, machine
from nbtune.ask.space import Value
from nbtune.ask.widening import widened
from nbtune.errors import UsageError
from nbtune.final import Winner
from nbtune.record.progress import Coverage, Trial
from nbtune.record.ties import ties
from nbtune.report.cv_results import cv_results
from nbtune.report.evaluation import Evaluation
from nbtune.report.initial import drawn
from nbtune.report.next_steps import next_steps
from nbtune.report.script import Code, script
from nbtune.report.tracking import followers
from nbtune.report.tracking.follow import Follower
from nbtune.report.verification import Verification
from nbtune.run.lifecycle import Run
from nbtune.run.plan import Plan
from nbtune.run.request import Request
from nbtune.views.frontend import in_terminal
from nbtune.views.headline import headline
from nbtune.views.screen import Screen
from nbtune.views.surface import Archive

if TYPE_CHECKING:
    import keras
    import keras_tuner
    import numpy as np
    import pandas
    from matplotlib.figure import Figure

    from nbtune.report.compare import Comparison


class Search:
    """One grid search: made by `%%tune`, which keeps it in `search`, and by `nbtune.tune`, which returns it.

    What needs the final result (`best`, `best_model`, `refit`, `code`) waits for the end of the search.

    Example:
        ```
        search = nbtune.tune(build, data=(x, y), layers=[1, 2], units=[16, 64], wait=False)
        search.best_so_far  # while it runs
        search.best.values, search.best.score
        search.best_model.evaluate(x_test, y_test)
        search.to_frame().sort_values("score")
        ```
    """

    def __init__(self, run: Run, screen: Screen) -> None:
        self._run, self._screen = run, screen

    @cached_property
    def _followers(self) -> list[Follower]:
        """Made before the search starts, since they leave out what has ended by then."""
        return followers(self._run.progress, self._run.project.path, self._run.request.options.log)

    @property
    def state(self) -> str:
        """ "planned", "running", "paused", "stopped" or "finished"."""
        return self._run.state

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the search has ended. An interrupt (■, Ctrl-C) stops the search and keeps its results.

        Args:
            timeout: seconds at most; None for as long as it takes.

        Returns:
            Whether it has ended.

        Raises:
            UsageError: the search is planned or paused, so that it would never end.
        """
        if self.state in ("planned", "paused"):
            why = self._run.progress.reason or "`%tune resume` or search.resume() sets it going"
            raise UsageError(f"the search is {self.state}: {why}")
        over = self._run.wait(timeout)
        if over:
            self._settle()
        return over

    def pause(self) -> None:
        """Halts the workers where they are. Nothing is lost, and nothing is computed until `resume`.

        Raises:
            UsageError: the search is not running.
        """
        self._run.pause()

    def resume(self, dask: Any = None) -> None:
        """Goes on after `pause`; after `stop`, trains what was not done; starts a search that was only planned.

        Args:
            dask: the Dask cluster whose workers train from here on, when they come next: a client or an address, as in
                `nbtune.tune`. None: those that the search had.
        """
        self._begin(partial(self._run.resume, dask))

    def retry(self) -> None:
        """Trains the trials that failed or diverged again.

        Raises:
            UsageError: there are none, or the search is still under way.
        """
        self._begin(self._run.retry)

    def _begin(self, start: Callable[[], None], show: Callable[..., None] | None = None) -> None:
        following = self._followers
        (show or self._screen.begin)(self._run.progress, self, start)
        for follower in following:
            follower.start()

    def _settle(self) -> None:
        """Waits until whatever shows or follows a search that is over knows its end."""
        self._screen.settle()
        for follower in self._followers:
            follower.join()

    def stop(self) -> None:
        """Ends the search and keeps every result; trials under way are marked "stopped", and keep their best epoch."""
        self._run.stop()
        if self.state != "planned":
            self._settle()

    @property
    def plan(self) -> Plan:
        """The size of the search, with `plan=True` its measured cost, and what turned out not to be trained together."""
        alone = Counter(trial.alone for trial in self.trials if trial.alone)
        return replace(self._run.plan, trained_alone=alone)

    @property
    def trials(self) -> list[Trial]:
        """Every combination, in grid order, as it stands now."""
        return [self._with_things(trial) for trial in self._run.progress.trials]

    def _with_things(self, trial: Trial) -> Trial:
        """With None, and the numbers beside it, in place of the names by which an axis with None has them."""
        things: dict[str, Any] = self._run.job.resolved(trial.values)
        plain: dict[str, Any] = {
            name: thing for name, thing in things.items() if thing is None or isinstance(thing, (bool, int, float))
        }
        return replace(trial, values={**trial.values, **plain})

    @property
    def coverage(self) -> Coverage:
        """How many combinations ended how, as it stands now; the counts add up to the grid.

        Example:
            `search.coverage.failed`, `search.coverage.untried`
        """
        return self._run.progress.coverage

    @property
    def best_so_far(self) -> Trial | None:
        """The best trial now, also of those under way; None before the first has a score."""
        best = self._run.progress.best_so_far
        return best and self._with_things(best)

    @property
    def best(self) -> Trial:
        """The best trial, once the search has ended.

        Raises:
            UsageError: no trial has a score.
        """
        if self.state == "running":
            self.wait()
        best = self._run.progress.best
        if best is None:
            reasons = [trial.error for trial in self.trials if trial.error]
            last = f", {reasons[0].splitlines()[-1]}" if reasons else ""
            raise UsageError(f"no trial has a score yet ({self.coverage}{last})")
        return self._with_things(best)

    @property
    def best_hyperparameters(self) -> dict[str, Value]:
        """The best trial's values, `{"layers": 2, "units": 64}`.

        Raises:
            UsageError: no trial has a score.
        """
        return dict(self.best.values)

    @property
    def best_model(self) -> keras.Model:
        """The best trial's model with the weights of its best epoch, compiled for labels as you have them.

        With folds it is the network of the fold with the best score, which has seen the training rows of that fold alone;
        `refit` trains one on all rows. Loads TensorFlow into this process.

        Raises:
            UsageError: no trial has a score, or the file of the weights is lost or damaged.

        Example:
            `search.best_model.evaluate(x_test, y_test)`
        """
        return self._winner.model()

    @property
    def _winner(self) -> Winner:
        return Winner(self._run, self.best)

    def evaluate(self, x: Any, y: Any) -> Evaluation:
        """The winner on rows that took no part in the search, and how often they have been looked at.

        In a worker. Each look is counted in the project, so that a new kernel knows it too.

        Args:
            x, y: features and labels, as for the search.

        Raises:
            UsageError: no trial has a score, or the rows are not like those of the search.

        Example:
            `search.evaluate(x_test, y_test)["accuracy"]`
        """
        return self._winner.evaluation(x, y)

    def widen(self, **values: Any) -> None:
        """Adds values to axes of the search, and trains the combinations that are new; it returns while they train.

        Args:
            values: the name of an axis to one value more, or a list of them.

        Raises:
            UsageError: no such axis, or a value that it has already.

        Example:
            `search.widen(units=128, learning_rate=[0.03, 0.1])`
        """
        options = widened(self._run.request.options, self._run.space.axes, values)
        if self.state in ("running", "paused"):
            self.stop()
        run = Run(Request.of(options), self.directory.name, self._run.crew.pool)
        added = ", ".join(f"{name} {value}" for name, value in values.items())
        run.progress.notes = (*run.notes, f"Added: {added}. Write it in the cell too, to have it when that is run again.")
        self._run = run
        self.__dict__.pop("_followers", None)  # another grid is followed anew
        self._begin(run.resume, self._screen.renew)

    def save(self, path: str | os.PathLike[str] = "", refit: bool = False) -> Path:
        """Writes the winner as a whole model, for `keras.saving.load_model`; in a worker.

        Args:
            path: the file, ending in `.keras`; named as the search if left out.
            refit: train it anew on training and validation data together, as `refit` does, and write that.

        Raises:
            UsageError: no trial has a score, or the file cannot be written.
        """
        return self._winner.saved(path, refit)

    def refit(self, epochs: int | None = None) -> keras.Model:
        """The final model: the best combination, trained anew on training and validation data together, with folds on all rows.

        Args:
            epochs: exactly so many; if left out, the best trial's best epoch, with folds the median of theirs.

        Raises:
            UsageError: no trial has a score.
        """
        return self._winner.refitted(epochs)

    @property
    def oof(self) -> np.ndarray:
        """Out-of-fold predictions: for each row what the best combination's network answers that did not train on it.

        `(rows, ...)`, in the order of the data; NaN for rows that no fold validates, as the first ones with `time:K`, or
        whose fold a stop left out. Each fold's network has the weights of its best epoch; with repeats that of the first seed.

        Raises:
            UsageError: the search has no folds, no trial has a score, or the files of the weights are lost or damaged.

        Example:
            `confusion_matrix(y, search.oof.argmax(axis=1))`
        """
        return self._winner.out_of_fold()

    def code(self) -> Code:
        """Plain Python that builds, compiles and fits the best combination as the search did.

        Returns:
            The text; a notebook shows it as code.

        Raises:
            UsageError: no trial has a score.

        Example:
            `Path("winner.py").write_text(search.code())`
        """
        best = self.best
        run = self._run.job.best_run(best.scores)
        return script(self._run.request.options, self._run.request.data, run, best.values)

    def next_steps(self) -> str:
        """Lines for a cell that make use of the result."""
        return next_steps(self._run.project.path.name, in_folds=self._run.job.folds > 1)

    def verify(self, trial: Trial | None = None) -> Verification:
        """Trains one combination once more by plain `model.fit`, in a worker, and puts both histories beside each other.

        Args:
            trial: one of `trials`; the best if left out.

        Raises:
            UsageError: the trial was not trained.
        """
        return final.verification(self._run, trial or self.best)

    def to_frame(self) -> pandas.DataFrame:
        """One row a trial, in grid order: its values, then what came of it.

        Columns: `status`; `score` at `best_epoch`; `std` over repeats and folds; `epochs`; `seconds` in the worker; `error`;
        `alone`, why it could not be trained together with others; `weights`, how many its network has; and `tie`, whether the
        trial is not significantly different from the best. With folds also those of scikit-learn's `cv_results_`:
        `split0_test_score` and so on, `mean_test_score`, `std_test_score`, `rank_test_score`, `params`, `param_…`.

        Example:
            `search.to_frame().groupby("layers").score.max()`
        """
        import pandas

        facts = ("status", "score", "std", "best_epoch", "epochs", "seconds", "error", "alone")
        tied = ties(self._run.progress)
        rows = [
            {**t.values, **{fact: getattr(t, fact) for fact in facts}, "weights": t.size, "tie": t.id in tied, **more}
            for t, more in zip(self.trials, cv_results(self._run.progress, self.trials), strict=True)
        ]
        return pandas.DataFrame(rows, index=pandas.Index([trial.id for trial in self.trials], name="trial"))

    def plot(self, kind: str = "curves") -> Figure:
        """A new matplotlib figure.

        Args:
            kind: "curves", the objective by epoch; "grid", the scores as a map; "slice", the score by one hyperparameter at a
                time; "parallel", each combination as a line through its values; "importance", each hyperparameter's share of
                the differences; "size", score and seconds by number of weights; "lr", the learning rate by epoch; "init", the
                weights that the best network started from and how they carry a first batch. Of the winner on the validation
                rows: "confusion", which class it takes for which; "mistakes", those of which it is surest, where rows are
                pictures; "residuals", where labels are numbers.

        Raises:
            UsageError: another kind, too few scores for "importance" or "size", no trial that has ended for "lr", or labels
                that are not for this plot.
        """
        from nbtune.views.figures.judged import DRAWN, judged
        from nbtune.views.figures.plots import plot  # brings matplotlib

        if kind in DRAWN:
            return judged(self._run.crew.predict(self.best, self._winner.weights()), kind)
        if kind == "init":
            return drawn(self._run.crew.initial(self._run.progress.best_so_far or self.trials[0]))
        return plot(self._run.progress, kind)

    def report(self, path: str | os.PathLike[str] = "report.html") -> Path:
        """Writes the search as one HTML file to hand in: winner, pictures, every combination, terms, versions, code.

        Args:
            path: the file; it needs nothing beside it.

        Raises:
            UsageError: it cannot be written.
        """
        from nbtune.report.export import written
        from nbtune.report.page import report

        code = str(self.code()) if self._run.progress.best else None
        page = report(self._run.progress, self._run.project.path.name, self._run.request.options.terms, code, time.time())
        return written(Path(path), page)

    def export(self, kind: str, path: str | os.PathLike[str]) -> Path:
        """Writes the search as files that other tools read.

        Args:
            kind: "csv", a row a combination; "json", with all histories; "tensorboard", a folder for its scalars and HParams
                pages; "mlflow", a database in a file, or the address of a tracking server; "wandb", a folder of offline runs
                for `wandb sync`; "optuna", a study in a database, for optuna-dashboard; "zip", the project, to go on
                elsewhere: unpack it beside the notebook there, and run the cell.
            path: where to.

        Raises:
            UsageError: another kind, one whose package is not installed, or it cannot be written.

        Example:
            `search.export("tensorboard", "runs")`, then `%load_ext tensorboard` and `%tensorboard --logdir runs`
        """
        from nbtune.report.export import export

        return export(self._run.progress, self._run.project.path, kind, Path(path))

    def archive(self) -> Archive:
        """The project as a zip in memory, for a page to save; `export("zip", path)` writes it to a file.

        Raises:
            UsageError: it is larger than a page takes.
        """
        from nbtune.report.export import archived

        return archived(self._run.progress, self._run.project.path)

    @property
    def tuner(self) -> keras_tuner.GridSearch:
        """A stock `keras_tuner.GridSearch` that has reloaded this project."""
        return final.tuner(self._run)

    @property
    def directory(self) -> Path:
        """The project on disk; stock KerasTuner reloads it too."""
        return self._run.project.path

    def show(self) -> None:
        """Shows the search in the current cell."""
        self._screen.show(self._run.progress, self)

    def __str__(self) -> str:
        validated = self._run.plan.held_out
        return "\n".join([headline(self._run.progress, machine.now()), *([f"validated on {validated}"] if validated else [])])

    def __repr__(self) -> str:
        return f"<Search {self._run.project.path.name}: {self.state}, {self.coverage}>"

    def _display_(self) -> object:
        """What marimo shows."""
        return self._run.plan if self.state == "planned" else self._screen.widget(self._run.progress, self)

    def _ipython_display_(self) -> None:
        if self.state == "planned":
            from IPython.display import display

            display(self._run.plan)
        else:
            self._screen.show_once(self._run.progress, self)
        if in_terminal():  # it prints `Out[4]:` in any case
            raise NotImplementedError("the repr will do")


def compare(a: Search, b: Search) -> Comparison:
    """Two searches side by side: both winners, and the combinations that both have trained, pair by pair.

    Combinations are paired by the hyperparameters that both searches have; where several of one search fall on the same
    values, the best of them stands for them.

    Args:
        a, b: searches that are ranked by the same objective.

    Raises:
        UsageError: no searches, or two objectives.

    Example:
        `nbtune.compare(small, large)`
    """
    from nbtune.report.compare import comparison

    for search in (a, b):
        if not isinstance(search, Search):
            raise UsageError(f"compare takes two searches, and got {type(search).__name__}")
    return comparison((a.directory.name, b.directory.name), a._run.progress, b._run.progress)
