"""One search as it runs: `life` says what is to be done, and here it is done. What came of it is `search.Search`'s to tell."""

from __future__ import annotations

import contextlib
import math
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from nbtune import threads
from nbtune.errors import BackendDied, Disconnected, NoRoom, SearchFailed, Unreachable, UsageError
from nbtune.execution.local.warm import Pool
from nbtune.machine import now
from nbtune.record import events as record
from nbtune.record import files
from nbtune.record.events import DIVERGED, FAILED, STOPPED, DiskFull, StateChanged, TrialEnded, TrialReopened
from nbtune.record.progress import Trial
from nbtune.run import life
from nbtune.run.crew import Crew
from nbtune.run.deadline import Deadline
from nbtune.run.endings import Refused, blame, hands_in, unwritten
from nbtune.run.inbox import Inbox
from nbtune.run.ledger import Ledger
from nbtune.run.opening import LOG, Cancel, opened
from nbtune.run.request import Request
from nbtune.run.schedule import Schedule, Stack, outcome_of

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_HAND_IN = 10.0  # what is under way when the search is stopped; then it is ended


class Run:
    """Trains the combinations of a request that are not done yet, in the background, and writes down what happens.

    While there is something to do, one thread owns all of it; the others put what they have into its inbox.

    Attributes:
        request: what was asked for.
        space, job, plan: what is to be done.
        progress: what is known.
        project: where it is written.
        notes: what the user should hear before it starts, a sentence each.
    """

    def __init__(self, request: Request, name: str, pool: Pool, cancel: Cancel | None = None) -> None:
        """Looks at the function in a worker and at what an earlier run left; trains nothing yet.

        Args:
            pool: where the workers come from.
            cancel: called from another thread, it has this raise an error.

        Raises:
            UsageError: the request cannot be carried out; nothing is left on disk.
        """
        self._inbox = Inbox()
        found = opened(request, name, pool, partial(self._hear, 0), cancel)
        self.request, self.space, self.plan, self.notes = request, found.space, found.plan, found.notes
        self.project, self.progress = found.project, found.progress
        self._ledger = Ledger(found.progress, found.store, found.project.path)
        self._crew = Crew(request, found, pool, self._hear)
        self._life = life.Life()
        self._deadline = Deadline(request.options.minutes, self._time_is_over)
        self._following: deque[life.Event] = deque()
        self._schedule: Schedule | None = None
        self._left: list[Stack] = []  # of the schedule before, where all workers died over it
        self._ended_before = 0  # trials, when the workers came
        self._failure: BaseException | None = None
        self._reason = ""  # of the end, for people
        self._door = threading.Lock()  # to be or not to be the owner
        self._owner: int | None = None
        self._over = threading.Event()  # and not Thread.join, which an interrupt can break
        self._over.set()
        if request.options.plan:
            self._crew.dismiss()
            self.project.release()

    @property
    def job(self) -> Any:
        return self._crew.job

    @property
    def crew(self) -> Crew:
        """Who judges a trained combination, beside the search."""
        return self._crew

    @property
    def state(self) -> str:
        return self.progress.state

    # ---- what users ask for, from any thread

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the end, `timeout` seconds at most; True if it came. An interrupt stops the search.

        Raises:
            UsageError: a full disk has paused the search.
            SearchFailed: it broke.
        """
        until = time.monotonic() + (math.inf if timeout is None else timeout)
        try:
            while not self._over.wait(min(SECONDS_BETWEEN_LOOKS, until - time.monotonic())) and time.monotonic() < until:
                self._check_room()
        except KeyboardInterrupt:
            self.stop()
        over = self._over.is_set()
        if over and self._life.phase == life.FAILED:
            raise SearchFailed(self._reason) from self._failure
        return over

    def pause(self) -> None:
        self._ask(life.Pause())

    def resume(self, dask: Any = None) -> None:
        if dask is not None:
            self._crew.dask = dask
        self._ask(life.Resume())
        self._check_room()

    def retry(self) -> None:
        self._ask(life.Retry(sum(trial.status in (FAILED, DIVERGED) for trial in self.progress.trials)))

    def stop(self) -> None:
        self._ask(life.Stop())
        self._over.wait()

    def refit(self, trial: Trial, epochs: int) -> Path:
        """Trains a combination on all rows for so many epochs, in a worker; returns the file of its weights."""
        return self._crew.refit(trial, epochs)

    def model_fit(self, trial: Trial) -> dict[str, list[float]]:
        """The history of a combination that plain `model.fit` trains, in a worker."""
        return self._crew.model_fit(trial)

    def _check_room(self) -> None:
        if self.state == life.PAUSED and self.progress.reason:
            raise UsageError(f"the search is paused: {self.progress.reason}")

    def _ask(self, event: life.Event) -> None:
        """Returns when what the event leads to holds, or raises why it is not possible."""
        reply = self._inbox.ask(partial(self._handle, event))
        if self._crew.size == 0:  # here and now, for the debugger
            self._own()
        else:
            threads.start(self._own, "nbtune-search")
        reply.result()

    # ---- what workers tell, from any thread; `generation` tells those that are gone from those that are here

    def _hear(self, generation: int, events: list[record.Event]) -> None:
        if self._owner == threading.get_ident():  # without workers
            if full := next((event for event in events if isinstance(event, DiskFull)), None):
                raise NoRoom(unwritten(self.project.path, OSError(full.reason)))
            self._take(*events)
        else:
            self._inbox.tell(partial(self._take_from, generation, events))

    def _take_from(self, generation: int, events: list[record.Event]) -> None:
        if self._crew.knows(generation):
            self._take(*events)

    # ---- the owner's thread

    def _own(self) -> None:
        """Does what there is to do until there is nothing, unless another thread is at it."""
        with self._door:
            if self._owner is not None:
                return
            self._owner = threading.get_ident()
        while True:
            self._inbox.wait()
            self._work_off()
            with self._door:
                if not self._life.active and self._inbox.empty:
                    self._owner = None
                    return

    def _work_off(self) -> None:
        if news := self._inbox.news():
            self._safely(news)
        elif request := self._inbox.request():
            try:
                self._safely(request.work)
            except Refused as refusal:
                request.reply.set_exception(UsageError(str(refusal)))
            else:
                request.reply.set_result(None)

    def _safely(self, work: Callable[[], object]) -> None:
        """Whatever goes wrong ends the search, and is said."""
        try:
            work()
            self._follow()
        except Refused:
            raise
        except KeyboardInterrupt:  # only without workers
            self._handle(life.Stop())
        except BaseException as error:
            self._break(error)

    def _break(self, error: BaseException) -> None:
        self._failure = error
        with contextlib.suppress(OSError):
            files.append(self.project.path / LOG, self.project.path, "".join(traceback.format_exception(error)))
        self._following.clear()
        try:
            self._handle(life.Broke(blame(error)))
        except Exception:  # while the workers were dismissed
            self._life = life.Life(life.FAILED)
            self._settle(blame(error))

    def _handle(self, event: life.Event) -> None:
        self._following.append(event)
        self._follow()

    def _follow(self) -> None:
        """Carries out what the events ask for, and what follows from that."""
        while self._following:
            event, before = self._following.popleft(), self._life
            try:
                self._life, instructions = life.step(self._life, event, self._complete())
                if life.Acquire() in instructions:
                    self.project.acquire()
                    self._deadline.renew()
            except UsageError as error:
                self._life = before
                raise Refused(str(error)) from None
            if self._life.active:
                self._over.clear()
            for instruction in instructions:
                self._carry_out(instruction)

    def _complete(self) -> bool:
        return all(trial.ended and trial.status != STOPPED for trial in self.progress.trials)

    def _carry_out(self, instruction: life.Instruction) -> None:
        match instruction:
            case life.Reopen(failed):
                again = (FAILED, DIVERGED) if failed else (STOPPED,)
                self._take(*(TrialReopened(trial.id) for trial in self.progress.trials if trial.status in again))
            case life.Announce(state, reason):
                self._deadline.run() if state == life.RUNNING else self._deadline.halt()
                self._take(StateChanged(state, now(), reason))
            case life.Hire():
                self._hire()
            case life.HandOut():
                self._hand_out()
            case life.Halt():
                self._crew.pause()
            case life.GoOn():
                self._crew.resume()
            case life.FinishUp():
                self._finish_up()
            case life.Dismiss():
                self._dismiss()
            case life.GiveUp(why):
                self._take(*(TrialEnded(trial.id, FAILED, error=why) for trial in self.progress.trials if not trial.ended))
                self._conclude()
            case life.Settle(reason):
                self._settle(reason)

    def _hire(self) -> None:
        pending = frozenset(i for i, trial in enumerate(self.progress.trials) if not trial.ended)
        self._crew.hire(pending, lambda generation, work: self._inbox.tell(partial(self._came, generation, work)))

    def _came(self, generation: int, work: Future[Sequence[Sequence[int]]]) -> None:
        """The workers are here, and it is known what they are to do."""
        if not self._crew.knows(generation):
            return
        if isinstance(error := work.exception(), Unreachable):
            how = "%tune resume tries again, and search.resume(dask=client) goes on elsewhere"
            self._following.append(life.NobodyCame(f"{error}. {how}"))
            return
        self.progress.units = self._crew.units(work.result(), [trial.id for trial in self.progress.trials])
        self._ended_before = self.progress.ended
        stacks = (unit.trials for unit in self.progress.units)
        terms = (self._crew.room, self.request.options.retries, lambda id: self.progress.trial(id).ended)
        self._schedule = Schedule(stacks, *terms, self._crew.one_is_a_stack, self._left)
        self._left = []
        self._following.append(life.WorkersCame())

    def _hand_out(self) -> None:
        schedule = self._schedule
        if schedule is None or self._life.phase != life.RUNNING:
            return
        for stack in schedule.due():
            future = self._crew.submit({id: dict(self.progress.trial(id).values) for id in stack.trials}, stack.together)
            take = partial(self._take_outcome, schedule, stack, future)
            future.add_done_callback(lambda _, take=take: self._inbox.tell(take))  # type: ignore[misc]
        if schedule.over:
            self._conclude()

    def _conclude(self) -> None:
        """It has ended once it is on disk."""
        full = self._ledger.complete()
        self._following.append(self._no_room(full) if full else life.AllDone())

    def _take_outcome(self, schedule: Schedule, stack: Stack, future: Future[Any]) -> None:
        if schedule is not self._schedule or future.cancelled():
            return
        try:
            outcome = outcome_of(future)
        except BackendDied as error:
            self._all_died(schedule, stack, error)
            return
        if self._life.phase == life.STOPPING:  # one that died now has not failed
            schedule.drop(stack)
            self._take(*outcome.ended)
            self._end_if_handed_in()
        else:
            self._take(*schedule.take(stack, outcome))
            self._hand_out()

    def _all_died(self, schedule: Schedule, stack: Stack, error: BackendDied) -> None:
        """Workers that had begun, and ran, died over something, and that can be narrowed down; else it is nobody's doing."""
        narrows = error.begun and self._life.phase == life.RUNNING
        if narrows:
            self._take(*schedule.bury(stack, str(error)))
        self._left = schedule.left
        nothing_came = self.progress.ended == self._ended_before and not isinstance(error, Disconnected) and not narrows
        self._following.append(life.WorkersDied(str(error), nothing_came))

    def _time_is_over(self) -> None:
        """From another thread."""
        why = f"the {self.request.options.minutes:g} minutes are over"
        self._inbox.tell(lambda: self._following.append(life.Stop(why)) if self._deadline.is_over else None)
        if self._crew.size == 0:  # the owner's thread trains
            self._crew.finish_up()

    def _finish_up(self) -> None:
        """Has the workers hand in what they have; those that do not in time are ended all the same."""
        self._crew.finish_up()
        schedule = self._schedule
        give_up = lambda: self._following.append(life.HandedIn()) if schedule is self._schedule else None  # noqa: E731
        late = threading.Timer(SECONDS_TO_HAND_IN, self._inbox.tell, [give_up])
        late.daemon = True
        late.start()
        self._end_if_handed_in()

    def _end_if_handed_in(self) -> None:
        under_way = self._schedule.under_way if self._schedule else ()
        if not any(hands_in(self.progress.trial(id)) for stack in under_way for id in stack.trials):
            self._following.append(life.HandedIn())

    def _dismiss(self) -> None:
        """Ends the workers; what they had told by then counts."""
        self._crew.close()
        while news := self._inbox.news():
            news()
        self._crew.dismiss()
        self._schedule = None

    def _settle(self, reason: str) -> None:
        self._deadline.halt()
        self._left = []
        self._reason = self._ledger.settle(self._life.phase, now(), reason)
        self._crew.learn(self.progress)
        with contextlib.suppress(OSError):
            self.project.release()
        self._over.set()

    def _take(self, *events: record.Event) -> None:
        if full := self._ledger.take(*events):
            self._following.append(self._no_room(full))

    def _no_room(self, reason: str) -> life.Event:
        """Without workers nothing can be paused: it ends, and says why."""
        return (life.NoRoom if self._crew.size else life.Broke)(reason)
