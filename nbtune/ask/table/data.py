"""The options that name the function and the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbtune.ask import checks, folds
from nbtune.ask.option import Place, Reads, Results, entry


@dataclass(frozen=True)
class DataOptions:
    """What is trained, on which rows."""

    build: Any = entry(
        group="data",
        metavar="FUNC",
        help="the model-building function",
        type="Any",
        results=Results.AS_CONTENT,
        reads=Reads.EXPRESSION,
        help_in_python="a function of hyperparameters that returns a Keras model, KerasTuner's `build(hp)`, or a `HyperModel`",
        left_out="the last one that the cell defines",
        aliases=("function", "model", "build_fn", "build_model"),
        place=Place.NOWHERE,
        configurable=False,
    )
    data: Any = entry(
        group="data",
        metavar="X,Y[,W]",
        help="features, labels and the rows' weights, or one tf.data.Dataset; names or expressions",
        help_in_python="(x, y) or (x, y, weights): features `(rows, ...)`, labels `(rows,)` or `(rows, k)`, weights `(rows,)` of "
        "0 or more; x may be a list or dict of arrays. Or a dataset of such batches",
        type="Any",
        results=Results.AS_CONTENT,
        reads=Reads.EXPRESSION,
        aliases=("x", "xy", "dataset", "train", "training_data"),
        place=Place.NOWHERE,
        configurable=False,
    )
    validation_data: Any = entry(
        group="data",
        metavar="XV,YV[,WV]",
        help="validation data of your own instead of a split",
        type="Any",
        results=Results.AS_CONTENT,
        reads=Reads.EXPRESSION,
        help_in_python="the same of rows to validate on, instead of a split",
        left_out="a split of the data",
        aliases=("val", "val_data", "valid", "validation", "test", "test_data"),
        configurable=False,
    )
    validation_split: float = entry(
        0.2,
        group="data",
        metavar="SHARE",
        help="share of the rows held out to validate: shuffled by the seed, stratified for classes",
        type="float",
        results=Results.AS_TERM,
        check=checks.share,
        aliases=("split", "val_split", "test_size", "holdout"),
    )
    folds: folds.Folds | None = entry(
        group="data",
        metavar="K|time:K",
        help="cross-validate: train K times, each time another K-th of the rows validates, stratified for classes; time:K: rows "
        "in the order of time, each fold validates on those after its own",
        help_in_python="cross-validate: train so many times, each time another part of the rows validates, stratified for "
        'classes; "time:5": rows in the order of time, each fold validates on those after its own',
        type="int | str | None",
        results=Results.AS_TERM,
        check=folds.check,
        left_out="a single split",
        aliases=("cv", "fold", "k", "kfold", "k_fold", "k_folds", "n_folds", "n_splits", "splits", "cross_validation"),
    )
    groups: Any = entry(
        group="data",
        metavar="G",
        help="a value for each row; with --folds, rows of the same value are never on both sides: patients, speakers, days",
        help_in_python="`(rows,)`; with `folds`, rows of the same value are never on both sides: patients, speakers, days",
        type="Any",
        results=Results.AS_CONTENT,
        reads=Reads.EXPRESSION,
        aliases=("group", "group_by", "grouped_by", "clusters", "subjects"),
        configurable=False,
    )
    shuffle: bool = entry(
        True,
        group="data",
        metavar="",
        help="draw a new order of the rows in each epoch; --no-shuffle: keep theirs and hold out the last, as for time series",
        help_in_python="draw a new order of the rows in each epoch; False: keep theirs and hold out the last, as for time series",
        type="bool",
        results=Results.AS_TERM,
        reads=Reads.YES_NO,
        left_out="shuffled",
        aliases=("shuffled", "random_order"),
        editor="switch",
    )
    cache: bool = entry(
        False,
        group="data",
        metavar="",
        help="read a dataset once and keep its rows in memory, even if they differ each time it is read",
        type="bool",
        results=Results.AS_TERM,
        reads=Reads.SWITCH,
        aliases=("in_memory", "keep_in_memory"),
        editor="switch",
    )
    steps_per_epoch: int | None = entry(
        group="data",
        metavar="N",
        help="batches of a dataset that make an epoch",
        type="int | None",
        results=Results.AS_TERM,
        check=checks.whole(1, checks.NONE),
        left_out="all that it has",
        aliases=("batches_per_epoch", "steps_an_epoch"),
    )
