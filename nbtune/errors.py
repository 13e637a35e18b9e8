"""What goes wrong, in words for the person who typed it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

MOST = 2000  # characters of a line that may quote anything
LONGEST = 80  # … of a value in it
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|[ -/]*[0-~])?", re.DOTALL)  # ECMA-48
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # all but tab and newline


def printable(text: str) -> str:
    """The text without what a terminal would obey: colours, moves of the cursor, a new title, right-to-left overrides."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def shortened(text: str, most: int) -> str:
    """At most about `most` characters: the beginning, and more of the end, which says what happened."""
    if len(text) <= most:
        return text
    head = most // 4
    left_out = len(text) - most
    return f"{text[:head]} … ({left_out:,} characters left out) … {text[head + left_out :]}"


def quoted(thing: Any) -> str:
    """What was given, as a message quotes it: an array by its shape, and of anything long the beginning."""
    if shape := getattr(thing, "shape", ()):
        return f"{type(thing).__name__} of shape {tuple(shape)}"
    text = " ".join(repr(thing).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


class UsageError(ValueError):
    """A mistake in a call or an option line: one line that names it and how to put it right.

    Attributes:
        about: the option, or the parameter of the function, that the mistake is in, as `nbtune.tune` spells it; "" where
            it is in no single one.
    """

    def __init__(self, message: str, about: str = "") -> None:
        super().__init__(shortened(printable(" ".join(message.split())), MOST))  # one line, whatever it quotes
        self.about = about


class BuildError(UsageError):
    """The model-building function raised; the message ends with the function's own traceback."""

    def __init__(self, message: str) -> None:
        super().__init__("")
        self.args = (shortened(printable(message), 10 * MOST),)  # with its lines


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


class WorkerLost(WorkerDied):
    """A worker left that was expected to: its trials have no part in that, and go to another one."""


class Unreachable(UsageError):
    """The machines that are to train cannot be reached now; whoever can put that right may go on later."""


class NoRoom(BaseException):
    """The disk is full, where the search itself trains and cannot wait for room: not an error of the trial that meets it."""


class FilesGone(BaseException):
    """Temporary files of the search were removed: not an error of the trial that misses them. They are written again."""

    def __init__(self, what: object) -> None:
        super().__init__(f"{what} was removed, which the search needs until it has ended")


class WorkerKilled(WorkerDied):
    """A worker process was ended in a way that need not have to do with its trial: by another process, or for want of memory."""


class BackendDied(WorkerKilled):
    """All workers are gone, and with them the process that starts new ones.

    Attributes:
        begun: whether they were at something.
    """

    def __init__(self, message: str, begun: bool = False) -> None:
        super().__init__(message)
        self.begun = begun


class Disconnected(BackendDied):
    """The line to all workers broke; they may be well."""


class ModulesDiffer(RuntimeError):
    """A worker has imported the user's own modules, and some things in them are not what they are in the notebook."""

    @property
    def paths(self) -> list[str]:
        """Where they stand, as `data.content.live` has it."""
        return str(self).splitlines()


class SearchFailed(RuntimeError):
    """A search broke off by a fault that is not its function's; what was trained is kept."""


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """`"; did you mean 'units'?"` for the nearest known word, `""` where none is near."""
    words = list(known)
    same = [each for each in words if each.lower() == word.lower()]  # in the other case
    near = same[:1] or difflib.get_close_matches(word, words, n=1, cutoff=cutoff)
    return f"; did you mean {near[0]!r}?" if near else ""
