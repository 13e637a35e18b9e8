"""What the page is told of a search: everything once, then only what changed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nbtune.record.progress import Progress, Trial
from nbtune.record.ties import explanation, ties
from nbtune.views.figures.curves import Curve, CurvesInfo, curves_info
from nbtune.views.figures.gridinfo import Cell, GridInfo, grid_frame, grid_info, ordered, text
from nbtune.views.figures.maplayout import Layout, layout
from nbtune.views.headline import headline, spoken
from nbtune.views.table import MOST_FAILURES, failures, is_number, trained_alone
from nbtune.views.words import hyperparameters, varying

Message = dict[str, Any]

WIDTH, HEIGHT = 360.0, 331.0  # of the map, in points: half of the lasting picture


class Wire:
    """Messages that, taken in order, tell a page how a search stands. For one thread at a time.

    A message holds any of these: `grid` (the axes and each trial's values), `map` (where everything on the map goes),
    both only in a whole one; `head`, `trials`, `cells`, `scale`, `curves`, `lines`, `coverage`, `ties` and `failures`. Of what is
    a mapping from numbers (of trials, of cells) it has only the entries that changed.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        trials = progress.trials
        self._index = {trial.id: i for i, trial in enumerate(trials)}
        self._names, self._frame = varying(trials), grid_frame(trials)
        self._forget()

    def _forget(self) -> None:
        self._parts: Message = {}
        self._trials: list[Trial] = []
        self._cells: Sequence[Cell] = ()
        self._lines: dict[str, Curve] = {}

    def whole(self, now: float) -> Message:
        """Everything; `now` in seconds since the epoch."""
        self._forget()
        info = grid_info(self._progress, self._frame)
        places = layout(info, WIDTH, HEIGHT)
        return {"grid": _grid(self._progress), "map": _map(info, places), **self.changes(now)}

    def head(self, now: float) -> Message:
        """Only the headline, if it changed."""
        progress = self._progress
        head = {
            "text": headline(progress, now),
            "spoken": spoken(progress),
            "state": progress.state,
            "ended": progress.ended,
        }
        return self._new("head", head)

    def changes(self, now: float) -> Message:
        """What changed since the last message; empty if nothing did."""
        progress = self._progress
        trials, info, curves = progress.trials, grid_info(progress, self._frame), curves_info(progress, names=self._names)
        return {
            **self.head(now),
            **self._changed_trials(trials),
            **self._changed_cells(info.cells),
            **self._new("scale", {"limits": info.limits, "clipped": info.clipped, "counts": dict(info.counts)}),
            **self._new("curves", self._curves(curves)),
            **self._new_lines(curves),
            **self._new("coverage", str(progress.coverage)),
            **self._new("ties", {"of": [self._index[id] for id in sorted(ties(progress))], "text": explanation(progress)}),
            **self._new("failures", _failures(progress)),
        }

    def detail(self, index: int) -> Message:
        """All that is known of one trial: each metric epoch by epoch, and its error."""
        trial = self._progress.trials[index]
        history = {name: _finite(values) for name, values in trial.history.items()}
        return {"detail": {"trial": index, "history": history, "error": trial.error or ""}}

    def _new(self, name: str, part: Any) -> Message:
        if self._parts.get(name) == part:
            return {}
        self._parts[name] = part
        return {name: part}

    def _changed_trials(self, trials: list[Trial]) -> Message:
        before: Sequence[Trial | None] = self._trials or [None] * len(trials)
        changed = {
            i: _facts(trial)
            for i, (trial, old) in enumerate(zip(trials, before, strict=True))
            if trial is not old and (old is None or _facts(trial) != _facts(old))
        }
        self._trials = trials
        return {"trials": changed} if changed else {}

    def _changed_cells(self, cells: Sequence[Cell]) -> Message:
        before: Sequence[Cell | None] = self._cells or [None] * len(cells)
        changed = {
            i: [cell.status, cell.score, cell.best, self._index[cell.trial], cell.trials, cell.std, cell.tie]
            for i, (cell, old) in enumerate(zip(cells, before, strict=True))
            if cell != old
        }
        self._cells = cells
        return {"cells": changed} if changed else {}

    def _curves(self, info: CurvesInfo) -> Message:
        shown = [[self._index[curve.trial], curve.rank or 0, curve.highlighted] for curve in info.curves]
        return {"shown": shown, "limits": info.limits, "log": info.log, "left_out": info.left_out}

    def _new_lines(self, info: CurvesInfo) -> Message:
        lines = {}
        for curve in info.curves:
            old = self._lines.get(curve.trial)
            if old is not None and (old.values, old.training, old.best_epoch) == (curve.values, curve.training, curve.best_epoch):
                continue
            values, training = (_tail(getattr(old, part, ()), getattr(curve, part)) for part in ("values", "training"))
            lines[self._index[curve.trial]] = {"values": values, "training": training, "best": curve.best_epoch}
            self._lines[curve.trial] = curve
        return {"lines": lines} if lines else {}


def _tail(old: Sequence[float], new: Sequence[float]) -> tuple[int, list[float | None]]:
    """From where on a list is new, and what comes there."""
    start = len(old) if tuple(old) == tuple(new[: len(old)]) else 0
    return start, _finite(new[start:])


def _finite(values: Sequence[float]) -> list[float | None]:
    """Five digits are enough for a plot; JSON has no NaN."""
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in values]


def _facts(trial: Trial) -> list[Any]:
    seconds = round(trial.seconds, 2) if trial.ended else None
    return [trial.status, trial.score, trial.std, trial.best_epoch, trial.epochs, seconds]


def _grid(progress: Progress) -> Message:
    """Each trial's values as places in the list of its axis, -1 where it has none."""
    trials = progress.trials
    axes, places = [], []
    for name in hyperparameters(trials):
        values = [value for value in ordered(trials, name) if value is not None]
        at = {value: i for i, value in enumerate(values)}
        places.append([at[trial.values[name]] if name in trial.values else -1 for trial in trials])
        axes.append({"name": name, "texts": [text(value) for value in values], "right": all(map(is_number, values))})
    return {
        "axes": axes,
        "places": list(map(list, zip(*places, strict=True))) or [[] for _ in trials],
        "ids": [trial.id for trial in trials],
        "objective": progress.objective.name,
        "direction": progress.objective.direction,
        "epochs": progress.epochs,
    }


def _map(info: GridInfo, places: Layout) -> Message:
    names = " and ".join(side.name for side in (info.x, info.y) if side.name)
    note = f"each place: the best over {', '.join(info.over)}" if info.over else ""
    if len(info.facet_names) > 2:
        note = f"each map: {' · '.join(info.facet_names)}"
    return {
        "title": f"{info.objective} by {names}",
        "note": note,
        "size": [WIDTH, HEIGHT],
        "cell": places.cell,
        "corners": [places.corner(cell) for cell in info.cells],
        "numbers": places.numbers,
        "x_labels": places.x_labels,
        "y_labels": places.y_labels,
        "heads": places.heads,
        "x_name": [*places.x_name, info.x.name],
        "y_name": [*places.y_name, info.y.name],
        "bar": places.scale,
    }


def _failures(progress: Progress) -> list[Mapping[str, str]]:
    alone = [{"line": line, "error": ""} for line in trained_alone(progress)]
    bad = failures(progress)
    shown = [{"line": str(failure), "error": failure.error} for failure in bad[:MOST_FAILURES]]
    more = [{"line": f"and {len(bad) - MOST_FAILURES} more", "error": ""}] if len(bad) > MOST_FAILURES else []
    return [*alone, *shown, *more]
