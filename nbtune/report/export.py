"""`Search.export`: a search as files that other tools read."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from nbtune.errors import UsageError, did_you_mean
from nbtune.record.progress import Progress, Trial
from nbtune.report import tracking
from nbtune.report.cv_results import cv_results
from nbtune.report.tracking.follow import tell_all
from nbtune.views.surface import Archive

MOST_TO_DOWNLOAD = 100_000_000  # bytes, by a page


def export(progress: Progress, project: Path, kind: str, path: Path) -> Path:
    """Writes a search, whose project is a folder, to `path`.

    Raises:
        UsageError: a kind that there is not, or whose package is not installed; or it cannot be written.
    """
    kinds = (*TEXTS, *tracking.KINDS, "zip")
    if kind not in kinds:
        listed = f"{', '.join(kinds[:-1])} and {kinds[-1]}"
        raise UsageError(f"export: no kind {kind!r}{did_you_mean(kind, kinds)}; there are {listed}")
    if kind in TEXTS:
        return written(path, TEXTS[kind](progress))
    if kind == "zip":
        return _zipped(project, path)
    try:
        tell_all(progress, tracking.tracker(kind, progress, project.name, path))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def written(path: Path, text: str) -> Path:
    """Raises UsageError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    return path


def archived(progress: Progress, project: Path) -> Archive:
    """The project as a zip in memory, for a page to save.

    Raises:
        UsageError: it is larger than a page takes.
    """
    with tempfile.TemporaryDirectory(prefix="nbtune-") as folder:
        file = export(progress, project, "zip", Path(folder) / f"{project.name}.zip")
        if file.stat().st_size > MOST_TO_DOWNLOAD:
            raise UsageError(
                f"the search has {file.stat().st_size / 1e6:,.0f} MB, more than a page takes; "
                f'{project.name}.export("zip", "{file.name}") writes it beside the notebook'
            )
        words = f"unpack {file.name} beside the notebook on another machine, and run the same cell there: it goes on"
        return Archive(file.name, file.read_bytes(), f"# {words}")


def _zipped(project: Path, path: Path) -> Path:
    """The project in one file. Unpacked where the notebook is, it is found as if the search had run there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ZipFile(path, "w", ZIP_DEFLATED) as archive:
            for file in sorted(project.rglob("*")):
                if file.is_file() and not file.is_symlink() and file.resolve() != path.resolve():
                    archive.write(file, Path(project.parent.name, project.name, file.relative_to(project)))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    return path


def as_csv(progress: Progress) -> str:
    """A row a combination: its values, what came of it, and the last word of its error."""
    import pandas

    rows = [{"trial": t.id, **t.values, **_facts(t), **_splits(progress, t), "error": _last_line(t)} for t in progress.trials]
    return str(pandas.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def as_json(progress: Progress) -> str:
    """All that is known, histories included; a number that is not finite becomes null."""
    objective = progress.objective
    trials = [
        {"trial": t.id, "values": dict(t.values), **_facts(t), "scores": list(t.scores), **_epochs(t), "error": t.error}
        for t in progress.trials
    ]
    found = {"objective": objective.name, "direction": objective.direction, "state": progress.state, "trials": trials}
    return json.dumps(_finite(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


TEXTS: Mapping[str, Callable[[Progress], str]] = {"csv": as_csv, "json": as_json}


def _facts(trial: Trial) -> dict[str, Any]:
    names = ("status", "score", "std", "best_epoch", "epochs", "size", "seconds")
    return {name: getattr(trial, name) for name in names}


def _epochs(trial: Trial) -> dict[str, Any]:
    return {"history": trial.history, "rates": trial.rates}


def _splits(progress: Progress, trial: Trial) -> dict[str, Any]:
    """With folds the score in each."""
    (row,) = cv_results(progress, [trial])
    return {name: value for name, value in row.items() if name.startswith("split")}


def _last_line(trial: Trial) -> str:
    return (trial.error or "").strip().rpartition("\n")[2]


def _finite(thing: Any) -> Any:
    if isinstance(thing, Mapping):
        return {str(key): _finite(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_finite(value) for value in thing]
    return None if isinstance(thing, float) and not math.isfinite(thing) else thing
