"""What users made, written down when a search begins: later cells may change it, and workers import modules anew.

A worker's modules need not hold what the notebook has set in them. Each compares, thing by thing, what its fresh import gives
with what the notebook has; where that differs, the things go along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nbtune.ask.options import Options
from nbtune.ask.strategy import TRIAL
from nbtune.data.content import live, thaw
from nbtune.data.content.altered import altered
from nbtune.data.content.planted import planted
from nbtune.execution.local import pickling
from nbtune.record.job import Terms

_OF_TRAINING = ("keras", "tensorflow", "jax", "torch")
_NAMED = 3  # at most, in a note


@dataclass(frozen=True)
class Patches:
    """What the notebook has set in libraries, by its path.

    Attributes:
        sent: the paths of what goes to the workers.
    """

    things: Mapping[str, Any] = field(default_factory=dict)
    sent: tuple[str, ...] = ()

    @classmethod
    def here(cls, *things: Any) -> Patches:
        """What is set now.

        Args:
            things: that users made; where they name something in a library, data and the library's own things are found, too.
        """
        found = planted() | altered(things)
        paths = list(found)
        return cls(found, tuple(paths if _can_be_sent(paths) else (path for path in paths if _can_be_sent([path]))))

    @property
    def unsent(self) -> list[str]:
        return [path.replace(":", ".") for path in self.things if path not in self.sent]

    def engine_of(self, options: Options) -> Options:
        """One by one where what trains was changed: a stack's steps are not those of Keras's layers."""
        return replace(options, engine=TRIAL) if self._alone else options

    @property
    def _alone(self) -> bool:
        return any(path.replace(":", ".").partition(".")[0] in _OF_TRAINING for path in self.things)

    @property
    def note(self) -> str:
        if not self.things:
            return ""
        names = [path.replace(":", ".") for path in self.sent[:_NAMED]]
        more = f" and {len(self.sent) - _NAMED} more" if len(self.sent) > _NAMED else ""
        said = f"Set in the notebook, and so for the workers: {', '.join(names)}{more}." if names else ""
        left_out = f"Workers have {', '.join(self.unsent[:_NAMED])} as a fresh import gives it." if self.unsent else ""
        alone = "Trials are trained one by one with that." if self._alone else ""
        return " ".join(filter(None, [said, left_out, alone]))


def _can_be_sent(paths: Sequence[str]) -> bool:
    try:
        pickling.frozen({}, paths, [])
    except Exception:  # whatever a user's object raises
        return False
    return True


def kept(terms: Terms) -> Terms:
    """Terms for this process, in which models are built by the user's own function; what it is at the beginning is written down
    as far as it can be."""
    try:
        return replace(terms, frozen=pickling.frozen(terms.live, [], []))
    except Exception:  # it need not be sent anywhere
        return terms


@dataclass
class Freezer:
    """Terms as workers are to have them.

    Args:
        _changed: paths of what they surely do not have.

    Attributes:
        notes: what the workers do not have as the notebook has it, a sentence each.
    """

    _terms: Terms
    _changed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._expected = live.reached(self._terms.live)
        self.add([path for path in self._expected if live.is_there(path) and thaw.is_state(live.value(path))])

    def terms(self) -> Terms:
        """Raises UsageError where what users made cannot be written."""
        return replace(self._terms, frozen=self._written(), expected=self._expected)

    def add(self, paths: Sequence[str]) -> None:
        """Has things go along that a worker does not have."""
        for path in paths:
            known = self._expected.pop(path)
            if known == live.NOTHING or pickling.can_be_sent(live.value(path)):
                self._changed.append(path)
            elif parts := live.attributes(path):  # what can be sent of it
                self._expected |= live.hashes(parts)
            else:
                kind = type(live.value(path)).__name__
                self.notes.append(
                    f"{path.replace(':', '.')}, which was set in the notebook, is a {kind} and cannot be sent: "
                    "workers have what a fresh import gives."
                )

    def _written(self) -> bytes:
        things, function = self._terms.live, self._terms.function
        try:
            return pickling.frozen(things, self._changed, self._expected)
        except Exception as error:  # pickling a user's objects can raise anything
            raise pickling.refusal(function, error) from None
