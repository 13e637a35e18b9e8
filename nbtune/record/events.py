"""What happens during a search, as small frozen values that travel as JSON.

A worker sends them, the project's log keeps them, and `progress.Progress` reduces them to what is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from nbtune.errors import printable, shortened

MOST_ERROR = 20_000  # characters
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
    """`history`, metric to values, is of the epochs that were trained before it was stopped, and after which it goes on.

    `at_once` is how many of its repeats are trained side by side, `run` how many of those are behind it, or of such groups.
    """

    trial: str
    at: float
    history: dict[str, list[float]] = field(default_factory=dict, hash=False)
    at_once: int = 1
    run: int = 0


@dataclass(frozen=True)
class TrialReopened:
    """A trial that had ended is to be trained again."""

    trial: str


@dataclass(frozen=True)
class TrainedAlone:
    """These trials were handed out together and are trained one by one instead.

    `reason` is for people; `is_fault` says that nbtune's own code is to blame, and that the traceback is in `workers.log`.
    """

    trials: list[str]
    reason: str
    is_fault: bool = False


@dataclass(frozen=True)
class EpochUnderWay:
    """How much of an epoch is trained by now, from 0 to 1: a sign of life of trials whose epochs take long."""

    trials: list[str]
    epoch: int
    share: float
    at: float | None = None


@dataclass(frozen=True)
class EpochEnded:
    """One epoch of one trial; `epoch` counts from 1, `logs` is what Keras reports, `at` in seconds since the epoch."""

    trial: str
    epoch: int
    logs: dict[str, float]
    at: float | None = None


@dataclass(frozen=True)
class TrialEnded:
    """A trial's outcome.

    `score` is the objective at `best_epoch` (from 1), None unless `status` is "done", or "stopped" with a score of the
    epochs until then; `history` is metric to values, one an epoch; `seconds` is wall time in the worker; `error` is a
    traceback or a reason, for people. With repeats or folds, `scores` has the score of each run, `score` is their mean,
    `best_epochs` has each run's, and the rest is the best run's. `weights` is the `files.stamp` of its weights, None where none
    were kept, and `fold_weights` has that of each fold's, by its number. `rates` has the learning rate at the first step of each
    epoch; it is empty where the model has no optimizer of Keras's. `size` is how many weights the model has, None where that is
    not known.
    """

    trial: str
    status: str
    score: float | None = None
    best_epoch: int | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    error: str | None = None
    scores: list[float] = field(default_factory=list)
    weights: str | None = None
    rates: list[float] = field(default_factory=list)
    size: int | None = None
    best_epochs: list[int] = field(default_factory=list)
    fold_weights: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.error is not None:  # it comes from the user's code, or from a file
            object.__setattr__(self, "error", shortened(printable(self.error), MOST_ERROR))

    @property
    def id(self) -> str:
        return self.trial


@dataclass(frozen=True)
class Checkpointed:
    """What stands in a `checkpoint` beside what the trial came to.

    `values` tells the combination, `wait` is `EarlyStopping`'s count of epochs without improvement, and `stamp` the hash of
    the arrays. `callbacks` has the numbers that each of the other callbacks keeps, `rate` the learning rate where it can be set.
    """

    trial: str
    values: dict[str, Any]
    wait: int
    stamp: str
    callbacks: list[dict[str, float]] = field(default_factory=list, hash=False)
    rate: float | None = None


@dataclass(frozen=True)
class DiskFull:
    """A worker cannot write a trial's weights; it keeps them and tries again."""

    trial: str
    reason: str


Event = (
    StateChanged
    | DiskFull
    | TrialAdded
    | TrialReopened
    | TrainedAlone
    | TrialStarted
    | EpochUnderWay
    | EpochEnded
    | Checkpointed
    | TrialEnded
)
Emit = Callable[[list[Event]], None]  # what a task tells while it runs
Stopping = Callable[[], bool]  # asks whether a task is to hand in what it has, and end
_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
_HINTS = {kind: get_type_hints(kind) for kind in _KINDS.values()}


def to_dict(event: Event) -> dict[str, Any]:
    """To be written at once: lists and dicts are the event's own, since copying them takes longer than writing them."""
    return {"event": type(event).__name__, **vars(event)}


def from_dict(message: dict[str, Any]) -> Event:
    """Raises ValueError, TypeError or KeyError for what no event can have become: the line may be damaged, or forged."""
    fields = dict(message)
    kind = _KINDS[fields.pop("event")]
    for name, hint in _HINTS[kind].items():
        if name in fields and not _fits(fields[name], hint):
            raise ValueError(f"{kind.__name__}.{name} cannot be {fields[name]!r}")
    return kind(**fields)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value from JSON is of the kind that a field is declared to hold."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(_fits(value, choice) for choice in arguments)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(item, arguments[1]) for item in value.values())
    if origin is list:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    if hint in (int, float) and isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 2**63
    return hint is Any or isinstance(value, hint)
