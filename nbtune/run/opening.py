"""From a request to a search that can start: looks at the function in a worker, and at what an earlier run left."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from nbtune import machine
from nbtune.ask.options import Options
from nbtune.ask.space import Space
from nbtune.data import arrays
from nbtune.errors import BackendDied, BuildError, UsageError, WorkerDied
from nbtune.execution.local.warm import Pool
from nbtune.record.events import Emit
from nbtune.record.job import Job
from nbtune.record.progress import Progress
from nbtune.record.project import Project
from nbtune.record.resume import earlier
from nbtune.record.store import Store
from nbtune.run.advice import advice, held_out
from nbtune.run.grouping import Work, shared_out, stacks
from nbtune.run.plan import Plan, Stack
from nbtune.run.prepare import prepare
from nbtune.run.request import Request
from nbtune.run.site import Site
from nbtune.run.timing import look_at, measure

LOG = "workers.log"
BINDER = (
    "Binder ends a session that is idle for 10 minutes, a paused search too, and forgets its files: before you leave, take the "
    "search with you (Download); unpacked beside the notebook on another machine, the same cell goes on there."
)


class Cancel:
    """Ends what is being opened, from another thread: whoever opens it gets an error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._site: Site | None = None
        self._asked = False

    @property
    def asked(self) -> bool:
        return self._asked

    def check(self) -> None:
        """Raises UsageError if it was asked for."""
        if self._asked:
            raise UsageError("the start was cancelled")

    def __call__(self) -> None:
        with self._lock:
            self._asked = True
            if self._site:
                self._site.close()

    def settle(self) -> None:
        """From now on it comes too late. Raises UsageError if it was asked for before."""
        with self._lock:
            self._site = None
            self.check()

    def watch(self, site: Site) -> None:
        with self._lock:
            self._site = site
            if self._asked:
                site.close()


@dataclass(frozen=True)
class Opened:
    """A search that can start.

    Attributes:
        groups: the numbers of the combinations that may be trained together.
        notes: what the user should hear before it starts, a sentence each.
        site: the workers that have looked at the function.
    """

    project: Project
    space: Space
    job: Job
    progress: Progress
    store: Store
    groups: Sequence[Sequence[int]]
    plan: Plan
    notes: tuple[str, ...]
    workers: int
    site: Site


def opened(request: Request, name: str, pool: Pool, emit: Emit, cancel: Cancel | None = None) -> Opened:
    """Trains nothing yet.

    Args:
        pool: where the workers come from.
        emit: takes what they tell later.

    Raises:
        UsageError: the request cannot be carried out; nothing is left on disk, nor after any other error or an interrupt.
    """
    options = request.options
    cancel = cancel or Cancel()
    project = Project.open(Path(options.dir), name, request.fingerprint, options.fresh)
    places = _Places(pool, emit, project.path / LOG, cancel, options.dask)
    try:
        found = _opened(request, project, places)
        cancel.settle()
        return found
    except BaseException as error:
        places.close()
        project.discard()
        if isinstance(error, OSError):
            raise UsageError(f"cannot use {error.filename or project.path}: {error.strerror}") from None
        raise


class _Places:
    """The one place to train that is open."""

    def __init__(self, pool: Pool, emit: Emit, log: Path, cancel: Cancel, dask: Any) -> None:
        self.pool, self._emit, self._log, self._cancel, self._dask = pool, emit, log, cancel, dask
        self._site: Site | None = None

    def open(self, workers: int) -> Site:
        self._site = Site.open(workers, self._log, self._emit, self.pool, self._dask)
        self._cancel.watch(self._site)
        return self._site

    def close(self) -> None:
        if self._site:
            self._site.close()
            self.pool.refill()


def _opened(request: Request, project: Project, places: _Places) -> Opened:
    began, options = time.monotonic(), request.options
    limit, workers = options.memory_limit, options.workers
    workers = machine.usual_workers(limit, places.pool.held_mb()) if workers is None else workers
    space, job, said, site = _prepared(request, project, places, workers)
    workers = min(workers if options.dask is None else site.backend.size, len(space))
    if limit is not None:
        job = replace(job, worker_mb=machine.worker_mb(limit, workers))
    progress, store, notes = _gone_on(request, project, space, job, workers)
    progress.held_out = held_out(job, request.data.class_names)
    progress.advice = tuple(advice(request, job, progress.held_out))
    groups = stacks(space, options.engine, work_of(request))
    plan = _planned(request, space, job, groups, workers, site, began)
    plan = replace(plan, held_out=arrays.held_out(request.data, job.targets))
    binder = BINDER if machine.on_binder() else ""
    notes = [note for note in (request.note, request.data.note, *said, project.note, *notes, binder) if note]
    return Opened(project, space, job, progress, store, groups, plan, tuple(notes), workers, site)


def work_of(request: Request) -> Work:
    runs = runs_of(request.options)
    return Work(request.data.rows * request.options.epochs * runs, runs)


def runs_of(options: Options) -> int:
    """How often each combination is trained."""
    return options.repeats * (options.folds.count if options.folds else 1)


def _prepared(request: Request, project: Project, places: _Places, workers: int) -> tuple[Space, Job, list[str], Site]:
    """Workers that die over it are replaced once, since that need not be the function's fault."""
    for last_try in (False, True):
        site = places.open(workers)
        try:
            return *prepare(request, site.backend, site.scratch, project.path, carefully=last_try), site
        except WorkerDied as error:
            if last_try:
                if isinstance(error, BackendDied):
                    raise
                raise BuildError(f"{request.function.name} could not be looked at: {error}") from None
            places.close()
    raise AssertionError("unreachable")


def _gone_on(request: Request, project: Project, space: Space, job: Job, workers: int) -> tuple[Progress, Store, list[str]]:
    """Progress and store as an earlier run of the same search left them, and what to say about it."""
    options = request.options
    before = earlier(project.path, space, job.objects, job.objective, options.keep, job)
    terms = (job.objective, job.epochs, workers)
    progress = Progress(space.combinations, *terms, before.ids, job.runs, space.excluded, space.unsampled)
    progress.patience = job.patience
    for event in before.ended:
        progress.apply(event)
    store = Store(project.path, space, progress, options.seed, options.keep, before.known)
    store.record(*before.added)
    return progress, store, [*before.notes, *_what_is_there(progress, project.path)]


def _planned(
    request: Request, space: Space, job: Job, groups: Sequence[Sequence[int]], workers: int, site: Site, began: float
) -> Plan:
    """The size of the search, and with `--plan` its cost."""
    options = request.options
    work = shared_out(groups, workers, space, work_of(request))
    plan = partial(Plan.of, space, options.epochs, workers, runs=runs_of(options), minutes=options.minutes)
    if not options.plan:
        return plan(stacks=[Stack(len(numbers)) for numbers in work])
    before = time.monotonic() - began
    found = look_at(site.backend, job, space, work)
    measured, reason = measure(site.backend, job, space, work, found, workers)
    if reason:  # shows only when a stack is trained
        found = [replace(stack, reason=stack.reason or reason) if stack.trials > 1 else stack for stack in found]
    return plan(replace(measured, before=before), found)


def _what_is_there(progress: Progress, project: Path) -> list[str]:
    """What an earlier run left, in a sentence."""
    cover = progress.coverage
    total, left = len(progress.trials), cover.pending + cover.stopped
    if cover.pending == total:
        return []
    failed = f" ({cover.failed} failed; %tune retry tries again)" if cover.failed else ""
    early = f", {cover.stopped} stopped early" if cover.stopped else ""
    then = "going on" if left else "nothing left to train"
    return [f"{total - left} of {total} done before{failed}{early}; {then} in {project}."]
