"""What a search would cost, measured in the background while somebody still fills in the form."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from nbtune import threads
from nbtune.ask.options import Options
from nbtune.ask.space import Space
from nbtune.errors import UsageError
from nbtune.execution.local.warm import Pool
from nbtune.run.lifecycle import Run
from nbtune.run.opening import Cancel
from nbtune.run.plan import Plan
from nbtune.run.request import Request

SETTLED = 1.0  # seconds without another change


@dataclass(frozen=True)
class Estimate:
    space: Space
    plan: Plan


class Estimator:
    """Plans the latest options with a short real fit in a worker. One at a time; newer options replace those that wait.

    Args:
        tell: is called from a thread with the estimate, or with what is wrong with the options.
        pool: where the workers come from.
        settled: seconds without another change before it begins.
    """

    def __init__(self, tell: Callable[[Estimate | UsageError], None], pool: Pool, settled: float = SETTLED) -> None:
        self._tell, self._pool, self._settled = tell, pool, settled
        self._changed = threading.Condition()
        self._wanted: Options | None = None
        self._thread: threading.Thread | None = None
        self._cancel = Cancel()  # of the estimate that is under way

    def ask(self, options: Options) -> None:
        """Estimates these options soon, and tells nothing any more about earlier ones."""
        with self._changed:
            self._wanted = options
            self._changed.notify()
            if self._thread is None:
                self._thread = threads.start(self._work, "nbtune-estimate")

    def forget(self) -> None:
        """Tells nothing any more."""
        with self._changed:
            self._wanted = None
            self._changed.notify()

    def end(self) -> None:
        """As `forget`; gives up an estimate that is under way, and returns when no worker of its own runs."""
        self.forget()
        with self._changed:
            thread, cancel = self._thread, self._cancel
        cancel()
        if thread:
            thread.join()

    def _work(self) -> None:
        while options := self._next():
            result = _estimate(options, self._pool, self._cancel)
            with self._changed:
                is_latest = self._wanted is options
                self._wanted = None if is_latest else self._wanted
            if is_latest:
                self._tell(result)

    def _next(self) -> Options | None:
        with self._changed:
            while self._wanted and self._changed.wait(self._settled):
                pass  # somebody is still typing
            self._cancel = Cancel()
            if self._wanted is None:
                self._thread = None
            return self._wanted


def _estimate(options: Options, pool: Pool, cancel: Cancel) -> Estimate | UsageError:
    """As `%%tune --plan`, in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="nbtune-") as folder:
        try:
            run = Run(Request.of(replace(options, plan=True, dir=folder)), "estimate", pool, cancel)
        except UsageError as error:
            return error
        except Exception as error:  # workers that die, no memory: the form must go on
            return UsageError(f"the estimate failed: {type(error).__name__}: {error}")
        return Estimate(run.space, run.plan)
