"""What a worker needs to know to train any trial of a search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from nbtune.ask.function import Function
from nbtune.ask.objective import Objective
from nbtune.ask.space import Value
from nbtune.ask.strategy import AUTO
from nbtune.ask.surroundings import Surroundings
from nbtune.ask.targets import Output, Targets
from nbtune.data.content import live, thaw
from nbtune.data.streams import Stream
from nbtune.errors import ModulesDiffer

KERAS_BATCH_SIZE = 32
_OF_THE_NOTEBOOK = ("function", "objects", "surroundings", "callbacks", "stream")  # fields that hold what users made


@dataclass(frozen=True)
class Look:
    """What a model of the function turned out to be.

    Attributes:
        outputs: for each of its outputs a name, the shape that a row comes to, and Keras's name of the loss compiled for it.
        structure: "one", "list" or "dict" of outputs.
        loss: the loss that the function compiles it with; None if it does not compile.
        built: it knew its input's shape when the function returned it.
        metrics: the names of the metrics, weighted or not, that the function compiles it with.
        scheduled: it is compiled with a schedule of the learning rate.
        logs: what it logs as the function compiles it, without `val_`; None where only training shows it.
        first: the class of the first layer that does something to the rows; None where that is not told.
        activations: for each output Keras's name of the activation that it comes out of; None where that is not told.
        adapted: some of its layers have learned from data by `adapt`.
        logits: for each output whether its compiled loss applies a softmax or sigmoid itself.
    """

    outputs: Sequence[Output]
    loss: str | None
    built: bool
    structure: str = "one"
    metrics: Sequence[str] = ()
    logs: Sequence[str] | None = None
    first: str | None = None
    activations: Sequence[str | None] = ()
    logits: Sequence[bool] = ()
    scheduled: bool = False
    adapted: bool = False

    @classmethod
    def of(cls, outputs: Sequence[Any], **others: Any) -> Look:
        """From what a worker sent as JSON."""
        return cls(tuple(Output(name, tuple(shape), loss) for name, shape, loss in outputs), **others)

    @property
    def units(self) -> int:
        """The size of the only output's last dimension."""
        return self.outputs[0].units


@dataclass(frozen=True)
class Terms:
    """The function and the terms of the fit, as far as they are known before a model was built.

    Attributes:
        objects: axis to name to thing, for values that stand for a callable or a Keras object.
        folder: where `arrays.write` left the data.
        project: the KerasTuner project, which takes the weights.
        repeats: how often a combination is trained, with the seeds `seed`, `seed + 1` and so on.
        folds: in how many of them the rows are cross-validated; 1: they are split once.
        fold: the number of the one that this job is of; None: of all, or there are none.
        engine: one of `strategy.ENGINES`; "auto" trains together only what is faster so.
        keep: how many trials' weights stay on disk, those of the best.
        surroundings: what the notebook has set in Keras.
        callbacks: makes the callbacks of a trial, from its values; None: none of the user's own.
        stream: datasets that are read anew in each epoch, instead of the rows in `folder`.
        shuffle: `fit` draws the order of the rows.
        validation_batch_size: rows in a batch of the evaluation; None: as many as in training.
        worker_mb: what a worker may hold of its own, in MB; None where only the machine limits it.
        frozen: what users made, with what the notebook has set in their modules, as it was when the search began; empty where
            it has not been written down, and goes to the workers as it is then.
        arrived: the user's own modules of this process may be set as well.
        expected: path to hash of what workers must find in those modules, or `ModulesDiffer` is raised there.
    """

    function: Function
    objects: Mapping[str, Mapping[str, Any]]
    folder: Path
    project: Path
    epochs: int
    patience: int | None
    min_delta: float
    batch_size: int
    seed: int
    repeats: int = 1
    folds: int = 1
    fold: int | None = None
    engine: str = AUTO
    keep: int = 5
    worker_mb: float | None = None
    surroundings: Surroundings = Surroundings()
    callbacks: Callable[..., Any] | None = None
    stream: Stream | None = None
    shuffle: bool = True
    validation_batch_size: int | None = None
    frozen: bytes = field(default=b"", repr=False)
    arrived: bool = False
    expected: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def live(self) -> dict[str, Any]:
        """Field to what users made, which code of theirs may change meanwhile."""
        return {name: getattr(self, name) for name in _OF_THE_NOTEBOOK}

    def __reduce__(self) -> tuple[Any, ...]:
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        plain = {name: value for name, value in known.items() if not self.frozen or name not in _OF_THE_NOTEBOOK}
        return _arrived, (type(self), plain)

    def completed(self, folder: Path, applied: frozenset[str], targets: Targets, objective: Objective, look: Look) -> Job:
        """The job of these terms, once a model has been looked at; the arguments are `Job`'s."""
        asked = {each.name: getattr(self, each.name) for each in fields(self)} | {"folder": folder, "expected": {}}
        return Job(**asked, applied=applied, targets=targets, objective=objective, look=look)

    @property
    def untouched(self) -> Self:
        """With layers, variables and the like that are around the function as they were when the search began: models that were
        built and trained since may have changed them."""
        return replace(self, **thaw.again(self.frozen, self.arrived)) if thaw.holds_state(self.frozen) else self

    def at(self, base: Path) -> Self:
        """The same where paths that are not absolute begin at `base`."""
        return replace(self, folder=base / self.folder, project=base / self.project)

    def resolved(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """The values with names replaced by the things that they stand for."""
        return {name: self.objects.get(name, {}).get(str(value), value) for name, value in values.items()}


@dataclass(frozen=True, kw_only=True)
class Job(Terms):
    """All that a trial of the search is trained by; the same for all trials.

    Attributes:
        applied: axes that a compiled model has not used itself, so that they are applied to it.
        targets: the labels of each of its outputs.
        look: what a model of the function turned out to be.
    """

    applied: frozenset[str] = frozenset()
    targets: Targets
    objective: Objective
    look: Look

    def gives_batch_size(self, values: Mapping[str, Value]) -> bool:
        """Whether `fit` is told how many rows a batch has; else a hypermodel's own `fit` may tell it."""
        asked = "batch_size" in self.applied and int(values.get("batch_size", self.batch_size)) != KERAS_BATCH_SIZE
        return asked or self.function.fit is None

    @property
    def runs(self) -> int:
        """How often a combination is trained: with each seed, in each fold."""
        return self.repeats * self.folds

    @property
    def each_run(self) -> list[Job]:
        """The job of each of a combination's runs, which differ in seed and fold: all folds of the first seed come first."""
        folds = range(self.folds) if self.folds > 1 else [self.fold]
        return [replace(self, seed=self.seed + i, repeats=1, folds=1, fold=fold) for i in range(self.repeats) for fold in folds]

    def best_run(self, scores: Sequence[float]) -> Job:
        """The job of the run that stands for a trial whose runs have these scores: the best, or the only one."""
        return self.each_run[self.objective.best(scores) if scores else 0]

    @property
    def on_all_rows(self) -> Job:
        """The job that trains a combination once, on training and validation rows together."""
        return replace(self, repeats=1, folds=1, fold=None)

    def run_in_words(self, number: int) -> str:
        """`fold 2 with seed 1`, of the run of this number; folds count from 1."""
        run = self.each_run[number]
        fold = f"fold {run.fold + 1}" if self.folds > 1 and run.fold is not None else "the run"
        return fold + (f" with seed {run.seed}" if self.repeats > 1 else "")

    def written(self, trial: str, run: Job) -> Path:
        """Where what the callbacks of one of a trial's runs write to a relative path goes."""
        folder = self.project / f"trial_{trial}"
        folder = folder if self.repeats == 1 else folder / f"seed_{run.seed}"
        return folder if self.folds == 1 else folder / f"fold_{run.fold}"

    def weights(self, trial: str) -> Path:
        """Where KerasTuner looks for a trial's weights."""
        return self.project / f"trial_{trial}" / "checkpoint.weights.h5"

    def weights_of_fold(self, trial: str, fold: int) -> Path:
        """Where the weights of a trial's best epoch in one fold are, with the first seed."""
        return self.project / f"trial_{trial}" / f"fold_{fold}.weights.h5"


def _arrived(kind: type[Terms], plain: dict[str, Any]) -> Terms:
    """Terms in a worker, whose modules hold from then on what the notebook has set in them.

    Raises:
        ModulesDiffer: they hold something else so far, and what the notebook has was not sent.
    """
    if differing := live.differing(plain["expected"]):
        raise ModulesDiffer("\n".join(differing))
    plain["arrived"] = True
    return kind(**plain, **thaw.thawed(plain["frozen"])) if plain["frozen"] else kind(**plain)
