"""How well a network fits, in a word: from its curves alone, by the rules of thumb of a first course."""

from __future__ import annotations

import math
from statistics import fmean

from nbtune.record.progress import Progress, Trial

LEARNING, OVERFIT, UNDERFIT, FITS = "still learning", "overfit", "underfit", "fits"
MARGIN = 0.05  # of an accuracy, and of other scores this share of the larger one's size
RISE, SMOOTHED = 0.1, 5  # of losses that part: so large a share of the validation loss's lowest, as means of so many epochs
MEANS = (
    "still learning: its best epoch is the last that it was given; overfit: clearly better on the training data, or its "
    "validation loss rose again while its training loss fell; "
    "underfit: clearly worse than the best network is on the validation data, there and on the training data; "
    "clearly: by more than so few validation rows can show by chance"
)


def gap(trial: Trial, progress: Progress) -> float | None:
    """By how much the best epoch was better on the training than on the validation data; None without both."""
    objective = progress.objective
    training, validation = (objective.at(trial.best_epoch, name, trial.history) for name in (objective.metric, objective.name))
    if objective.metric == objective.name or training is None or validation is None:
        return None
    return objective.order(validation) - objective.order(training)


def verdicts(progress: Progress) -> dict[str, str]:
    """One of the four words for each trial, by its id; nothing for one that has not ended or has no validation."""
    best = progress.best
    if best is None or best.score is None:
        return {}
    return {trial.id: word for trial in progress.trials if (word := _verdict(trial, best.score, progress))}


def _verdict(trial: Trial, best: float, progress: Progress) -> str:
    apart = gap(trial, progress)
    if apart is None or trial.score is None or not trial.ended:
        return ""
    if trial.best_epoch == trial.epochs == progress.epochs:
        return LEARNING
    objective = progress.objective
    own, other = objective.order(trial.score), objective.order(best)
    if apart > _margin(own, own - apart, progress) or _parted(trial, progress):
        return OVERFIT
    worse = (each - other > _margin(each, other, progress) for each in (own, own - apart))
    return UNDERFIT if all(worse) else FITS


def _parted(trial: Trial, progress: Progress) -> bool:
    """Whether the validation loss has risen since it was lowest, and the training loss has fallen, both by a clear share.

    That is what overfitting looks like, and it may come after the best epoch, or leave the accuracy as it is.
    """
    training, validation = (progress.objective.by_epoch(name, trial.history) for name in ("loss", "val_loss"))
    measured = [epoch for epoch, value in enumerate(validation[: len(training)]) if math.isfinite(value)]
    if len(measured) < SMOOTHED:
        return False
    lowest = measured.index(min(measured, key=validation.__getitem__))
    start = min(max(lowest - SMOOTHED // 2, 0), len(measured) - SMOOTHED)
    then, now = measured[start : start + SMOOTHED], measured[-SMOOTHED:]
    means = [[fmean(map(values.__getitem__, part)) for part in (then, now)] for values in (validation, training)]
    (low, end), (low_training, end_training) = means
    return end - low > RISE * abs(low) and low_training - end_training > RISE * abs(low_training)


def _margin(a: float, b: float, progress: Progress) -> float:
    """What is clear: of accuracies so many rows in a hundred, and no fewer than chance moves; of losses and errors a share.

    Chance: two standard errors of the share that is right of so many rows, √(p (1 - p) / rows). The share of losses and errors is
    five times as large.
    """
    if progress.objective.direction != "max":
        return 5 * MARGIN * max(abs(a), abs(b))
    rows = progress.held_out.rows
    if not rows or not progress.objective.is_accuracy:
        return MARGIN
    chances = (min(max(abs(share), 1 / rows), 1 - 1 / rows) for share in (a, b))
    return max(MARGIN, 2 * max(math.sqrt(p * (1 - p) / rows) for p in chances))
