"""What an earlier run of the same cell left: which combinations need no training any more."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from nbtune.ask.objective import Objective
from nbtune.ask.space import Space
from nbtune.data.fingerprint import contents, key
from nbtune.record import checkpoint, files, log
from nbtune.record.events import DIVERGED, DONE, FAILED, STOPPED, Event, TrainedAlone, TrialAdded, TrialEnded
from nbtune.record.job import Job
from nbtune.record.ranking import ranked
from nbtune.record.runs import together
from nbtune.record.store import OUTCOME

_ID = re.compile("[0-9]{1,9}")  # it names a folder, so what is no such number cannot be ours
_SHOWN = 5  # numbers of lines in a message


@dataclass(frozen=True)
class Earlier:
    """The grid as the project knows it.

    Attributes:
        ids: the id of each combination, in grid order; an earlier trial keeps its own.
        known: combinations of the grid that an earlier run has added.
        added: what is new to the log: combinations, and outcomes that it has lost and a trial's own folder has kept.
        ended: outcomes that hold, and why trials were trained on their own.
        notes: what was damaged, a sentence each.
    """

    ids: tuple[str, ...]
    known: tuple[TrialAdded, ...]
    added: tuple[Event, ...]
    ended: tuple[TrainedAlone | TrialEnded, ...]
    notes: tuple[str, ...]


def earlier(
    project: Path, space: Space, objects: Mapping[str, Mapping[str, Any]], objective: Objective, keep: int, job: Job | None = None
) -> Earlier:
    """Reads the log of a project and holds the grid against it; `keep` trials are to have weights.

    Args:
        job: says how the runs of a trial add up; None where each has one.

    Raises:
        OSError: a link, a folder or a device stands where a file of the project should.
    """
    read = log.read(project)
    told = {(type(event), event.trial) for event in read.events if isinstance(event, (TrialAdded, TrialEnded))}
    kept = [event for event in _kept_by_trials(project, told) if (type(event), event.trial) not in told]
    known = _known([*read.events, *kept])
    hashes, incomparable = contents(objects)
    ids, added = _ids(space, hashes, {event.key: event.trial for event in known.values()})
    last = {event.trial: event for event in [*kept, *read.events] if isinstance(event, TrialEnded)}
    last |= _unfinished(project, known, last, job)
    whole = [last[id] for id in ids if id in last and (last[id].status != STOPPED or last[id].score is not None)]
    ended = [event for event in whole if _holds(event, objective)]
    lost = _without_weights(project, ended, objective, keep)
    holding = [event for event in ended if event.trial not in lost]
    again = [event for event in kept if event.trial in set(ids)]
    notes = [*incomparable, *_of_the_log(project / log.FILE, read, again)]
    notes += [
        f"The score of trial {event.trial} is not what its history says; it is trained again."
        for event in whole
        if event not in ended
    ]
    notes += [f"{path}; its trial is trained again." for path in lost.values()]
    alone = _alone(read.events, {event.trial for event in holding})
    own = tuple(known[id] for id in ids if id in known)
    return Earlier(tuple(ids), own, (*again, *added), (*alone, *holding), tuple(notes))


def _of_the_log(file: Path, read: log.Read, again: Sequence[Event]) -> Iterator[str]:
    """What is wrong with the log, and what of it is not lost."""
    for numbers, what in ((read.damaged, "damaged"), (read.gaps, "not what followed the line before")):
        if numbers:
            shown = ", ".join(map(str, numbers[:_SHOWN])) + (
                f" and {len(numbers) - _SHOWN:,} more" if len(numbers) > _SHOWN else ""
            )
            are = f"lines {shown} are" if len(numbers) > 1 else f"line {shown} is"
            yield f"{file}: {are} {what}; only what is lost by it is trained again."
    if count := sum(isinstance(event, TrialEnded) for event in again):
        yield f"{file} has lost the outcome of {count} trial{'s' * (count > 1)}, which the folders of the trials still had."


def _unfinished(
    project: Path, known: Mapping[str, TrialAdded], last: Mapping[str, TrialEnded], job: Job | None
) -> dict[str, TrialEnded]:
    """What trials had come to that nobody was left to hand in, or that handed in less."""
    found, runs = {}, job.runs if job else 1
    for id, added in known.items():
        if (id not in last or last[id].status == STOPPED) and (ends := checkpoint.ends_of(project, id, added.values, runs)):
            end = replace(together(job, ends)[0] if job else ends[0], status=STOPPED)
            if id not in last or _how_far(end) > _how_far(last[id]):
                found[id] = end
    return found


def _how_far(end: TrialEnded) -> tuple[float, float]:
    """Of two of the same trial the larger one has trained more; with several runs the history is that of the best one."""
    return len(end.scores), end.seconds if end.scores else len(next(iter(end.history.values()), []))


def _kept_by_trials(project: Path, told: Collection[tuple[type, str]]) -> list[TrialAdded | TrialEnded]:
    """What the folders of trials say of those whose combination or outcome the log does not have; `told` is what it has."""
    found: list[TrialAdded | TrialEnded] = []
    for folder in sorted(project.glob("trial_*")):
        id = folder.name.removeprefix("trial_")
        whole = (TrialAdded, id) in told and (TrialEnded, id) in told
        if not _ID.fullmatch(id) or whole or folder.is_symlink() or not folder.is_dir():
            continue
        try:
            events = log.read_file(folder / OUTCOME, project).events
        except OSError:  # something else stands in its place
            continue
        match events:
            case (TrialAdded(trial=first) as added, TrialEnded(trial=second) as ended) if first == second == id:
                found += [added, ended]
    return found


def _alone(events: Iterable[Event], trials: Collection[str]) -> list[TrainedAlone]:
    """Why some of these trials were trained on their own."""
    told = [event for event in events if isinstance(event, TrainedAlone)]
    found = [replace(event, trials=[trial for trial in event.trials if trial in trials]) for event in told]
    return [event for event in found if event.trials]


def _known(events: Iterable[Event]) -> dict[str, TrialAdded]:
    """Id to the combination, the first that has it."""
    first: dict[str, TrialAdded] = {}
    for event in events:
        if isinstance(event, TrialAdded) and _ID.fullmatch(event.trial):
            first.setdefault(event.trial, event)
    return first


def _holds(event: TrialEnded, objective: Objective) -> bool:
    """Whether an outcome is one: its score has to be what its history, and with repeats its scores, say."""
    if event.status not in (DONE, STOPPED):
        return event.status in (FAILED, DIVERGED)
    best = objective.at(event.best_epoch, objective.name, event.history)
    measured = [objective.at(event.best_epoch, name, event.history) for name in event.history]
    if event.score is None or not math.isfinite(event.score) or best is None or None in measured:
        return False
    scores = event.scores or [event.score]
    if not all(map(math.isfinite, scores)):
        return False
    same = partial(math.isclose, rel_tol=1e-9, abs_tol=1e-12)
    return same(fmean(scores), event.score) and same(scores[objective.best(scores)], best)


def _ids(space: Space, hashes: Mapping[str, Mapping[Any, str]], known: Mapping[str, str]) -> tuple[list[str], list[TrialAdded]]:
    width = len(str(len(space)))  # KerasTuner pads trial ids to the width of max_trials
    next_number = 1 + max((int(id) for id in known.values()), default=-1)
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


def _without_weights(project: Path, ended: Sequence[TrialEnded], objective: Objective, keep: int) -> dict[str, str]:
    """Of the best trials those whose weights are not what was written, and what is wrong with them.

    Of all but the very best they may also be missing.
    """
    handed_in = [event for event in ended if event.status != STOPPED or event.weights]
    ranking = ranked(handed_in, objective)
    lost = {}
    for event in ranking[:keep]:
        for path, stamp in _weights(project, event):
            try:
                if not files.is_as_stamped(path, project, stamp):
                    lost[event.trial] = f"{path} is damaged"
            except FileNotFoundError:
                if event is ranking[0]:
                    lost[event.trial] = f"{path} is missing"
            except OSError as error:
                lost[event.trial] = f"{error.filename or path} {error.strerror}"
    return lost


def _weights(project: Path, event: TrialEnded) -> Iterator[tuple[Path, str | None]]:
    """A trial's files of weights, each with its stamp."""
    folder = project / f"trial_{event.trial}"
    yield folder / "checkpoint.weights.h5", event.weights
    for fold, stamp in event.fold_weights.items():
        if fold.isdecimal():  # it is part of a path
            yield folder / f"fold_{fold}.weights.h5", stamp
