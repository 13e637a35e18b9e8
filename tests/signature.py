"""Writes the signature of `nbtune.tune` and its list of arguments out of the table of options: `python -m tests.signature`.

They stand in the file as text, so that an editor sees them without running anything.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import nbtune
from nbtune.ask.option import Option, Reads
from nbtune.ask.options import table

FILE = Path(nbtune.__file__).parent / "tuning.py"
WIDTH = 120
_NAME = ("name", "the folder of the search, in `dir`: another name keeps another search")
_PARAMETERS = (
    "**parameters",
    'values of any other parameter of the function: `dropout=[0, 0.2]` is `axis={"dropout": [0, 0.2]}`',
)


def signature() -> str:
    """`build` and `data` by place, all others by keyword."""
    first = [option for option in table().values() if option.name in ("build", "data")]
    lines = [_parameter(option) for option in first]
    lines += ["*more: Any", 'name: str = "search"']
    lines += [_parameter(option) for option in table().values() if option not in first]
    lines.append("**parameters: Values")
    return "".join(f"    {line},\n" for line in lines)


def arguments() -> str:
    """The part of the docstring below `Args:`."""
    first = [option for option in table().values() if option.name in ("build", "data")]
    rest = [option for option in table().values() if option not in first]
    entries = [*map(_argument, first), _NAME, *map(_argument, rest), _PARAMETERS]
    lines = [
        textwrap.fill(f"{name}: {text}.", WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 12) for name, text in entries
    ]
    return "\n".join(lines) + "\n\n"


def _parameter(option: Option) -> str:
    default = True if option.reads is Reads.YES_NO else None if option.reads is Reads.PAIRS else option.default
    return f"{option.name}: {option.type} = {default!r}".replace("'", '"')


def _argument(option: Option) -> tuple[str, str]:
    is_said = option.help_in_python or option.default not in (None, ()) or not option.left_out
    return option.name, (option.help_in_python or option.help) + ("" if is_said else f"; if left out, {option.left_out}")


def written(text: str) -> str:
    """The file with both parts as they should be."""
    text = re.sub(r"(?<=^def tune\(\n).*?(?=^\) -> Search:)", lambda _: signature(), text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<=^    Args:\n).*?(?=^    Returns:)", lambda _: arguments(), text, count=1, flags=re.DOTALL | re.MULTILINE)


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text()))
