"""What goes wrong, in words for the person who typed it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """A mistake in a call or an option line: one line that names it and how to put it right."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))  # one line, whatever it quotes


class BuildError(UsageError):
    """The model-building function raised; the message ends with the function's own traceback."""

    def __init__(self, message: str) -> None:
        ValueError.__init__(self, message)  # with its lines


class WorkerDied(RuntimeError):
    """A worker process ended before it finished its trial."""


class BackendDied(WorkerDied):
    """All workers are gone, and with them the process that starts new ones."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`"; did you mean 'units'?"` for the nearest known word, `""` where none is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
