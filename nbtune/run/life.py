"""A search's life: what may happen to it, and what is to be done then. No thread, no process, no file is touched here.

`step` says it all: a state and an event make another state, and instructions that `lifecycle.Run` carries out in their order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nbtune.errors import UsageError

PLANNED, STARTING, RUNNING, PAUSED, STOPPING, STOPPED, FINISHED, FAILED = (
    *("planned", "starting", "running", "paused", "stopping"),
    *("stopped", "finished", "failed"),
)
NONE, COMING, HERE = "none", "coming", "here"  # workers
MOST_DEATHS = 3  # of all workers at once, one after the other and without a result between


@dataclass(frozen=True)
class Life:
    """Where a search stands.

    Attributes:
        phase: one of the eight above.
        workers: whether there are any: none, coming, here.
        deaths: how often all of them died, one time after the other and without a result between.
        reason: why it is stopping, for people; "" where that was asked for.
    """

    phase: str = PLANNED
    workers: str = NONE
    deaths: int = 0
    reason: str = ""

    @property
    def active(self) -> bool:
        """Whether it holds its folder, and perhaps workers."""
        return self.phase in (STARTING, RUNNING, PAUSED, STOPPING)


# ---- events: what the user asks for …


@dataclass(frozen=True)
class Resume:
    """Start, go on after a pause, or train what a stop left."""


@dataclass(frozen=True)
class Retry:
    """Train again what failed or diverged: so many trials."""

    trials: int


@dataclass(frozen=True)
class Pause:
    pass


@dataclass(frozen=True)
class Stop:
    """`reason` for people, where it was not asked for by hand."""

    reason: str = ""


# … and what happens


@dataclass(frozen=True)
class WorkersCame:
    pass


@dataclass(frozen=True)
class WorkersDied:
    """All at once, and with them the process that starts new ones; `without_result`: no trial has ended since they came."""

    why: str
    without_result: bool


@dataclass(frozen=True)
class NobodyCame:
    """The workers that were to come cannot be reached, and may be some time later."""

    why: str


@dataclass(frozen=True)
class NoRoom:
    """Something could not be written."""

    reason: str


@dataclass(frozen=True)
class AllDone:
    """Nothing is left to train, and all is written. While it is paused this is found out when it goes on."""


@dataclass(frozen=True)
class HandedIn:
    """What was under way when it was stopped has been handed in, or there is no more time to wait for it."""


@dataclass(frozen=True)
class Broke:
    """A fault of nbtune's own."""

    why: str


Event = Resume | Retry | Pause | Stop | WorkersCame | WorkersDied | NobodyCame | NoRoom | AllDone | HandedIn | Broke


# ---- instructions


@dataclass(frozen=True)
class Acquire:
    """Lock the folder; raises UsageError where another search has it, and then nothing has happened."""


@dataclass(frozen=True)
class Reopen:
    """Have trials trained again that were stopped, or with `failed` those that failed or diverged."""

    failed: bool


@dataclass(frozen=True)
class Hire:
    """Get workers and what they need; `WorkersCame` tells when it is done."""


@dataclass(frozen=True)
class HandOut:
    """Give the workers what they have room for."""


@dataclass(frozen=True)
class Halt:
    pass


@dataclass(frozen=True)
class GoOn:
    pass


@dataclass(frozen=True)
class FinishUp:
    """Have the workers, halted or not, hand in what they are at; `HandedIn` tells when they have, or did not in time."""


@dataclass(frozen=True)
class Dismiss:
    """End the workers, or see to it that those who are coming go again."""


@dataclass(frozen=True)
class GiveUp:
    """Let all trials that have not ended fail."""

    why: str


@dataclass(frozen=True)
class Announce:
    """Write the state down, for everybody to see."""

    state: str
    reason: str = ""


@dataclass(frozen=True)
class Settle:
    """Mark what was under way as stopped, announce the end, write the rest, let go of the folder; never fails.

    `reason` for people: what went wrong, or why it was stopped.
    """

    reason: str = ""


Instruction = Acquire | Reopen | Hire | HandOut | Halt | GoOn | FinishUp | Dismiss | GiveUp | Announce | Settle


def step(life: Life, event: Event, complete: bool = True) -> tuple[Life, tuple[Instruction, ...]]:
    """What an event makes of a life.

    Args:
        complete: whether no trial would be left, or was stopped, if the search ended now.

    Raises:
        UsageError: what the user asks for is not possible now; nothing changes.
    """
    match event:
        case Resume() | Retry():
            return _begin(life, event)
        case Pause():
            return _pause(life)
        case AllDone() if life.phase in (STARTING, RUNNING):
            return _end(life, complete)
        case Stop() if life.phase != STOPPING and life.active:
            return _stop(replace(life, reason=event.reason), complete)
        case HandedIn() if life.phase == STOPPING:
            return _end(life, complete)
        case Broke() if life.active:
            return Life(FAILED), (*_dismissal(life), Settle(event.why))
        case WorkersCame() if life.workers == COMING:
            return _welcome(life)
        case WorkersDied() if life.workers == HERE:
            return _bury(life, event, complete)
        case NobodyCame(why) if life.workers == COMING:
            return Life(PAUSED, NONE, life.deaths), (Dismiss(), Announce(PAUSED, why))
        case NoRoom() if life.phase in (STARTING, RUNNING):  # what is being stopped ends soon in any case
            halt = (Halt(),) if life.workers == HERE else ()
            return replace(life, phase=PAUSED), (*halt, Announce(PAUSED, event.reason))
    return life, ()  # it comes too late


def _begin(life: Life, event: Resume | Retry) -> tuple[Life, tuple[Instruction, ...]]:
    if isinstance(event, Retry):
        if life.active:
            raise UsageError("the search is still under way; retry when it has ended")
        if not event.trials:
            raise UsageError("there is nothing to retry")
    elif life.phase in (STARTING, RUNNING, FINISHED):
        return life, ()
    elif life.phase == STOPPING:
        raise UsageError("the search is being stopped; resume it when it has ended")
    if life.phase != PAUSED:
        start = Acquire(), Reopen(isinstance(event, Retry)), Announce(RUNNING), Hire()
        return Life(STARTING, COMING), start
    if life.workers == HERE:
        return replace(life, phase=RUNNING), (GoOn(), Announce(RUNNING), HandOut())
    hire = (Hire(),) if life.workers == NONE else ()
    return replace(life, phase=STARTING, workers=COMING), (Announce(RUNNING), *hire)


def _pause(life: Life) -> tuple[Life, tuple[Instruction, ...]]:
    if life.phase == PAUSED:
        return life, ()
    if not life.active:
        raise UsageError(f"only a running search can be paused; this one is {life.phase}")
    if life.phase == STOPPING:
        raise UsageError("the search is being stopped, and cannot be paused any more")
    halt = (Halt(),) if life.workers == HERE else ()
    return replace(life, phase=PAUSED), (*halt, Announce(PAUSED))


def _stop(life: Life, complete: bool) -> tuple[Life, tuple[Instruction, ...]]:
    """Workers who are at something hand it in first."""
    if life.workers != HERE:
        return _end(life, complete)
    return replace(life, phase=STOPPING), (Announce(RUNNING, "stopping"), FinishUp())


def _end(life: Life, complete: bool) -> tuple[Life, tuple[Instruction, ...]]:
    return Life(FINISHED if complete else STOPPED), (*_dismissal(life), Settle(life.reason))


def _dismissal(life: Life) -> tuple[Instruction, ...]:
    return () if life.workers == NONE else (Dismiss(),)


def _welcome(life: Life) -> tuple[Life, tuple[Instruction, ...]]:
    if life.phase == PAUSED:
        return replace(life, workers=HERE), (Halt(),)
    return replace(life, phase=RUNNING, workers=HERE), (HandOut(),)


def _bury(life: Life, event: WorkersDied, complete: bool) -> tuple[Life, tuple[Instruction, ...]]:
    if life.phase == STOPPING:
        return _end(life, complete)
    deaths = life.deaths + 1 if event.without_result else 1
    if deaths == MOST_DEATHS:
        return replace(life, workers=NONE, deaths=deaths), (Dismiss(), GiveUp(event.why))  # and all is done
    if life.phase == PAUSED:
        return Life(PAUSED, NONE, deaths), (Dismiss(),)
    return Life(STARTING, COMING, deaths), (Dismiss(), Hire())
