"""`nbtune.tune`: the magic as a function."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nbtune.ask.function import Function
from nbtune.ask.option import Values
from nbtune.ask.options import Options, nearest
from nbtune.errors import UsageError
from nbtune.execution.local import warm
from nbtune.launch import launch
from nbtune.run.request import Request
from nbtune.search import Search
from nbtune.views.screen import Screen


# The signature and the list of arguments are written by `python -m tests.signature`, out of the table of options.
def tune(
    build: Any = None,
    data: Any = None,
    *more: Any,
    name: str = "search",
    layers: Values = None,
    units: Values = None,
    axis: Mapping[str, Values] | None = None,
    learning_rate: Values = None,
    loss: Values = None,
    init: Values = None,
    optimizer: Values = None,
    schedule: Values = None,
    batch_size: Values = None,
    class_weight: Values = None,
    validation_data: Any = None,
    validation_split: float = 0.2,
    folds: int | str | None = None,
    groups: Any = None,
    shuffle: bool = True,
    cache: bool = False,
    steps_per_epoch: int | None = None,
    epochs: int = 100,
    patience: int | str | None = 5,
    min_delta: float = 0.0,
    objective: Any = None,
    validation_batch_size: int | None = None,
    validation_freq: int | Sequence[int] = 1,
    callbacks: Any = None,
    seed: int = 0,
    repeats: int = 1,
    where: str | None = None,
    sample: int | str | None = None,
    minutes: float | None = None,
    engine: str = "auto",
    workers: int | str | None = None,
    dask: Any = None,
    memory_limit: float | None = None,
    wait: bool = True,
    plan: bool = False,
    dir: str | os.PathLike[str] = ".nbtune",
    fresh: bool = False,
    retries: int = 1,
    trial_timeout: float | None = None,
    keep: int = 5,
    log: str | Iterable[str] = (),
    **parameters: Values,
) -> Search:
    """Trains every combination of some hyperparameters and keeps the best: `%%tune` as a function.

    Each axis takes a list of values or a single one, or a text as on a line: `"1:3"`, `"log:1e-4:1e-2:3"`. Functions and
    Keras objects may be values too.

    Args:
        build: a function of hyperparameters that returns a Keras model, KerasTuner's `build(hp)`, or a `HyperModel`.
        data: (x, y) or (x, y, weights): features `(rows, ...)`, labels `(rows,)` or `(rows, k)`, weights `(rows,)` of 0
            or more; x may be a list or dict of arrays. Or a dataset of such batches.
        name: the folder of the search, in `dir`: another name keeps another search.
        layers: numbers of hidden layers.
        units: units in a layer.
        axis: name to values of other parameters of the function, whose names are options too.
        learning_rate: learning rates of the optimizer; if left out, the optimizer's own.
        loss: losses, by their Keras names or as objects; one of your own gets one-hot classes unless "sparse" is in its
            name; if left out, the usual one for the labels.
        init: initialisers of every weight called kernel; normal:0.01, uniform:0.05, constant:0.1 and orthogonal:2 with
            a number; if left out, Glorot uniform.
        optimizer: optimizers; momentum is sgd with a momentum of 0.9; if left out, Adam.
        schedule: how the learning rate changes over the epochs; if left out, it does not, or the optimizer's own.
        batch_size: rows in a batch; if left out, 32.
        class_weight: weights of the classes: none, balanced, or {0: 1, 1: 5}, and several of these to compare them; if
            left out, none.
        validation_data: the same of rows to validate on, instead of a split.
        validation_split: share of the rows held out to validate: shuffled by the seed, stratified for classes.
        folds: cross-validate: train so many times, each time another part of the rows validates, stratified for
            classes; "time:5": rows in the order of time, each fold validates on those after its own.
        groups: `(rows,)`; with `folds`, rows of the same value are never on both sides: patients, speakers, days.
        shuffle: draw a new order of the rows in each epoch; False: keep theirs and hold out the last, as for time
            series.
        cache: read a dataset once and keep its rows in memory, even if they differ each time it is read.
        steps_per_epoch: batches of a dataset that make an epoch; if left out, all that it has.
        epochs: epochs at most.
        patience: stop a trial after so many epochs without improvement; None: train all epochs.
        min_delta: what counts as an improvement.
        objective: what ranks the trials; max:NAME or min:NAME for a metric of your own; after a comma, metrics to show
            beside it; if left out, val_accuracy for classification, val_mean_absolute_error for regression.
        validation_batch_size: rows in a batch of the evaluation; if left out, as in training.
        validation_freq: validate after every N epochs, or after these, as `fit` does; other epochs neither rank nor
            stop a trial.
        callbacks: a function that makes the callbacks of each trial, given its values; what they write goes to the
            trial's folder.
        seed: the seed of the split and of every trial.
        repeats: seeds to train each combination with; its score is their mean, `.std` their standard deviation.
        where: train only the combinations for which this holds: "layers * units <= 128"; if left out, all.
        sample: combinations to train at most, in which each value comes about equally often; "all": of a large grid
            too.
        minutes: minutes after which the search is stopped, pauses left out; what is under way then keeps its best
            epoch.
        engine: train combinations of one architecture together, or each on its own.
        workers: worker processes; 0: train in this process, for the debugger; None: as many as cores and memory allow.
        dask: a `distributed.Client`, or a Dask scheduler's address like "tcp://host:8786"; None: this machine.
        memory_limit: megabytes that the workers may hold together; None: what machine and container have free.
        wait: return when the search has ended; False: at once.
        plan: only measure what the search would cost: `search.plan`.
        dir: where searches are kept.
        fresh: train everything, whatever an earlier run has left.
        retries: how often a trial that failed is tried again.
        trial_timeout: seconds after which a trial is ended and counted as failed; None: no limit.
        keep: trials whose weights stay on disk.
        log: also write epochs and results, as they come, for tensorboard, mlflow, wandb.
        **parameters: values of any other parameter of the function: `dropout=[0, 0.2]` is `axis={"dropout": [0, 0.2]}`.

    Returns:
        The search: ended, under way with `wait=False`, or only planned with `plan=True`.

    Raises:
        UsageError: a mistake in the call, in one line that says how to put it right.
        BuildError: the function itself raised; the message ends with its traceback.

    Example:
        ```
        search = nbtune.tune(build, data=(x, y), layers=[1, 2], units=[16, 64], dropout=[0, 0.2], epochs=50)
        search.best_hyperparameters  # {"layers": 2, "units": 64, "dropout": 0.2}
        search.best_model.predict(x_new)
        ```
    """
    asked = {key: value for key, value in locals().items() if key not in ("name", "parameters", "more")}
    if more:
        raise UsageError("features and labels go in together, tune(build, (x, y)), and everything else by its name", "data")
    if not name.isidentifier():  # it becomes the name of a folder
        raise UsageError(f"{name!r} cannot be the name of a search; use letters, digits and _", "name")
    asked["axis"] = with_parameters(build, axis, parameters)
    request = Request.of(Options.of(**asked))
    search = launch(request, name, warm.reserve(), screen=Screen(waits=bool(wait)))
    if wait and not request.options.plan:
        search.wait()
    return search


def with_parameters(build: Any, axis: Any, parameters: Mapping[str, Any]) -> Any:
    """The axes of `axis` and those given as keywords, which the function must take; any, if what it takes is not known yet."""
    if not parameters:
        return axis
    function = Function.of(build) if build is not None else None
    for name in parameters:
        if function is None or not (function.takes_hp or function.parameters is None or name in function.parameters):
            takes = f"{function.name} takes {', '.join(function.parameters or ())}" if function else "give build first"
            raise UsageError(f"unknown option {name!r}{nearest(name) or f'; {takes}'}", name)
        if isinstance(axis, Mapping) and name in axis:
            raise UsageError(f"{name} is given twice; one list holds all of its values", name)
    return {**(axis if isinstance(axis, Mapping) else {}), **parameters}
