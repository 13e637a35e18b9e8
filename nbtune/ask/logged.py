"""What a model logs, and which of it ranks the trials."""

from __future__ import annotations

from collections.abc import Collection

from nbtune.ask import names
from nbtune.ask.labels import NUMBERS
from nbtune.ask.objective import Objective
from nbtune.ask.targets import Targets
from nbtune.errors import UsageError, did_you_mean


def check_logged(objective: Objective, targets: Targets, logged: Collection[str]) -> None:
    """Raises UsageError where the model neither logs the objective nor can nbtune add it.

    Args:
        logged: what the model logs as the function compiles it, without `val_`.
    """
    if objective.metric == "loss" or objective.metric in logged:
        return
    if f"{objective.metric}_0" in logged:
        raise UsageError(f"{objective.name} is a number for each class; compile the metric with average='macro'")
    several = len(targets.outputs) > 1
    own = [objective.metric.removeprefix(f"{output.name}_") if several else objective.metric for output in targets.outputs]
    if any(names.canonical(name) in names.METRICS and not (several and name == objective.metric) for name in own if name):
        return
    prefix = "val_" if objective.name.startswith("val_") else ""
    known = [f"{prefix}{name}" for name in logged or ("loss",)]
    raise UsageError(f"the model logs no {objective.name}; it logs {', '.join(known)}{did_you_mean(objective.name, known)}")


def usual_objective(targets: Targets, logged: Collection[str] | None) -> Objective:
    """What ranks the trials unless told otherwise: accuracy for classes, the mean absolute error for numbers.

    If the model logs such a metric by another name (`mae`, `binary_accuracy`), that one, and none is added.
    Where the labels are the function's own business, or those of several outputs, that holds if the model logs such a metric,
    and else its loss ranks.
    """
    labels = targets.single
    if labels is None:
        return Objective.of("val_loss")
    own = [name for name in logged or () if labels.metric in (name, _meant(name))]
    if own or targets.known:
        return Objective.of(f"val_{next(iter(sorted(own, key=labels.metric.__ne__)), labels.metric)}")
    return Objective.of("val_mae" if labels.form == NUMBERS and "mae" in (logged or ()) else "val_loss")


def _meant(logged: str) -> str:
    """The usual metric that one of this name is."""
    return "accuracy" if logged in names.ACCURACIES else names.canonical(logged)
