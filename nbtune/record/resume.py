"""What an earlier run of the same cell left: which combinations need no training any more."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbtune.ask.objective import Objective
from nbtune.ask.space import Space
from nbtune.data.fingerprint import contents, key
from nbtune.record import log
from nbtune.record.events import DIVERGED, DONE, FAILED, Event, TrainedAlone, TrialAdded, TrialEnded
from nbtune.record.ranking import ranked


@dataclass(frozen=True)
class Earlier:
    """The grid as the log knows it.

    Attributes:
        ids: the id of each combination, in grid order; an earlier trial keeps its own.
        added: combinations that are new to the log.
        ended: outcomes that hold, and why trials were trained on their own.
        notes: what was damaged, a sentence each.
    """

    ids: tuple[str, ...]
    added: tuple[TrialAdded, ...]
    ended: tuple[TrainedAlone | TrialEnded, ...]
    notes: tuple[str, ...]


def earlier(project: Path, space: Space, objects: Mapping[str, Mapping[str, Any]], objective: Objective, keep: int) -> Earlier:
    """Reads the log of a project and holds the grid against it; `keep` trials are to have weights."""
    read = log.read(project)
    ids, added = _ids(space, objects, _known(read.events))
    last = {event.trial: event for event in read.events if isinstance(event, TrialEnded)}
    ended = [last[id] for id in ids if id in last and _holds(last[id])]
    notes = [f"{project / log.FILE}: line {n} is damaged; what it said is lost, and trained again." for n in read.damaged]
    lost = _without_weights(project, ended, objective, keep)
    notes += [f"{path} is damaged; its trial is trained again." for path in lost.values() if path.exists()]
    holding = [event for event in ended if event.trial not in lost]
    alone = _alone(read.events, {event.trial for event in holding})
    return Earlier(tuple(ids), tuple(added), (*alone, *holding), tuple(notes))


def _alone(events: Iterable[Event], trials: Collection[str]) -> list[TrainedAlone]:
    """Why some of these trials were trained on their own."""
    told = [event for event in events if isinstance(event, TrainedAlone)]
    found = [replace(event, trials=[trial for trial in event.trials if trial in trials]) for event in told]
    return [event for event in found if event.trials]


def _known(events: Iterable[Event]) -> dict[str, str]:
    """Key to id, each id once: it names a folder, so one that is no number cannot be ours."""
    first: dict[str, TrialAdded] = {}
    for event in events:
        if isinstance(event, TrialAdded) and event.trial.isdecimal() and event.trial.isascii():
            first.setdefault(event.trial, event)
    return {event.key: event.trial for event in first.values()}


def _holds(event: TrialEnded) -> bool:
    """Whether an outcome is one: a stopped trial starts over, and so does one whose numbers cannot be."""
    if event.status != DONE:
        return event.status in (FAILED, DIVERGED)
    best, lengths = event.best_epoch or 0, [len(values) for values in event.history.values()]
    return event.score is not None and math.isfinite(event.score) and 1 <= best <= min(lengths, default=0)


def _ids(space: Space, objects: Mapping[str, Mapping[str, Any]], known: Mapping[str, str]) -> tuple[list[str], list[TrialAdded]]:
    width = len(str(len(space)))  # KerasTuner pads trial ids to the width of max_trials
    next_number = 1 + max((int(id) for id in known.values()), default=-1)
    hashes = contents(objects)
    ids: list[str] = []
    added: list[TrialAdded] = []
    for values in space:
        combination = key(values, hashes)
        if combination in known:
            ids.append(known[combination])
            continue
        ids.append(f"{next_number + len(added):0{width}d}")
        added.append(TrialAdded(ids[-1], dict(values), combination))
    return ids, added


def _without_weights(project: Path, ended: Sequence[TrialEnded], objective: Objective, keep: int) -> dict[str, Path]:
    """Of the best trials those whose weights cannot be read; of all but the very best they may also be missing."""
    ranking = ranked(ended, objective)
    paths = {event.trial: project / f"trial_{event.trial}" / "checkpoint.weights.h5" for event in ranking[:keep]}
    best = ranking[0].trial if ranking else None
    return {trial: path for trial, path in paths.items() if (path.exists() or trial == best) and not _is_readable(path)}


def _is_readable(weights: Path) -> bool:
    import h5py  # only where there is something to go on with

    try:
        with h5py.File(weights) as file:
            file.visititems(lambda name, item: item[()] if isinstance(item, h5py.Dataset) else None)
            return len(file) > 0
    except (OSError, RuntimeError, KeyError, ValueError):  # what HDF5 says to damage depends on where it is
        return False
