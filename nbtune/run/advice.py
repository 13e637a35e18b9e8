"""What is likely to be a mistake although it can be trained: said in a line each, with the remedy, before it costs an hour.

Each check is told what was asked for and what a first look at a model showed, and returns what it has to say. A check that
does not know is silent: a false alarm costs more trust than a missed one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from nbtune.ask import names
from nbtune.ask.labels import CLASSES, MULTI_LABEL, NUMBERS, ONE_HOT, Labels
from nbtune.ask.targets import Output
from nbtune.ask.unused import unused
from nbtune.data import arrays
from nbtune.data.tree import leaves, map_leaves
from nbtune.record.heldout import HeldOut
from nbtune.record.job import Job
from nbtune.run.request import Request

EXCLUSIVE = names.CATEGORICAL_LOSSES - {"categorical_hinge"}  # one class a row: these take a softmax's probabilities
EACH = frozenset({"binary_crossentropy", "binary_focal_crossentropy"})  # these take a sigmoid's
PROBABILITIES = frozenset({"softmax", "sigmoid", "hard_sigmoid", "sparsemax", "sparse_sigmoid"})
# What these put out can be below 0 or above 1, or is meant otherwise.
OTHERS = frozenset(
    {"linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish", "tanh"}
    | {"softplus", "softsign", "exponential", "log_softmax", "log_sigmoid", "hard_silu", "hard_tanh", "glu", "squareplus"}
)
RANGES = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, np.inf)}
# Layers that multiply what they are given by their weights, so that its scale matters.
WEIGHING = frozenset({"Dense", "EinsumDense", "LSTM", "GRU", "SimpleRNN", "Bidirectional", "TimeDistributed"})
SEEN, MOST_NUMBERS = 10_000, 5_000_000  # rows whose features are looked at, and numbers in them
APART, LARGE, LARGE_TARGETS = 100.0, 100.0, 1000.0


@dataclass(frozen=True)
class End:
    """One output of the model: what it comes out of, its labels, and the losses that it is trained by.

    `losses` leads from a loss's name to whether it applies a softmax or sigmoid itself.
    """

    output: Output
    activation: str
    labels: Labels | None
    losses: dict[str, bool]

    @property
    def units(self) -> int:
        return self.output.units

    def says(self) -> str:
        """`The model ends in 10 units without an activation`."""
        how = "without an activation" if self.activation == "linear" else f"with {self.activation}"
        return f"The model ends in {self.units} unit{'s' * (self.units > 1)} {how}"

    def plain(self, kinds: frozenset[str]) -> list[str]:
        """Of its losses those of these kinds that take probabilities."""
        return [name for name, logits in self.losses.items() if name in kinds and not logits]


def advice(request: Request, job: Job, held_out: HeldOut) -> list[str]:
    """What to hear before the training, a sentence or two each; empty where nothing looks like a mistake.

    Args:
        held_out: the rows that the scores are measured on.
    """
    found = [sentence for end in _ends(request, job) if (sentence := _about_end(end))]
    found += _about_parameters(request, job)
    if job.look.first in WEIGHING or str(job.look.first).startswith("Conv"):
        found += _about_features(request.data.x)
    found += _about_labels(request, job, held_out)
    found += _about_objective(job, held_out, request.data.validated)
    return list(dict.fromkeys(found))


def _ends(request: Request, job: Job) -> Iterator[End]:
    look, outputs = job.look, job.targets.outputs
    if not len(look.activations) == len(look.logits) == len(outputs):
        return
    axis = request.options.loss if "loss" in job.applied or look.loss is None else None
    for output, labels, activation, logits in zip(outputs, job.targets.labels, look.activations, look.logits, strict=True):
        if activation is None:
            continue
        if axis is not None:
            losses = {names.canonical(str(v)): _takes_logits(axis.objects.get(str(v))) for v in axis.values}
        elif look.loss is not None:
            losses = {output.loss: logits} if output.loss else {}
        else:
            losses = {labels.default_loss(output.units): False} if labels else {}
        yield End(output, activation, labels, losses)


def _takes_logits(loss: object) -> bool:
    return bool(getattr(loss, "from_logits", False))


def _about_end(end: End) -> str:
    """The first of these that holds: the others follow from it."""
    for check in (_constant, _no_probabilities, _twice, _each_by_itself, _shared_out):
        if said := check(end):
            return said
    return ""


def _dense(units: int, activation: str) -> str:
    return f'Dense({units}, activation="{activation}")'


def _constant(end: End) -> str:
    if end.units > 1 or end.activation != "softmax" or len(end.output.shape) != 1:
        return ""
    return (
        "The model ends in 1 unit with softmax, which is 1 whatever the input, so that nothing is learned: for two classes end "
        f"it in {_dense(1, 'sigmoid')}, for a number in Dense(1)."
    )


def _no_probabilities(end: End) -> str:
    if end.activation not in OTHERS:
        return ""
    wrong = end.plain(EXCLUSIVE) if end.units > 1 else []
    wrong = wrong or end.plain(EACH) or (end.plain(frozenset({"kl_divergence", "dice"})) if _are_classes(end) else [])
    if not wrong:
        return ""
    right = "sigmoid" if wrong[0] in EACH or end.units == 1 else "softmax"
    return f"{end.says()}, and {wrong[0]} expects probabilities: end it in {_dense(end.units, right)}."


def _twice(end: End) -> str:
    losses = [name for name, logits in end.losses.items() if logits and name in EXCLUSIVE | EACH]
    if not losses or end.activation not in ("softmax", "sigmoid"):
        return ""
    return f"{end.says()}, and {losses[0]} has from_logits=True, which applies it a second time: leave out one of the two."


def _each_by_itself(end: End) -> str:
    if end.units < 2 or end.activation not in ("sigmoid", "hard_sigmoid") or not end.plain(EXCLUSIVE):
        return ""
    return (
        f"{end.says()}, which judges each class by itself, and each row is of one class: end it in "
        f"{_dense(end.units, 'softmax')}."
    )


def _shared_out(end: End) -> str:
    if end.labels is None or end.labels.form != MULTI_LABEL or end.activation != "softmax":
        return ""
    return f"{end.says()}, which shares 1 out among the classes, and rows have several: end it in {_dense(end.units, 'sigmoid')}."


def _are_classes(end: End) -> bool:
    return end.labels is not None and end.labels.are_classes


def _about_parameters(request: Request, job: Job) -> Iterator[str]:
    function = request.function
    if function.takes_hp or function.parameters is None:
        return
    lost = unused(function.call)
    for axis in request.options.axes:
        if axis.name in lost and axis.name in function.parameters and len(axis.values) > 1:
            applied = axis.name in ("init", "batch_size", "class_weight") or (
                axis.name in ("learning_rate", "optimizer", "loss", "schedule") and job.look.loss is None
            )
            if not applied:
                yield (
                    f"{function.name} takes {axis.name} and does not use it, so that its {len(axis.values)} values train the "
                    f"same network: use it in {function.name}, or drop the axis."
                )


def _about_features(x: object) -> Iterator[str]:
    """Of one array: how large the numbers in it are, and in its columns."""
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "iuf" or x.ndim < 2 or not x.size:
        return
    step = max(len(x) // SEEN, x.size // MOST_NUMBERS, 1)
    some = np.asarray(x[::step], "float64")
    largest = float(np.abs(some).max())
    if largest <= 10:
        return
    if 128 < largest <= 255 and some.min() >= 0 and some[0].size >= 32 and np.all(some == np.floor(some)):
        yield "The features go from 0 to 255 like pixels, and networks learn best from numbers of about 1: give x / 255."
    elif columns := _apart(some):
        (large, top), (small, least) = columns
        yield (
            f"The features have very different scales (column {large} goes to {top:,.4g}, column {small} to {least:.3g}), and "
            "the large ones drown the others: give (x - x.mean(axis=0)) / x.std(axis=0)."
        )
    elif largest > LARGE:
        yield (
            f"The features go up to {largest:,.4g}, and networks learn best from numbers of about 1: divide them, or begin the "
            "model with a Normalization layer."
        )


def _apart(some: np.ndarray) -> tuple[tuple[int, float], tuple[int, float]] | None:
    """The columns with the largest and the smallest numbers, where these are far apart; constant ones tell nothing."""
    if some.ndim != 2:
        return None
    tops = np.abs(some).max(axis=0)
    known = np.flatnonzero((some.max(axis=0) > some.min(axis=0)) & (tops > 0))
    if len(known) < 2:
        return None
    large, small = int(known[tops[known].argmax()]), int(known[tops[known].argmin()])
    return ((large, tops[large]), (small, tops[small])) if tops[large] >= APART * tops[small] else None


def _about_labels(request: Request, job: Job, held_out: HeldOut) -> Iterator[str]:
    y, labels = request.data.y, job.targets.single
    if not isinstance(y, np.ndarray) or labels is None or labels.spread or not y.size:
        return
    units = job.targets.outputs[0].units
    if labels.form == CLASSES and y.min() == 1 and units == y.max() + 1 > 2:
        yield (
            f"The labels go from 1 to {y.max():g}, and classes count from 0, so that one of the model's {units} units stands for "
            f"nothing: give y - 1, and end it in {units - 1} units."
        )
    activation = job.look.activations[0] if job.look.activations else None
    if labels.form == NUMBERS:
        low, high = RANGES.get(activation or "", (-np.inf, np.inf))
        if (y.min() < low or y.max() > high) and not (activation == "softmax" and units == 1):
            yield (
                f"The model ends in {activation}, which is never {f'below {low:g}' if y.min() < low else f'above {high:g}'}, and "
                f"the labels go from {y.min():.4g} to {y.max():.4g}: end it in Dense({units})."
            )
        elif activation == "linear" and float(np.abs(y).max()) > LARGE_TARGETS:
            yield (
                f"The labels go up to {np.abs(y).max():,.4g}, which a network needs long to reach: train on "
                "(y - y.mean()) / y.std(), and turn predictions back."
            )


def _about_objective(job: Job, held_out: HeldOut, validated: bool) -> Iterator[str]:
    objective = job.objective
    if validated and not objective.name.startswith("val_"):
        yield (
            f"The objective {objective.name} is measured on the training data, where the network that learns it by heart is the "
            f"best: rank by --objective val_{objective.name}."
        )
    if held_out.uneven and objective.is_accuracy:
        yield (
            f"{held_out.share:.0%} of the rows are of class {held_out.largest}, so that always answering {held_out.largest} has "
            f"{objective.metric} {held_out.share:.2f} (the dashed line): rank by --objective val_f1_score, or add "
            "--class-weight balanced."
        )


def held_out(job: Job, class_names: Sequence[str] | None = None) -> HeldOut:
    """The validation rows as they were written for the workers; nothing is known of a stream's.

    Args:
        class_names: in the order of their numbers, where the labels were text.
    """
    part, folds = arrays.read(job.folder), arrays.folds(job.folder)
    if folds:
        rows = np.concatenate([fold.val for fold in folds])
        part = replace(part, x_val=part.x, y_val=map_leaves(lambda leaf: leaf[rows], part.y))
    if not part.validated:
        return HeldOut()
    labels, y = job.targets.single, part.y_val
    is_single = labels is not None and labels.form in (CLASSES, ONE_HOT) and isinstance(y, np.ndarray)
    strata = labels.strata(y) if labels is not None and is_single else None
    numbers, counts = np.unique([] if strata is None else strata, return_counts=True)
    texts = [class_names[int(number)] if class_names else str(int(number)) for number in numbers]
    found = HeldOut.of(len(rows) if folds else len(leaves(part.x_val)[0]), dict(zip(texts, counts.tolist(), strict=True)))
    ratio = fmean(len(fold.val) / len(fold.train) for fold in folds) if folds else 0.0
    return replace(found, folds=len(folds), ratio=ratio)
