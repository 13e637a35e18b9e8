"""The options, listed nowhere else: lines, keywords, help, completion, panel, fingerprint and stacks derive from this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbtune.ask import checks, names
from nbtune.ask.objective import Objective
from nbtune.ask.option import Place, Reads, Results, axis_entry, entry
from nbtune.ask.space import Axis
from nbtune.ask.strategy import ENGINES

_OBJECTIVES = tuple(sorted(f"val_{metric}" for metric in names.MAXIMISED | names.MINIMISED))


@dataclass(frozen=True)
class Table:
    """Name, type, default and entry of each option, in the order of the help; axes are in grid order."""

    layers: Axis | None = axis_entry(
        help="numbers of hidden layers",
        check=checks.axis(checks.count(0)),
        aliases=("depth", "n_layers", "num_layers", "hidden_layers"),
        editor="range",
        suggestion="1:3",
    )
    units: Axis | None = axis_entry(
        help="units in a layer",
        check=checks.axis(checks.count(1)),
        aliases=("neurons", "nodes", "width", "hidden", "hidden_units", "hidden_size"),
        suggestion="16,32,64",
    )
    axis: tuple[Axis, ...] = entry(
        (),
        group="axes",
        metavar="NAME=VALUES",
        help="any other parameter of the function; may be repeated",
        help_in_python="name to values of other parameters of the function, whose names are options too",
        type="Mapping[str, Values] | None",
        results=Results.AS_VALUE,
        check=checks.custom_axes,
        reads=Reads.PAIRS,
        place=Place.NOWHERE,  # a field for each parameter of the function instead
    )
    learning_rate: Axis | None = axis_entry(
        help="learning rates of the optimizer",
        check=checks.axis(checks.rate),
        left_out="the optimizer's own",
        aliases=("lr", "alpha", "eta", "step_size"),
        editor="log",
        suggestion="log:1e-4:1e-2:3",
        applied_outside=True,
        same_architecture=True,
    )
    loss: Axis | None = axis_entry(
        help="losses, by their Keras names",
        check=checks.keras_names(names.LOSSES),
        left_out="the usual one for the labels",
        choices=tuple(sorted(names.LOSSES)),
        aliases=("criterion", "loss_function", "cost"),
        editor="choice",
        applied_outside=True,
        same_architecture=True,
    )
    init: Axis | None = axis_entry(
        help="initialisers of every kernel",
        check=checks.keras_names(names.INITIALIZERS),
        left_out="Glorot uniform",
        choices=tuple(sorted(names.INITIALIZERS)),
        aliases=("initializer", "initialiser", "kernel_initializer", "weight_init", "initialization"),
        editor="choice",
        label="initialiser",
        applied_outside=True,
        same_architecture=True,
    )
    optimizer: Axis | None = axis_entry(
        help="optimizers",
        check=checks.keras_names(names.OPTIMIZERS),
        left_out="Adam",
        choices=tuple(sorted(names.OPTIMIZERS)),
        aliases=("optimiser", "opt", "optim", "solver"),
        editor="choice",
        applied_outside=True,
    )
    batch_size: Axis | None = axis_entry(
        help="rows in a batch",
        check=checks.axis(checks.count(1)),
        left_out="32",
        aliases=("batch", "bs", "batches", "minibatch"),
        applied_outside=True,
    )

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
        help="what ranks the trials; max:NAME or min:NAME for a metric of your own",
        type="str | None",
        results=Results.AS_TERM,
        check=checks.objective,
        left_out="val_accuracy for classification, val_mean_absolute_error for regression",
        choices=_OBJECTIVES,
        aliases=("metric", "metrics", "monitor", "score", "scoring"),
    )
    seed: int = entry(
        0,
        group="fitting",
        metavar="N",
        help="the seed of the split and of every trial",
        type="int",
        results=Results.AS_TERM,
        check=checks.whole(0),
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

    engine: str = entry(
        "auto",
        group="running",
        metavar="auto|fused|trial",
        help="train combinations of one architecture together, or each on its own",
        type="str",
        results=Results.UNCHANGED,  # the numbers are those of `model.fit`, whatever the engine
        check=checks.choice(ENGINES),
        choices=ENGINES,
        editor="select",
    )
    workers: int | None = entry(
        group="running",
        metavar="auto|N",
        help="worker processes; 0: in this process, for the debugger",
        help_in_python="worker processes; 0: train in this process, for the debugger; None: as many as cores and memory allow",
        type="int | str | None",
        results=Results.UNCHANGED,
        check=checks.whole(0, {"auto": None, **checks.NONE}),
        left_out="auto",
        choices=("auto",),
        aliases=("jobs", "n_jobs", "processes", "cores", "cpus", "parallel"),
    )
    memory_limit: float | None = entry(
        group="running",
        metavar="MB",
        help="what the workers may hold together",
        help_in_python="megabytes that the workers may hold together; None: what machine and container have free",
        type="float | None",
        results=Results.UNCHANGED,
        check=checks.megabytes,
        left_out="what machine and container have free",
        aliases=("memory", "max_memory", "ram"),
    )
    wait: bool | None = entry(
        group="running",
        metavar="",
        help="stay in the cell until the search has ended, or --no-wait: return at once",
        help_in_python="return when the search has ended; False: at once",
        type="bool",
        results=Results.UNCHANGED,
        reads=Reads.YES_NO,
        place=Place.NOWHERE,
        aliases=("blocking", "sync", "background"),
    )
    plan: bool = entry(
        False,
        group="running",
        metavar="",
        help="show the size and the cost, train nothing",
        help_in_python="only measure what the search would cost: `search.plan`",
        type="bool",
        results=Results.UNCHANGED,
        reads=Reads.SWITCH,
        place=Place.NOWHERE,
        aliases=("dry_run", "estimate"),
    )
    dir: str = entry(
        ".nbtune",
        group="running",
        metavar="PATH",
        help="where searches are kept",
        type="str | os.PathLike[str]",
        results=Results.UNCHANGED,
        check=checks.text,
        aliases=("directory", "folder", "path", "project_dir", "output"),
    )
    fresh: bool = entry(
        False,
        group="running",
        metavar="",
        help="train everything, whatever an earlier run has left",
        type="bool",
        results=Results.UNCHANGED,
        reads=Reads.SWITCH,
        editor="switch",
        aliases=("overwrite", "force", "restart"),
    )
    retries: int = entry(
        1,
        group="running",
        metavar="N",
        help="how often a trial that failed is tried again",
        type="int",
        results=Results.UNCHANGED,
        check=checks.whole(0),
        aliases=("max_retries", "max_retries_per_trial"),
    )
    trial_timeout: float | None = entry(
        group="running",
        metavar="SECONDS",
        help="end a trial that takes longer, and count it as failed",
        help_in_python="seconds after which a trial is ended and counted as failed; None: no limit",
        type="float | None",
        results=Results.UNCHANGED,
        check=checks.seconds,
        left_out="no limit",
        aliases=("timeout", "max_time"),
    )
    keep: int = entry(
        5,
        group="running",
        metavar="N",
        help="trials whose weights stay on disk",
        type="int",
        results=Results.UNCHANGED,
        check=checks.whole(1),
        aliases=("keep_best", "top", "checkpoints"),
    )
