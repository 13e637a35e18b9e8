"""The options that say which combinations are trained, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from nbtune.ask import checks
from nbtune.ask.option import Reads, Results, entry
from nbtune.ask.where import Where

ALL = "all"
MANY = 5_000  # combinations; more are trained only if `sample` says so


@dataclass(frozen=True)
class Combinations:
    """A part of the grid, which can be widened later."""

    where: Where | None = entry(
        group="combinations",
        metavar="EXPR",
        help='train only the combinations for which this holds: "layers * units <= 128"',
        type="str | None",
        results=Results.UNCHANGED,
        check=checks.where,
        reads=Reads.TEXT,
        left_out="all",
        aliases=("filter", "exclude", "only", "constraint", "condition"),
    )
    sample: int | str | None = entry(
        group="combinations",
        metavar="N|all",
        help="train N of the combinations, in which each value comes about equally often; all: of a large grid too",
        help_in_python='combinations to train at most, in which each value comes about equally often; "all": of a large grid too',
        type="int | str | None",
        results=Results.UNCHANGED,
        check=checks.whole(1, {ALL: ALL, **checks.NONE}),
        left_out=f"all, up to {MANY:,}",
        choices=(ALL,),
        aliases=("subset", "n_trials", "max_trials", "trials", "n_iter", "random", "samples"),
    )
    minutes: float | None = entry(
        group="combinations",
        metavar="M",
        help="stop after M minutes of training, pauses left out; what is under way then keeps its best epoch",
        help_in_python="minutes after which the search is stopped, pauses left out; what is under way then keeps its best epoch",
        type="float | None",
        results=Results.UNCHANGED,
        check=checks.minutes,
        left_out="no limit",
        aliases=("time_limit", "max_minutes", "deadline", "budget", "time_budget", "duration"),
    )
