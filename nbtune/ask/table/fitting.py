"""The options that say how each trial is fitted and ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbtune.ask import checks, names
from nbtune.ask.objective import Objective
from nbtune.ask.option import Place, Reads, Results, entry

MOST_SEED = 2**32 - 1  # NumPy, whose seed is set too, takes no larger one

_OBJECTIVES = tuple(sorted(f"val_{metric}" for metric in names.MAXIMISED | names.MINIMISED))


@dataclass(frozen=True)
class Fitting:
    """The same for every trial."""

    epochs: int = entry(
        100,
        group="fitting",
        metavar="N",
        help="epochs at most",
        type="int",
        results=Results.AS_TERM,
        check=checks.whole(1),
        aliases=("n_epochs", "max_epochs", "iterations", "steps"),
        place=Place.FIRST,
    )
    patience: int | None = entry(
        5,
        group="fitting",
        metavar="N|off",
        help="stop a trial after N epochs without improvement; off: train all epochs",
        help_in_python="stop a trial after so many epochs without improvement; None: train all epochs",
        type="int | str | None",
        results=Results.AS_TERM,
        check=checks.whole(0, {"off": None, **checks.NONE}),
        choices=("off",),
        aliases=("early_stopping", "stop_after"),
        place=Place.FIRST,
    )
    min_delta: float = entry(
        0.0,
        group="fitting",
        metavar="D",
        help="what counts as an improvement",
        type="float",
        results=Results.AS_TERM,
        check=checks.number(0),
        aliases=("delta", "tol"),
    )
    objective: Objective | None = entry(
        group="fitting",
        metavar="NAME",
        help="what ranks the trials; max:NAME or min:NAME for a metric of your own; after a comma, metrics to show beside it",
        type="Any",
        results=Results.AS_TERM,
        check=checks.objective,
        left_out="val_accuracy for classification, val_mean_absolute_error for regression",
        choices=_OBJECTIVES,
        aliases=("metric", "metrics", "monitor", "score", "scoring"),
    )
    validation_batch_size: int | None = entry(
        group="fitting",
        metavar="N",
        help="rows in a batch of the evaluation",
        type="int | None",
        results=Results.AS_TERM,
        check=checks.whole(1, checks.NONE),
        left_out="as in training",
        aliases=("val_batch_size", "eval_batch_size"),
    )
    validation_freq: int | tuple[int, ...] = entry(
        1,
        group="fitting",
        metavar="N|N,N",
        help="validate after every N epochs, or after these, as `fit` does; other epochs neither rank nor stop a trial",
        type="int | Sequence[int]",
        results=Results.AS_TERM,
        check=checks.frequency,
        left_out="after each",
        aliases=("val_freq", "eval_every", "validate_every", "validation_frequency"),
    )
    callbacks: Any = entry(
        group="fitting",
        metavar="FACTORY",
        help="a function that makes the callbacks of each trial, given its values; what they write goes to the trial's folder",
        type="Any",
        results=Results.AS_CONTENT,
        check=checks.factory,
        reads=Reads.EXPRESSION,
        aliases=("callback", "cbs"),
        configurable=False,
    )
    seed: int = entry(
        0,
        group="fitting",
        metavar="N",
        help="the seed of the split and of every trial",
        type="int",
        results=Results.AS_TERM,
        check=checks.whole(0, most=MOST_SEED),
        aliases=("random_state", "random_seed"),
    )
    repeats: int = entry(
        1,
        group="fitting",
        metavar="N",
        help="train each combination with N seeds: its score is their mean, ± their standard deviation",
        help_in_python="seeds to train each combination with; its score is their mean, `.std` their standard deviation",
        type="int",
        results=Results.AS_TERM,
        check=checks.whole(1),
        aliases=("seeds", "executions_per_trial", "repetitions", "runs"),
    )
