"""Pages of the reference that are made from the code."""

from __future__ import annotations

from nbtune.ask.option import GROUPS, Option, Results
from nbtune.ask.options import table

_IF_CHANGED = {
    Results.AS_VALUE: "only the new combinations train",
    Results.AS_CONTENT: "its content is compared, and if that differs, everything is retrained",
    Results.AS_TERM: "everything is retrained",
    Results.UNCHANGED: "results stay valid, nothing is retrained",
}


def options() -> str:
    """The page of all options, from the table that the options are made from."""
    parts = [
        "# Options",
        "",
        "`%%tune [NAME] --data X,Y [options]` takes these. The keywords of `nbtune.tune` are the same names with underscores:",
        "`--learning-rate 0.1,0.01` is `learning_rate=[0.1, 0.01]`. `%%tune?` prints this list in a notebook.",
        "",
        "VALUES are a list `16,32,64`, a range of integers `1:3` or `1:9:2` that includes both ends, `log:1e-4:1e-2:3` for",
        "logarithmic spacing, or Python as `{expression}` or `$name`.",
        "",
        "`%config NbTune.epochs = 50` sets a default for the whole notebook.",
    ]
    for group, title in GROUPS.items():
        parts += ["", f"## {title}"]
        for option in table().values():
            if option.group == group:
                parts += ["", *_entry(option)]
    return "\n".join(parts) + "\n"


def _entry(option: Option) -> list[str]:
    lines = [f"### `{f'{option.flag} {option.metavar}'.strip()}`", "", f"{option.help[0].upper()}{option.help[1:]}.", ""]
    if option.shown_default:
        lines.append(f"- If left out: {option.shown_default}")
    if option.choices:
        lines.append(f"- Takes: {', '.join(f'`{choice}`' for choice in option.choices)}")
    return [*lines, f"- If you change it: {_IF_CHANGED[option.results]}"]
