"""What happens during a search, as small frozen values that travel as JSON.

A worker sends them, the project's log keeps them, and `progress.Progress` folds them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, get_args

DONE, FAILED, DIVERGED, STOPPED, PENDING, RUNNING = "done", "failed", "diverged", "stopped", "pending", "running"


@dataclass(frozen=True)
class StateChanged:
    """The search as a whole: `state` as in `Search.state`, `at` in seconds since the epoch, `reason` for people."""

    state: str
    at: float
    reason: str = ""


@dataclass(frozen=True)
class TrialAdded:
    """A combination that is part of the grid; `key` is equal in later searches for the same combination."""

    trial: str
    values: dict[str, Any]
    key: str


@dataclass(frozen=True)
class TrialStarted:
    trial: str
    at: float


@dataclass(frozen=True)
class TrialReopened:
    """A trial that had ended is to be trained again."""

    trial: str


@dataclass(frozen=True)
class EpochEnded:
    """One epoch of one trial; `epoch` counts from 1, `logs` is what Keras reports."""

    trial: str
    epoch: int
    logs: dict[str, float]


@dataclass(frozen=True)
class TrialEnded:
    """A trial's outcome.

    `score` is the objective at `best_epoch` (from 1), None unless `status` is "done"; `history` is metric to values,
    one an epoch; `seconds` is wall time in the worker; `error` is a traceback or a reason, for people.
    """

    trial: str
    status: str
    score: float | None = None
    best_epoch: int | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    error: str | None = None


Event = StateChanged | TrialAdded | TrialReopened | TrialStarted | EpochEnded | TrialEnded
_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


def to_dict(event: Event) -> dict[str, Any]:
    return {"event": type(event).__name__, **asdict(event)}


def from_dict(message: dict[str, Any]) -> Event:
    fields = dict(message)
    return _KINDS[fields.pop("event")](**fields)
