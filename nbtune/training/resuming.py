"""A trial that goes on where it was stopped, or where its worker was killed, with the numbers of one that was not.

Now and then what `model.fit` would need to go on is written down: variables, the optimizer's too, and where early stopping is.
The order of the rows need not be: `fit` draws it from the seed, anew in each epoch and always the same.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import sys
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from nbtune.ask.space import Value
from nbtune.machine import TENSORFLOW
from nbtune.record import checkpoint
from nbtune.record.checkpoint import Checkpoint
from nbtune.record.events import DONE, STOPPED, TrialEnded
from nbtune.record.job import Job
from nbtune.training import randomness
from nbtune.training.callbacks import made_callbacks
from nbtune.training.private import effects
from nbtune.training.private import keras as private
from nbtune.training.private.missing import Missing

_LOOPS = ("fit", "evaluate", "make_train_function", "make_test_function")
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
    if job.function.fit is not None or any(getattr(type(model), name) is not getattr(keras.Model, name) for name in _LOOPS):
        return "a fit of its own"
    if keras.backend.backend() == "torch" and sys.modules["torch"].cuda.is_available():
        return "Keras on PyTorch with a GPU, which draws random numbers of its own"
    if odd := next((each for each in made_callbacks(job, values) if not _is_plain(each)), None):
        return f"the callback {type(odd).__name__}, which may keep state of its own"
    return _kept_by_code_of_its_own(model)


def _kept_by_code_of_its_own(model: keras.Model) -> str | None:
    """Layers, models and optimizers that are not Keras's may keep anything. What a graph is traced from runs once, though, so
    that nothing but the graph's variables and its operations tells one step from the next."""
    try:
        parts = [*private.layers(model), getattr(model, "optimizer", None)]
        own = next((part for part in parts if part is not None and not _is_known(part)), None)
        if own is None:
            return None
        if model.run_eagerly or keras.backend.backend() != TENSORFLOW:
            return f"{type(own).__name__}, whose Python code runs in each step and may keep state of its own"
        if model.train_function is None:  # in a stack, whose step is a pure function
            return None
        known = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
        odd = effects.hidden(model.train_function, known)
    except Missing as error:
        return str(error)
    return odd and f"{type(own).__name__}: {odd}"


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
    """Gives the callbacks before it the numbers that they had, and random generators their states."""

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback], at: Checkpoint) -> None:
        super().__init__()
        self._callbacks, self._at = callbacks, at

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        put_back_states(self._callbacks, self._at.callbacks)
        self._draws = self._at.draws

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        randomness.draw_on(self._draws)  # what was read until now has drawn from them, too
        self._draws = ()


def _is_known(part: Any) -> bool:
    """Whether Keras itself wrote what it does. A PyTorch module inside of a layer draws from a generator of PyTorch's own."""
    holds_code = isinstance(part, (keras.layers.Lambda, keras.layers.TorchModuleWrapper))
    return type(part).__module__.partition(".")[0] == "keras" and not holds_code


def found(job: Job, trial: str, values: Mapping[str, Value]) -> dict[int, Checkpoint]:
    """Where the runs of this combination were left off, by their numbers, those that can go on there or had ended."""
    runs = {run: checkpoint.read(job.project, trial, values, run) for run in range(job.runs)}
    left = {run: at for run, at in runs.items() if at and (at.has_ended or 0 < at.epochs < job.epochs)}
    return left if any(run not in left or not left[run].has_ended for run in runs) else {}


def every_epoch_has_one_order(job: Job, rows: int) -> bool:
    """Whether `fit` goes through the rows in the same order in each epoch; its seed is set anew."""
    if not job.shuffle:
        return True
    if keras.backend.backend() != TENSORFLOW:
        return False
    from nbtune.training.fused import batches  # which knows Keras's pipeline

    try:
        return batches.repeats(rows, job.seed)
    except Missing:
        return False


class Journal:
    """Writes down where runs of trials stand, now and then: those that have ended since the last time, and those under way."""

    def __init__(self, job: Job) -> None:
        self._job, self._pace = job, Pace()
        self._ended: list[tuple[Mapping[str, Value], int, Checkpoint]] = []

    @property
    def due(self) -> bool:
        return self._pace.due

    def note(self, values: Mapping[str, Value], run: int, at: Checkpoint) -> None:
        """A run has ended, and its trial has not."""
        self._ended.append((values, run, at))

    def write(self, under_way: Iterable[tuple[Mapping[str, Value], int, Checkpoint]] = (), over: Container[str] = ()) -> None:
        """Args: over: trials that have ended meanwhile. One that has diverged has nothing to go on with."""
        with self._pace.counted():
            for values, run, at in itertools.chain(self._ended, under_way):
                if at.end.trial not in over and at.end.status in (DONE, STOPPED) and at.end.score is not None:
                    checkpoint.write(self._job.project, values, at, run)
            self._ended = []


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
    """Writes down where a run of a trial stands, now and then, and when it is stopped.

    Args:
        run: its number.
        end: what it came to so far, as stopped.
        is_stopping: whether this is its last epoch for now.
        callbacks: whose numbers are written down, too.
    """

    def __init__(
        self,
        job: Job,
        values: Mapping[str, Value],
        run: int,
        journal: Journal,
        stopper: keras.callbacks.EarlyStopping,
        end: Callable[[], TrialEnded],
        is_stopping: Callable[[], bool],
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        super().__init__()
        self._job, self._values, self._run, self._journal = job, values, run, journal
        self._stopper, self._end, self._is_stopping, self._callbacks = stopper, end, is_stopping, callbacks
        self._is_traced = False
        self.obstacle: str | None = "training that has not begun"

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.obstacle = obstacle(self._job, self.model, self._values)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._is_traced:  # what its steps do shows now
            self.obstacle, self._is_traced = obstacle(self._job, self.model, self._values), True
        if self._is_stopping() or self._journal.due:
            can_go_on = self.obstacle is None and self._stopper.best_weights is not None
            self._journal.write([(self._values, self._run, self._standing())] if can_go_on else [])

    def _standing(self) -> Checkpoint:
        model = self.model
        best = dict(zip(map(id, model.weights), self._stopper.best_weights, strict=True))
        at = standing(model, self._end(), self._stopper.wait, [best[id(variable)] for variable in _saved(model)])
        return replace(at, callbacks=states(self._callbacks), rate=_rate(model.optimizer))


def standing(model: keras.Model, end: TrialEnded, wait: int = 0, best: Sequence[np.ndarray] = ()) -> Checkpoint:
    """Where a run stands whose model has these values now."""
    return Checkpoint(
        end,
        wait,
        weights=[np.asarray(variable) for variable in model.trainable_variables],
        others=[np.asarray(variable) for variable in model.non_trainable_variables],
        slots=[np.asarray(variable) for variable in model.optimizer.variables],
        best=best,
        draws=randomness.drawn_from(),
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
    if _shapes(variables) != _shapes(values) or (not at.has_ended and _shapes(saved) != _shapes(at.best)):
        return None
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    if at.rate is not None and _rate(model.optimizer) is not None:
        model.optimizer.learning_rate = at.rate  # a stack does not keep it among the variables
    if at.has_ended:
        return at
    best = dict(zip(map(id, saved), at.best, strict=True))
    return replace(at, best=[best[id(variable)] for variable in model.weights])


def _shapes(values: Sequence[Any]) -> list[tuple[int, ...]]:
    return [tuple(value.shape) for value in values]
