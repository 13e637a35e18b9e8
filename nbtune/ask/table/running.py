"""The options that say where and how a search runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbtune.ask import checks
from nbtune.ask.names import TRACKERS
from nbtune.ask.option import Place, Reads, Results, entry
from nbtune.ask.strategy import ENGINES


@dataclass(frozen=True)
class Running:
    """They change no trial's numbers."""

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
    dask: Any = entry(
        group="running",
        metavar="ADDRESS|NAME",
        help="train on a Dask cluster: the scheduler's address, or a client of yours",
        help_in_python='a `distributed.Client`, or a Dask scheduler\'s address like "tcp://host:8786"; None: this machine',
        type="Any",
        results=Results.UNCHANGED,
        check=checks.cluster,
        reads=Reads.ADDRESS,
        left_out="this machine",
        aliases=("cluster", "distributed", "client"),
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
        check=checks.folder,
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
    log: tuple[str, ...] = entry(
        (),
        group="running",
        metavar="NAMES",
        help="also write epochs and results, as they come, for " + ", ".join(TRACKERS),
        type="str | Iterable[str]",
        results=Results.UNCHANGED,
        check=checks.trackers,
        choices=TRACKERS,
        editor="tags",
        aliases=("logger", "loggers", "tracking", "track", "report_to"),
    )
