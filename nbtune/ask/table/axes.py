"""The options that are axes, in grid order."""

from __future__ import annotations

from dataclasses import dataclass

from nbtune.ask import checks, initializers, names, optimizers, schedules
from nbtune.ask.option import Place, Reads, Results, axis_entry, entry
from nbtune.ask.space import Axis


@dataclass(frozen=True)
class Axes:
    """Hyperparameters: a trial has one value of each."""

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
        help='losses, by their Keras names or as objects; one of your own gets one-hot classes unless "sparse" is in its name',
        check=checks.keras_names(names.LOSSES),
        left_out="the usual one for the labels",
        choices=tuple(sorted(names.LOSSES)),
        aliases=("criterion", "loss_function", "cost"),
        editor="choice",
        applied_outside=True,
        same_architecture=True,
    )
    init: Axis | None = axis_entry(
        help="initialisers of every weight called kernel; normal:0.01, uniform:0.05, constant:0.1 and orthogonal:2 with a number",
        check=checks.axis(initializers.check, initializers.spell),
        left_out="Glorot uniform",
        choices=tuple(sorted(names.INITIALIZERS)),
        aliases=("initializer", "initialiser", "kernel_initializer", "weight_init", "initialization"),
        editor="choice",
        label="initialiser",
        applied_outside=True,
        same_architecture=True,
    )
    optimizer: Axis | None = axis_entry(
        help="optimizers; momentum is sgd with a momentum of 0.9",
        check=checks.keras_names(optimizers.OPTIMIZERS),
        left_out="Adam",
        choices=tuple(sorted(optimizers.OPTIMIZERS)),
        aliases=("optimiser", "opt", "optim", "solver"),
        editor="choice",
        applied_outside=True,
    )
    schedule: Axis | None = axis_entry(
        help="how the learning rate changes over the epochs",
        check=schedules.axis,
        left_out="it does not, or the optimizer's own",
        choices=schedules.SCHEDULES,
        aliases=("scheduler", "lr_schedule", "lr_scheduler", "learning_rate_schedule", "decay"),
        editor="choice",
        applied_outside=True,
        same_architecture=True,
    )
    batch_size: Axis | None = axis_entry(
        help="rows in a batch",
        check=checks.axis(checks.count(1)),
        left_out="32",
        aliases=("batch", "bs", "batches", "minibatch"),
        applied_outside=True,
    )
    class_weight: Axis | None = axis_entry(
        metavar="VALUES|{DICT}",
        help="weights of the classes: none, balanced, or {0: 1, 1: 5}, and several of these to compare them",
        check=checks.class_weight,
        left_out="none",
        choices=("none", "balanced"),
        aliases=("class_weights", "weights", "pos_weight"),
        place=Place.FURTHER,
        applied_outside=True,
    )
