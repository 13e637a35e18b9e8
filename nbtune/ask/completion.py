"""What the Tab key offers on a `%%tune` line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nbtune.ask import names
from nbtune.ask.options import flags

# What an option takes, by name.
WORDS: Mapping[str, Iterable[str]] = {
    "--loss": names.LOSSES,
    "--init": names.INITIALIZERS,
    "--optimizer": names.OPTIMIZERS,
    "--objective": [f"val_{metric}" for metric in names.MAXIMISED | names.MINIMISED],
    "--patience": ["off"],
    "--engine": ["auto", "fused", "trial"],
    "--workers": ["auto"],
}
_VARIABLES = ("--data", "--validation-data", "--build")


def complete(line: str, variables: Iterable[str]) -> list[str]:
    """Whole words that fit the end of `line`: options, or values of the option before it."""
    *before, word = line.split(" ")
    option = next((piece for piece in reversed(before) if piece), "")
    begun, comma, last = word.rpartition(",")
    if option in WORDS:
        known: Iterable[str] = WORDS[option]
    elif option in _VARIABLES:
        known = (name for name in variables if not name.startswith("_"))
    else:
        known, begun, comma, last = flags(), "", "", word
    return sorted(begun + comma + name for name in known if name.startswith(last))
