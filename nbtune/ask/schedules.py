"""How a learning rate changes while a trial trains, by name. Each schedule fits the epochs and the steps of the search."""

from __future__ import annotations

from typing import Any

from nbtune.ask import checks
from nbtune.ask.calls import Call, Times
from nbtune.ask.space import Axis
from nbtune.errors import UsageError, did_you_mean, quoted

CONSTANT, PLATEAU, ONE_CYCLE = "constant", "plateau", "one-cycle"
SCHEDULES = (CONSTANT, "cosine", "exponential", "step", "warmup", ONE_CYCLE, PLATEAU)
BY_EPOCH = (CONSTANT, PLATEAU)  # those that need no number of steps
LAST = 0.01  # of the base rate, where exponential decay ends
OUR_OWN = "OneCycle"  # `training.onecycle`; Keras has none
_THERE_ARE = f"there are {', '.join(SCHEDULES)}"
_KERAS = "keras.optimizers.schedules"


def axis(name: str, values: Any) -> Axis | None:
    """The axis of these names, or of Keras's `LearningRateSchedule`s; raises UsageError for anything else."""
    found: Axis | None = checks.axis(_check, lambda text: text.lower().replace("_", "-"))(name, values)
    for label, thing in found.objects.items() if found else ():
        if not any(kind.__name__ == "LearningRateSchedule" for kind in type(thing).__mro__):
            raise UsageError(f"{name}: {label} is not a keras.optimizers.schedules.LearningRateSchedule; {_THERE_ARE}")
    return found


def _check(name: str, value: Any) -> None:
    if value not in SCHEDULES:
        raise UsageError(f"{name}: unknown schedule {quoted(value)}{did_you_mean(str(value), SCHEDULES) or f'; {_THERE_ARE}'}")


def two(function: str) -> str:
    """What is wrong where a function compiles with a schedule of its own."""
    return (
        f"the model that {function} compiles has a learning rate schedule of its own; add --learning-rate with the rates "
        "to begin with, or leave --schedule out"
    )


def call(kind: str, epochs: int, steps: int) -> Call | None:
    """The schedule of a training of so many epochs of so many steps; None for a rate that no schedule changes.

    `cosine` falls to 0 along half a cosine (Loshchilov and Hutter 2017); `exponential` falls to a hundredth; `step` is a tenth
    from half of the steps on and a hundredth from three quarters on (He et al. 2016); `warmup` rises from a tenth over the
    first tenth of the steps (Goyal et al. 2017) and then falls like `cosine`; `one-cycle` is that of Smith and Topin 2018.
    """
    total = max(epochs * steps, 1)
    match kind:
        case "cosine":
            return Call(f"{_KERAS}.CosineDecay", {"initial_learning_rate": Times(1), "decay_steps": total})
        case "exponential":
            arguments = {"initial_learning_rate": Times(1), "decay_steps": total, "decay_rate": LAST}
            return Call(f"{_KERAS}.ExponentialDecay", arguments)
        case "step":
            bounds = [max(total // 2 - 1, 0), max(total * 3 // 4 - 1, 0)]  # the last step of a rate
            return Call(f"{_KERAS}.PiecewiseConstantDecay", {"boundaries": bounds, "values": [Times(1), Times(0.1), Times(0.01)]})
        case "warmup":
            rising = max(total // 10, 1)
            falling = {"initial_learning_rate": Times(0.1), "decay_steps": max(total - rising, 1)}
            return Call(f"{_KERAS}.CosineDecay", {**falling, "warmup_target": Times(1), "warmup_steps": rising})
        case "one-cycle":
            return Call(OUR_OWN, {"peak": Times(1), "steps": total})
    return None


def plateau(monitor: str, mode: str, patience: int | None) -> Call:
    """A tenth of the rate whenever the objective has not improved for half as long as ends a trial.

    Args:
        patience: epochs without improvement that end a trial; None if nothing does.
    """
    waiting = max((10 if patience is None else patience) // 2, 1)
    return Call("keras.callbacks.ReduceLROnPlateau", {"monitor": monitor, "mode": mode, "factor": 0.1, "patience": waiting})
