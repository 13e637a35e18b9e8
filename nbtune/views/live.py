"""The clock: draws a search while it runs, seldom enough that the drawing costs it nothing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from nbtune import machine, threads
from nbtune.record.progress import Progress
from nbtune.views.headline import headline
from nbtune.views.surface import OVER, Controls, Surface

TICK = 0.1  # seconds between two looks at the search
APART = 1.0  # seconds between two drawings, at least
SHARE = 20  # a drawing that cost d seconds of CPU is followed by 20·d without one


__all__ = ["Controls", "Live", "Surface"]


class Throttle:
    """When the next drawing is due, given what the last one cost."""

    def __init__(self, clock: Callable[[], float], cost: Callable[[], float]) -> None:
        self._clock, self._cost = clock, cost
        self._next = -float("inf")
        self._first = True

    @property
    def due(self) -> bool:
        return self._clock() >= self._next

    def run(self, draw: Callable[[float], None], now: float) -> None:
        before = self._cost()
        try:
            draw(now)
        finally:
            # The first drawing imports matplotlib and finds its fonts: that is paid once, and nobody waits for it twice.
            pause = 0.3 if self._first else max(APART, SHARE * (self._cost() - before))
            self._first = False
            self._next = self._clock() + pause


class Live:
    """Keeps a surface up to date from a thread of its own, until the search is over.

    Args:
        clock: seconds since the epoch.
        cost: CPU seconds of the calling thread. Wall time would count the workers that share the processor.
    """

    def __init__(
        self,
        progress: Progress,
        controls: Controls,
        surface: Surface,
        clock: Callable[[], float] = machine.now,
        cost: Callable[[], float] = time.thread_time,
        tick: float = TICK,
    ) -> None:
        self._progress, self._controls, self._surface = progress, controls, surface
        self._clock, self._cost, self._tick = clock, cost, tick
        self._lock = threading.Lock()
        self._looping = self._leaving = False
        self._thread: threading.Thread | None = None
        self._reported = False

    @property
    def surface(self) -> Surface:
        return self._surface

    def start(self) -> None:
        """To be called in the cell where the search shall show; again, from anywhere, after it was resumed."""
        if self._thread is None:
            self._surface.open(self._progress, self._controls)
        with self._lock:
            if self._looping:
                return
            ending, self._looping, self._leaving = self._thread, True, False
        if ending is not None:
            ending.join()  # it may still be busy with its last drawing
        self._thread = threads.start(self._run, "nbtune-live")

    def finish(self) -> None:
        """Leaves the lasting output, also of a search that goes on (and shows elsewhere); returns when it is drawn."""
        with self._lock:
            self._leaving = True
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        drawing = _Drawing(self._progress, self._surface, self._clock, self._cost)
        while self._goes_on():
            self._try(drawing.step)
            time.sleep(self._tick)
        self._try(drawing.close)

    def _goes_on(self) -> bool:
        with self._lock:  # so that `start` sees either a loop that will notice the resumed search, or none
            self._looping = not self._leaving and self._progress.state not in OVER
            return self._looping

    def _try(self, draw: Callable[[], None]) -> None:
        """A search must not suffer from its picture: a problem is shown once, and the drawing goes on."""
        try:
            draw()
        except Exception as error:
            if not self._reported:
                self._reported = True
                with contextlib.suppress(Exception):  # the surface itself may be what is broken
                    self._surface.report(f"The display has a problem, the search goes on: {type(error).__name__}: {error}")


class _Drawing:
    """What is drawn at present, and with it what has to be drawn next."""

    def __init__(self, progress: Progress, surface: Surface, clock: Callable[[], float], cost: Callable[[], float]) -> None:
        self._progress, self._surface, self._clock = progress, surface, clock
        self._lines, self._wholes = Throttle(clock, cost), Throttle(clock, cost)
        self._state = ""
        self._version = -1
        self._text = ""

    def step(self) -> None:
        version, state, now = self._progress.version, self._progress.state, self._clock()
        if version != self._version and (self._wholes.due or state != self._state):
            self._version, self._state, self._text = version, state, headline(self._progress, now)
            self._wholes.run(self._surface.rest if state == "paused" else self._surface.whole, now)
        elif self._lines.due and (text := headline(self._progress, now)) != self._text:
            self._text = text
            self._lines.run(self._surface.line, now)

    def close(self) -> None:
        self._surface.close(self._clock())
