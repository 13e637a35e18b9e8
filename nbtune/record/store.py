"""The project on disk: KerasTuner's own files, and beside them every event as it came.

```
DIRECTORY/NAME/
  tuner0.json, oracle.json       what `keras_tuner.GridSearch(directory=..., project_name=...)` reloads
  trial_07/trial.json            one trial: values, metrics of the best epoch, score
  trial_07/outcome.jsonl         what the log says of it, once more
  trial_07/checkpoint.weights.h5 its best epoch's weights, for the best trials
  trial_07/unfinished.state      where it stands, until it has ended
  events.jsonl                   the log
  nbtune.json, nbtune-copy.json  the fingerprint of function, data and fit, twice
  workers.log                    what the workers printed
```

The files are written as JSON here, not by `keras_tuner`, since importing that loads TensorFlow into the kernel.
Format: KerasTuner 1.4 (`Trial.get_state`, `Oracle.get_state`); a test reloads it with KerasTuner.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from nbtune.ask.names import MAXIMISED, canonical
from nbtune.ask.objective import Objective
from nbtune.ask.space import Space
from nbtune.record import checkpoint, files
from nbtune.record.events import DONE, STOPPED, DiskFull, EpochEnded, EpochUnderWay, Event, TrialAdded, TrialEnded
from nbtune.record.log import Log, checked
from nbtune.record.progress import Progress, Trial

OUTCOME = "outcome.jsonl"
_STATUS = {DONE: "COMPLETED", STOPPED: "STOPPED"}  # all else that ended is FAILED


class Store:
    """Writes one search down as it happens. `keep` trials have weights on disk: the best."""

    def __init__(
        self, project: Path, space: Space, progress: Progress, seed: int, keep: int, known: Iterable[TrialAdded] = ()
    ) -> None:
        """`known` are the combinations of an earlier run."""
        self._project, self._log = project, Log(project)
        self._space, self._progress, self._seed, self._keep = space, progress, seed, keep
        self._added = {event.trial: event for event in known}
        self._with_weights = {trial.id for trial in progress.trials if trial.ended}
        self._unwritten: list[Event] = []
        _remove_partial_files(project)
        _remove_trial_files(project, {trial.id for trial in progress.trials})
        self._write("tuner0.json", {})
        self.write_oracle()
        for trial in progress.trials:  # of an earlier run: the log counts, and these files may be lost or damaged
            if trial.ended:
                self._write_trial(trial)

    @property
    def unwritten(self) -> bool:
        """Whether there is something that the disk did not take."""
        return bool(self._unwritten)

    def record(self, *events: Event) -> None:
        """Takes down events that `progress` knows already, and those that did not go down before.

        Raises:
            OSError: the disk takes no more. What is not written then is kept for the next time.
        """
        # a trial's end tells all of its epochs
        told = [event for event in events if not isinstance(event, (EpochUnderWay, EpochEnded, DiskFull))]
        self._unwritten += told
        self._log.add(*told)
        for event in self._unwritten:
            if isinstance(event, TrialAdded):
                self._added[event.trial] = event
            if isinstance(event, TrialEnded):
                if event.status != STOPPED:
                    checkpoint.remove(self._project, event.trial)
                self._write_trial(self._progress.trial(event.trial))
                self._write_outcome(event)
                self._with_weights.add(event.trial)
        self._unwritten = []
        self._drop_weights()

    def write_oracle(self) -> None:
        """The state of the search as a whole, for KerasTuner."""
        ended = [trial.id for trial in self._progress.trials if trial.ended]
        state = {
            "ongoing_trials": {},
            "hyperparameters": self._space.hyperparameters(),
            "start_order": ended,
            "end_order": ended,
            "run_times": dict.fromkeys(ended, 1),
            "retry_queue": [],
            "seed": self._seed,
            "seed_state": self._seed,
            "tried_so_far": [],
            "id_to_hash": {},
            "display": {"search_start": None, "trial_start": {}, "trial_number": {}},
        }
        self._write("oracle.json", state)

    def _write_trial(self, trial: Trial) -> None:
        state = {
            "trial_id": trial.id,
            "hyperparameters": self._space.hyperparameters(trial.values),
            "metrics": {"metrics": _metrics(trial, self._progress.objective)},
            "score": trial.score,
            "best_step": None if trial.best_epoch is None else trial.best_epoch - 1,
            "status": _STATUS.get(trial.status, "FAILED"),
            "message": trial.error,
        }
        self._write(f"trial_{trial.id}/trial.json", state)

    def _write_outcome(self, event: TrialEnded) -> None:
        added = self._added.get(event.trial)
        if added is not None:
            path = self._project / f"trial_{event.trial}" / OUTCOME
            files.write(path, self._project, b"".join(checked([added, event])))

    def _write(self, name: str, state: dict[str, Any]) -> None:
        files.write(self._project / name, self._project, json.dumps(state).encode())

    def _drop_weights(self) -> None:
        if len(self._with_weights) <= self._keep:
            return
        kept = [trial for trial in self._progress.trials if trial.id in self._with_weights]
        for trial in self._progress.ranked(kept)[self._keep :]:
            folder = self._project / f"trial_{trial.id}"
            for path in [folder / "checkpoint.weights.h5", *folder.glob("fold_*.weights.h5")]:
                files.remove(path, self._project)
            self._with_weights.remove(trial.id)


def _metrics(trial: Trial, objective: Objective) -> dict[str, Any]:
    """The metrics of the best epoch, as KerasTuner's `MetricsTracker` holds them; steps count from 0."""
    if trial.best_epoch is None:
        return {}
    values = {name: objective.at(trial.best_epoch, name, trial.history) for name in trial.history}
    return {
        name: {"direction": _direction(name, objective), "observations": [{"value": [value], "step": trial.best_epoch - 1}]}
        for name, value in values.items()
        if value is not None
    }


def _direction(metric: str, objective: Objective) -> str:
    if metric == objective.name:
        return objective.direction
    return "max" if canonical(metric.removeprefix("val_")) in MAXIMISED else "min"


def _remove_trial_files(project: Path, grid: Collection[str]) -> None:
    """KerasTuner's own of trials outside of the grid, for it reads all that there are, and fails on a damaged one."""
    for path in project.glob("trial_*/trial.json"):
        if path.parent.name.removeprefix("trial_") not in grid:
            with contextlib.suppress(OSError):
                files.remove(path, project)


def _remove_partial_files(project: Path) -> None:
    """Those of writers that were killed: the project is ours alone now."""
    for path in (*project.glob("trial_*/.*.weights.h5"), *project.glob(".*.partial"), *project.glob("trial_*/.*.partial")):
        with contextlib.suppress(OSError):
            files.remove(path, project)
