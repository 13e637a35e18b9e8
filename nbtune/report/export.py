"""`Search.export`: every combination as a file that other tools read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from nbtune.errors import UsageError, did_you_mean
from nbtune.record.progress import Progress, Trial


def export(progress: Progress, kind: str) -> str:
    """The text of the file. Raises UsageError for a kind that there is not."""
    if kind not in KINDS:
        raise UsageError(f"export: no kind {kind!r}{did_you_mean(kind, KINDS)}; there are {' and '.join(KINDS)}")
    return KINDS[kind](progress)


def as_csv(progress: Progress) -> str:
    """A row a combination: its values, what came of it, and the last word of its error."""
    import pandas

    rows = [{"trial": trial.id, **trial.values, **_facts(trial), "error": _last_line(trial)} for trial in progress.trials]
    return str(pandas.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def as_json(progress: Progress) -> str:
    """All that is known, histories included; a number that is not finite becomes null."""
    objective = progress.objective
    trials = [
        {"trial": t.id, "values": dict(t.values), **_facts(t), "scores": list(t.scores), "history": t.history, "error": t.error}
        for t in progress.trials
    ]
    found = {"objective": objective.name, "direction": objective.direction, "state": progress.state, "trials": trials}
    return json.dumps(_finite(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


KINDS: Mapping[str, Callable[[Progress], str]] = {"csv": as_csv, "json": as_json}


def _facts(trial: Trial) -> dict[str, Any]:
    names = ("status", "score", "std", "best_epoch", "epochs", "seconds")
    return {name: getattr(trial, name) for name in names}


def _last_line(trial: Trial) -> str:
    return (trial.error or "").strip().rpartition("\n")[2]


def _finite(thing: Any) -> Any:
    if isinstance(thing, Mapping):
        return {str(key): _finite(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_finite(value) for value in thing]
    return None if isinstance(thing, float) and not math.isfinite(thing) else thing
