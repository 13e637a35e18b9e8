"""One search as it runs: workers, thread, events. What came out of it is `search.Search`'s to tell."""

from __future__ import annotations

import contextvars
import math
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from nbtune import machine
from nbtune.ask.space import Space
from nbtune.data import arrays
from nbtune.errors import BackendDied, UsageError, WorkerDied
from nbtune.execution.local.warm import Pool
from nbtune.record.events import DIVERGED, FAILED, RUNNING, STOPPED, DiskFull, Event, StateChanged, TrialEnded, TrialReopened
from nbtune.record.job import Job
from nbtune.record.progress import Progress, Trial
from nbtune.record.project import Project
from nbtune.record.resume import earlier
from nbtune.record.store import Store
from nbtune.run.drive import drive
from nbtune.run.grouping import Work, shared_out, stacks
from nbtune.run.plan import Plan, Stack
from nbtune.run.prepare import Request, prepare
from nbtune.run.site import Site
from nbtune.run.timing import look_at, measure

MOST_DEATHS = 3  # of all workers at once, one after the other and without a result between
SECONDS_BETWEEN_LOOKS = 0.2


class Run:
    """Trains the combinations of a request that are not done yet, in the background, and writes down what happens.

    Attributes:
        request: what was asked for.
        space, job, plan: what is to be done.
        progress: what is known.
        project: where it is written.
        notes: what the user should hear before it starts, a sentence each.
    """

    space: Space
    job: Job

    def __init__(self, request: Request, name: str, pool: Pool) -> None:
        """Looks at the function in a worker and at what an earlier run left; trains nothing yet.

        Args:
            pool: where the workers come from.

        Raises:
            UsageError: the request cannot be carried out; nothing is left on disk.
        """
        options = request.options
        self.request, self._pool = request, pool
        self._taking = threading.RLock()
        self._over = threading.Event()  # and not Thread.join, which an interrupt can break
        self._over.set()
        limit = options.memory_limit
        self._workers = machine.usual_workers(limit, pool.held_mb()) if options.workers is None else options.workers
        self._site: Site | None = None
        self.project = Project.open(Path(options.dir), name, request.fingerprint, options.fresh)
        began = time.monotonic()
        try:
            site = self._prepare()
            self._workers = min(self._workers, len(self.space))
            if limit is not None:
                self.job = replace(self.job, worker_mb=machine.worker_mb(limit, self._workers))
            self.progress, self._store, notes = self._go_on()
            self._stacks = stacks(self.space, options.engine, self._work)
            self.plan = self._planned(site, began)
        except BaseException as error:
            self._close_site()
            self.project.discard()
            if isinstance(error, OSError):
                raise UsageError(f"cannot use {error.filename or self.project.path}: {error.strerror}") from None
            raise
        self.notes = tuple(note for note in (request.note, self.project.note, *notes) if note)
        if options.plan:
            self._close_site()
            self.project.release()

    def _prepare(self) -> Site:
        """Finds space and job; workers that die over it are replaced once, since that need not be the function's fault."""
        for last_try in (False, True):
            site = self._open_site()
            try:
                self.space, self.job = prepare(self.request, site.backend, site.scratch, self.project.path)
                break
            except WorkerDied as error:
                self._close_site()
                if last_try:
                    name = self.request.function.name
                    raise UsageError(f"the process in which {name} was to build a model ended, twice: {error}") from None
        return site

    def _go_on(self) -> tuple[Progress, Store, list[str]]:
        """Progress and store as an earlier run of the same search left them."""
        options, job = self.request.options, self.job
        before = earlier(self.project.path, self.space, job.objects, job.objective, options.keep)
        progress = Progress(self.space.combinations, job.objective, job.epochs, self._workers, before.ids, job.repeats)
        for event in before.ended:
            progress.apply(event)
        store = Store(self.project.path, self.space, progress, options.seed, options.keep)
        store.record(*before.added)
        return progress, store, [*before.notes, *_what_is_there(progress, self.project.path)]

    @property
    def _work(self) -> Work:
        repeats = self.request.options.repeats
        return Work(self.request.data.rows * self.request.options.epochs * repeats, repeats)

    @property
    def state(self) -> str:
        return self.progress.state

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the end, `timeout` seconds at most; True if it came. An interrupt stops the search.

        Raises:
            UsageError: a full disk has paused the search.
        """
        until = time.monotonic() + (math.inf if timeout is None else timeout)
        try:
            while not self._over.wait(min(SECONDS_BETWEEN_LOOKS, until - time.monotonic())) and time.monotonic() < until:
                if self.state == "paused" and self.progress.reason:
                    raise UsageError(f"the search is paused: {self.progress.reason}")
        except KeyboardInterrupt:
            self.stop()
        return self._over.is_set()

    def pause(self) -> None:
        if self.state != "running" or self._site is None:
            raise UsageError(f"only a running search can be paused; this one is {self.state}")
        self._site.backend.pause()
        self._take(StateChanged("paused", time.time()))

    def resume(self) -> None:
        if self.state == "paused" and self._site:
            self._store.record()  # what a full disk did not take
            self._site.backend.resume()
            self._take(StateChanged("running", time.time()))
        elif self.state in ("planned", "stopped"):
            self._start(trial.id for trial in self.progress.trials if trial.status == STOPPED)

    def retry(self) -> None:
        if self.state in ("running", "paused"):
            raise UsageError("the search is still under way; retry when it has ended")
        again = [trial.id for trial in self.progress.trials if trial.status in (FAILED, DIVERGED)]
        if not again:
            raise UsageError(f"there is nothing to retry ({self.progress.coverage})")
        self._start(again)

    def stop(self) -> None:
        if not self._over.is_set():
            self._close_site()
            self._over.wait()

    def refit(self, trial: Trial, epochs: int) -> Path:
        """Trains a combination on all rows for so many epochs, in a worker; returns the file of its weights."""
        return Path(self._in_a_worker("refit", trial, epochs=epochs)["weights"])

    def model_fit(self, trial: Trial) -> dict[str, list[float]]:
        """The history of a combination that plain `model.fit` trains, in a worker."""
        history: dict[str, list[float]] = self._in_a_worker("model_fit", trial)["history"]
        return history

    def _in_a_worker(self, task: str, trial: Trial, **arguments: Any) -> dict[str, Any]:
        """A task on one combination, under the seed of the repeat that stands for it."""
        site = Site.open(min(self._workers, 1), self.project.path / "workers.log", lambda events: None, self._pool)
        try:
            job = self._with_data(site).best_repeat(trial.scores)
            result: dict[str, Any] = site.backend.submit(task, job, values=dict(trial.values), **arguments).result()
            return result
        finally:
            site.close()
            self._pool.refill()

    def _start(self, again: Iterable[str]) -> None:
        self.project.acquire()
        self._take(*map(TrialReopened, again), StateChanged("running", time.time()))
        self._over.clear()
        if self._workers == 0:  # here and now, for the debugger
            self._run()
        else:
            # a copied context: on ipykernel 7.0 a bare thread cannot reach the cell's output
            run = contextvars.copy_context().run
            threading.Thread(target=run, args=[self._run], name="nbtune-search", daemon=True).start()

    def _run(self) -> None:
        try:
            self._train()
        except KeyboardInterrupt:  # reaches this only with --workers 0
            pass
        finally:
            self._close_site()
            self._end_open_trials()
            self._store.write_oracle()
            self.project.release()
            self._over.set()

    def _train(self) -> None:
        """Drives the backend until nothing is left to do. One that dies is replaced, unless several die without any result."""
        options, deaths = self.request.options, 0
        while pending := [trial for trial in self.progress.trials if not trial.ended]:
            site = self._site or self._reopen_site()
            try:
                trials = self.progress.trials
                work = [[i for i in stack if not trials[i].ended] for stack in self._stacks]
                work = shared_out(work, self._workers, self.space, self._work)
                terms = (self._workers, options.retries, options.trial_timeout)
                drive(
                    site.backend,
                    self.job,
                    [[trials[i] for i in stack] for stack in work],
                    *terms,
                    self._take,
                    lambda id: self.progress.trial(id).ended,
                )
                return
            except BackendDied as error:
                self._close_site()
                left = sum(not trial.ended for trial in self.progress.trials)
                deaths = deaths + 1 if left == len(pending) else 1
                if deaths == MOST_DEATHS:
                    self._take(*(TrialEnded(trial.id, FAILED, error=str(error)) for trial in pending))

    def _end_open_trials(self) -> None:
        now = time.time()
        self._take(*(_stopped(trial, now) for trial in self.progress.trials if trial.status == RUNNING))
        over = all(trial.ended and trial.status != STOPPED for trial in self.progress.trials)
        self._take(StateChanged("finished" if over else "stopped", now))

    def _take(self, *events: Event) -> None:
        """Applies events and writes them down; a disk that takes no more pauses the search, with all of it in memory."""
        with self._taking:
            events = tuple(event for event in events if not self._is_known(event))
            for event in events:
                self.progress.apply(event)
            try:
                self._store.record(*events)
            except OSError as error:
                self._pause_for(error.strerror or str(error))
            for event in events:
                if isinstance(event, DiskFull):
                    self._pause_for(event.reason)

    def _is_known(self, event: Event) -> bool:
        """The end of a trial of a stack comes when it ends, and once more with the stack's result."""
        return isinstance(event, TrialEnded) and self.progress.trial(event.trial).ended

    def _pause_for(self, problem: str) -> None:
        if self.state == "running" and self._site:
            self._site.backend.pause()
            reason = f"cannot write to {self.project.path}: {problem}; make room, then resume"
            self.progress.apply(StateChanged("paused", time.time(), reason))

    def _open_site(self) -> Site:
        log = self.project.path / "workers.log"
        self._site = Site.open(self._workers, log, lambda events: self._take(*events), self._pool)
        return self._site

    def _reopen_site(self) -> Site:
        """Workers anew, with the data written for them again."""
        site = self._open_site()
        self.job = self._with_data(site)
        return site

    def _with_data(self, site: Site) -> Job:
        """The job for the workers of a site, to whom the data is written."""
        arrays.write(self.request.data, site.scratch / "data", self.job.labels, self.job.seed)
        return replace(self.job, folder=site.scratch / "data")

    def _close_site(self) -> None:
        site, self._site = self._site, None
        if site:
            site.close()
            self._pool.refill()

    def _planned(self, site: Site, began: float) -> Plan:
        """The size of the search, and with `--plan` its cost."""
        options = self.request.options
        work = shared_out(self._stacks, self._workers, self.space, self._work)
        plan = partial(Plan.of, self.space, options.epochs, self._workers, repeats=options.repeats)
        if not options.plan:
            return plan(stacks=[Stack(len(numbers)) for numbers in work])
        before = time.monotonic() - began
        stacks = look_at(site.backend, self.job, self.space, work)
        measured, reason = measure(site.backend, self.job, self.space, work, stacks, self._workers)
        if reason:  # shows only when a stack is trained
            stacks = [replace(stack, reason=stack.reason or reason) if stack.trials > 1 else stack for stack in stacks]
        return plan(replace(measured, before=before), stacks)


def _stopped(trial: Trial, now: float) -> TrialEnded:
    return TrialEnded(trial.id, STOPPED, seconds=now - (trial.started or now), error="the search was stopped")


def _what_is_there(progress: Progress, project: Path) -> list[str]:
    """What an earlier run left, in a sentence."""
    cover = progress.coverage
    there = cover.total - cover.pending
    if not there:
        return []
    failed = f" ({cover.failed} failed; %tune retry tries again)" if cover.failed else ""
    return [
        f"{there} of {cover.total} done before{failed}; {'going on' if cover.pending else 'nothing left to train'} in {project}."
    ]
