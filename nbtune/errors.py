"""What goes wrong, in words for the person who typed it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class UsageError(ValueError):
    """A mistake in a call or an option line: one line that names it and how to put it right.

    Attributes:
        about: the option, or the parameter of the function, that the mistake is in, as `nbtune.tune` spells it; "" where
            it is in no single one.
    """

    def __init__(self, message: str, about: str = "") -> None:
        super().__init__(" ".join(message.split()))  # one line, whatever it quotes
        self.about = about


class BuildError(UsageError):
    """The model-building function raised; the message ends with the function's own traceback."""

    def __init__(self, message: str) -> None:
        super().__init__("")
        self.args = (message,)  # with its lines


@contextmanager
def about(name: str) -> Iterator[None]:
    """What goes wrong in here is about this option or parameter, unless it says more precisely what it is about."""
    try:
        yield
    except UsageError as error:
        error.about = error.about or name
        raise


class WorkerDied(RuntimeError):
    """A worker process ended before it finished its trial."""


class BackendDied(WorkerDied):
    """All workers are gone, and with them the process that starts new ones."""


class SearchFailed(RuntimeError):
    """A search broke off by a fault that is not its function's; what was trained is kept."""


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """`"; did you mean 'units'?"` for the nearest known word, `""` where none is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return f"; did you mean {near[0]!r}?" if near else ""
