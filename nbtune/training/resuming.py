"""A trial that goes on where it was stopped, or where its worker was killed, with the numbers of one that was not.

Now and then what `model.fit` would need to go on is written down: variables, the optimizer's too, and where early stopping is.
The order of the rows need not be: `fit` draws it from the seed, anew in each epoch and always the same.
"""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from nbtune.ask.space import Value
from nbtune.machine import TENSORFLOW
from nbtune.record import checkpoint
from nbtune.record.checkpoint import Checkpoint
from nbtune.record.events import STOPPED, TrialEnded
from nbtune.record.job import Job
from nbtune.training.callbacks import made_callbacks
from nbtune.training.private import keras as private
from nbtune.training.private.missing import Missing

SHARE = 0.02  # of the time, for writing, at most
SECONDS_BEFORE = 3.0  # the first time


class Pace:
    """When it is time to write again, given what it cost the last time."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._next = clock() + SECONDS_BEFORE

    @property
    def due(self) -> bool:
        return self._clock() >= self._next

    @contextlib.contextmanager
    def counted(self) -> Any:
        """For what it costs now. A disk that takes nothing is no reason to stop: there is a checkpoint less."""
        before = self._clock()
        with contextlib.suppress(OSError):
            yield
        after = self._clock()
        self._next = after + max((after - before) / SHARE, SECONDS_BEFORE)


def obstacle(job: Job, model: keras.Model, values: Mapping[str, Value]) -> str | None:
    """What a trial has that nobody but its own code knows the state of, so that it cannot go on; None if it can."""
    if job.runs > 1:
        return "folds" if job.folds > 1 else "repeats"
    if job.function.fit is not None:
        return "a fit of its own"
    if job.stream is not None:
        return "data that is read anew in each epoch"
    if keras.backend.backend() != TENSORFLOW:
        return f"Keras on {keras.backend.backend()}, which draws the order of the rows anew in each epoch"
    if odd := next((each for each in made_callbacks(job, values) if not _is_plain(each)), None):
        return f"the callback {type(odd).__name__}, which may keep state of its own"
    try:
        parts = [*private.layers(model), getattr(model, "optimizer", None)]
    except Missing:
        return "a version of Keras that does not list a model's layers"
    own = next((part for part in parts if part is not None and not _is_known(part)), None)
    return own and f"{type(own).__name__}, which may keep state of its own"


def _is_plain(callback: keras.callbacks.Callback) -> bool:
    """Whether numbers are all that it keeps: one of Keras's own, without a function that could remember something."""
    if type(callback) is keras.callbacks.LearningRateScheduler:
        return inspect.isfunction(callback.schedule) and callback.schedule.__closure__ is None
    return type(callback) in (keras.callbacks.ReduceLROnPlateau, keras.callbacks.TerminateOnNaN)


def states(callbacks: Sequence[keras.callbacks.Callback]) -> list[dict[str, float]]:
    """The numbers that each of them keeps."""
    numbers = lambda each: {name: value for name, value in vars(each).items() if isinstance(value, (int, float, np.number))}  # noqa: E731
    return [{name: float(v) for name, v in numbers(each).items() if np.isfinite(v)} for each in callbacks]


def put_back_states(callbacks: Sequence[keras.callbacks.Callback], known: Sequence[Mapping[str, float]]) -> None:
    """To be called when training begins, after they have begun anew."""
    for callback, numbers in zip(callbacks, known, strict=False):
        vars(callback).update(numbers)


class Remembering(keras.callbacks.Callback):
    """Gives the callbacks before it the numbers that they had."""

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback], at: Checkpoint) -> None:
        super().__init__()
        self._callbacks, self._at = callbacks, at

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        put_back_states(self._callbacks, self._at.callbacks)


def _is_known(part: Any) -> bool:
    return type(part).__module__.partition(".")[0] == "keras" and not isinstance(part, keras.layers.Lambda)


def found(job: Job, trial: str, values: Mapping[str, Value]) -> Checkpoint | None:
    """Where this combination was left off, if it was and can go on there."""
    if job.runs > 1:
        return None
    at = checkpoint.read(job.project, trial, values)
    return at if at and 0 < at.epochs < job.epochs else None


def every_epoch_has_one_order(job: Job, rows: int) -> bool:
    """Whether `fit` goes through the rows in the same order in each epoch; its seed is set anew."""
    if not job.shuffle:
        return True
    from nbtune.training.fused import batches  # which knows Keras's pipeline

    try:
        return batches.repeats(rows, job.seed)
    except Missing:
        return False


def write(job: Job, values: Mapping[str, Value], at: Checkpoint) -> None:
    """Raises OSError where it cannot be written. A trial that has diverged has nothing to go on with."""
    if at.end.status == STOPPED and at.end.score is not None:
        checkpoint.write(job.project, values, at)


class Stopper(keras.callbacks.EarlyStopping):
    """Keras's own, which lets an epoch without validation pass; this one says no word about it, and needs no `on_train_begin`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.best: float | None = None

    def get_monitor_value(self, logs: Mapping[str, Any]) -> Any:
        return (logs or {}).get(self.monitor)


class Continued(Stopper):
    """Early stopping as it was after some epochs.

    Args:
        at: `best` in the order of the model's weights.
    """

    def __init__(self, at: Checkpoint, **settings: Any) -> None:
        super().__init__(**settings)
        self._at = at

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self.wait, self.best, self.best_epoch = self._at.wait, self._at.end.score, (self._at.end.best_epoch or 1) - 1
        self.best_weights = list(self._at.best)


class Keeping(keras.callbacks.Callback):
    """Writes down where a trial stands, now and then, and when it is stopped.

    Args:
        end: what the trial came to so far, as stopped.
        is_stopping: whether this is its last epoch for now.
        callbacks: whose numbers are written down, too.
    """

    def __init__(
        self,
        job: Job,
        values: Mapping[str, Value],
        stopper: keras.callbacks.EarlyStopping,
        end: Callable[[], TrialEnded],
        is_stopping: Callable[[], bool],
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        super().__init__()
        self._job, self._values, self._stopper, self._end, self._is_stopping = job, values, stopper, end, is_stopping
        self._callbacks = callbacks
        self._pace = Pace()
        self.obstacle: str | None = "training that has not begun"

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.obstacle = obstacle(self._job, self.model, self._values)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.obstacle is None and (self._is_stopping() or self._pace.due) and self._stopper.best_weights is not None:
            with self._pace.counted():
                write(self._job, self._values, self._standing())

    def _standing(self) -> Checkpoint:
        model = self.model
        best = dict(zip(map(id, model.weights), self._stopper.best_weights, strict=True))
        return Checkpoint(
            self._end(),
            self._stopper.wait,
            weights=[np.asarray(variable) for variable in model.trainable_variables],
            others=[np.asarray(variable) for variable in model.non_trainable_variables],
            slots=[np.asarray(variable) for variable in model.optimizer.variables],
            best=[best[id(variable)] for variable in _saved(model)],
            callbacks=states(self._callbacks),
            rate=_rate(model.optimizer),
        )


def _rate(optimizer: Any) -> float | None:
    rate = private.learning_rate(optimizer)
    return float(keras.ops.convert_to_numpy(rate)) if isinstance(rate, keras.Variable) else None


def _saved(model: keras.Model) -> list[Any]:
    """The model's weights, those that are trained first."""
    known = {id(variable) for variable in model.weights}
    return [v for v in [*model.trainable_variables, *model.non_trainable_variables] if id(v) in known]


def put_back(model: keras.Model, at: Checkpoint) -> Checkpoint | None:
    """Gives a built model its values; the checkpoint with `best` in the order of the model's weights.

    Returns:
        None where they are another model's; nothing has changed then.
    """
    model.optimizer.build(model.trainable_variables)
    variables = [*model.trainable_variables, *model.non_trainable_variables, *model.optimizer.variables]
    values = [*at.weights, *at.others, *at.slots]
    saved = _saved(model)
    if _shapes(variables) != _shapes(values) or _shapes(saved) != _shapes(at.best):
        return None
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    if at.rate is not None and _rate(model.optimizer) is not None:
        model.optimizer.learning_rate = at.rate  # a stack does not keep it among the variables
    best = dict(zip(map(id, saved), at.best, strict=True))
    return replace(at, best=[best[id(variable)] for variable in model.weights])


def _shapes(values: Sequence[Any]) -> list[tuple[int, ...]]:
    return [tuple(value.shape) for value in values]
