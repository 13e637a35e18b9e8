"""What the user asked for, checked as far as that goes without Keras."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nbtune import machine
from nbtune.ask.function import Function
from nbtune.ask.labels import Labels
from nbtune.ask.options import Options, table
from nbtune.ask.selection import select
from nbtune.ask.space import Space
from nbtune.ask.strategy import FUSED, TRIAL
from nbtune.ask.table.combinations import MANY
from nbtune.ask.table.fitting import MOST_SEED
from nbtune.data.content.objects import NoFingerprint
from nbtune.data.fingerprint import Fingerprint, fingerprint
from nbtune.data.folds import with_folds
from nbtune.data.read import read_data
from nbtune.data.rows import Data
from nbtune.errors import UsageError, about
from nbtune.record.progress import duration
from nbtune.run.freezing import Patches
from nbtune.run.suggesting import with_suggestion

SECONDS_EACH = 0.1  # for the smallest networks, in stacks on two cores


@dataclass(frozen=True)
class Request:
    """What the user asked for, checked as far as that goes without building a model.

    `fingerprint` is None where something cannot be compared with a later run; `note` then says what.
    """

    options: Options
    function: Function
    data: Data
    fingerprint: Fingerprint | None
    note: str
    space: Space | None = None  # of a plain function; what KerasTuner's asks for shows when it is built
    patches: Patches = Patches()

    @classmethod
    def of(cls, options: Options) -> Request:
        """Raises UsageError for every mistake that can be seen without Keras."""
        patches = Patches.here(options.build, options.callbacks, *(axis.objects for axis in options.axes))
        options = patches.engine_of(_for_backend(options))
        _check_places(options)
        _check_folds(options)
        if options.build is None:
            raise UsageError("which function builds the model? Define one in the cell, or name it with --build", "build")
        if options.data is None:
            raise UsageError("which data? Add --data x,y, or in Python data=(x, y)", "data")
        function = Function.of(options.build)
        try:
            function.check(options.axes)
        except UsageError as error:
            raise error if options.axes else with_suggestion(error, function, options) from None
        if options.seed + options.repeats - 1 > MOST_SEED:
            raise UsageError(f"the seeds of the repeats count up from {options.seed:,}, and {MOST_SEED:,} is the largest", "seed")
        space = None if function.takes_hp else selected(Space.product(options.axes), options)
        with about("data"):
            data = read_data(
                options.data,
                options.validation_data,
                options.validation_split,
                options.cache,
                options.steps_per_epoch,
                options.shuffle,
            )
        with about("folds"):
            data = with_folds(data, options.folds, options.groups)
        found, note = _fingerprint(options, function, data, patches)
        request = cls(options, function, data, found, f"{note} {patches.note}".strip(), space, patches)
        if options.loss and getattr(data.y, "ndim", 0) == 1:
            with about("loss"):
                Labels.of(data.y, request.losses)
        with about("validation_freq"):
            _check_frequency(options, function, data)
        if options.objective:
            with about("objective"):
                options.objective.check(request.losses, data.validated)
        elif not data.validated:
            raise UsageError(
                "what shall rank the trials? The usual objective needs validation data; give --validation-data or "
                "--validation-split, or rank by the training rows with --objective loss",
                "objective",
            )
        return request

    @property
    def losses(self) -> list[str]:
        """The names of the losses on the axis."""
        return [str(value) for value in self.options.loss.values] if self.options.loss else []


def _check_places(options: Options) -> None:
    for name in ("workers", "memory_limit"):
        if options.dask is not None and getattr(options, name) is not None:
            raise UsageError(f"{name} is for this machine's processes; what a Dask cluster has is set there", name)


def _check_frequency(options: Options, function: Function, data: Data) -> None:
    every = options.validation_freq
    if every == 1:
        return
    if not data.validated:
        raise UsageError("validation_freq is for validation data; give --validation-data or --validation-split")
    if (every if isinstance(every, int) else every[0]) > options.epochs:
        raise UsageError(f"validation_freq: none of {options.epochs} epochs is validated; give a smaller one, or more --epochs")
    if function.fit is not None:
        raise UsageError(f"validation_freq: {function.name} has a fit of its own; give it to model.fit there")


def _check_folds(options: Options) -> None:
    if options.folds is None:
        return
    if options.validation_data is not None:
        raise UsageError("folds take their validation rows out of the data; leave out --validation-data, or --folds", "folds")
    if options.validation_split != table()["validation_split"].default or "validation_split" in options.texts:
        raise UsageError("folds say how many rows validate, one part of K; leave out --validation-split, or --folds", "folds")


def _for_backend(options: Options) -> Options:
    """Trial by trial where Keras does not train with TensorFlow.

    Raises:
        UsageError: that is not what was asked for, or this backend does not train at all.
    """
    backend = machine.keras_backend()
    if backend == machine.TENSORFLOW:
        return options
    remedy = "set %env KERAS_BACKEND=tensorflow, then restart the kernel"
    if backend not in machine.TRAINING_BACKENDS:
        raise UsageError(f"Keras is set to its {backend} backend, which nbtune does not train with; {remedy}")
    if options.engine == FUSED:
        raise UsageError(
            f"Keras is set to its {backend} backend, and training together needs TensorFlow; leave --engine out, or {remedy}",
            "engine",
        )
    return replace(options, engine=TRIAL)


def _fingerprint(options: Options, function: Function, data: Data, patches: Patches) -> tuple[Fingerprint | None, str]:
    """The fingerprint, or None and why there is none."""
    if patches.unsent:
        return None, f"No earlier result can be used: the notebook has set {patches.unsent[0]}, which cannot be sent to workers."
    try:
        return fingerprint(options, function, data, patches.things), ""
    except NoFingerprint as error:
        return None, f"No earlier result can be used: {error}."


def selected(space: Space, options: Options) -> Space:
    """What is to be trained of a space.

    Raises:
        UsageError: nothing, or very much that has not been asked for by name.
    """
    with about("where" if options.where else "sample"):
        objects = {axis.name: axis.objects for axis in options.axes}
        sample = options.sample if isinstance(options.sample, int) else None
        part = select(space, options.where, sample, options.seed, objects)
    if not len(part):
        why = f"none for which {options.where.text} holds" if options.where else "none"
        raise UsageError(f"there is nothing to train: of {len(space):,} combinations, {why}", "where")
    if len(part) > MANY and options.sample is None:
        seconds = len(part) * SECONDS_EACH
        least = duration(seconds) if seconds < 172_800 else f"{seconds / 86_400:,.1f} days"
        raise UsageError(
            f"{len(part):,} combinations would take {least} even at {SECONDS_EACH:g} s each. Add --sample 500 for a fair "
            "part of them, which can be widened later, --where to exclude some, or --sample all to train every one",
            "sample",
        )
    return part
