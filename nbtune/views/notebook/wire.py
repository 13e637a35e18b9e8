"""What the page is told of a search: everything once, then only what changed. Whatever there is to decide is decided here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from nbtune.record.events import RUNNING
from nbtune.record.progress import Progress, Trial
from nbtune.record.remaining import share_done
from nbtune.record.ties import explanation
from nbtune.views.figures.curves import Curve, CurvesInfo, curves_info
from nbtune.views.figures.gridinfo import Cell, GridInfo, grid_info, grid_template, ordered, text
from nbtune.views.figures.maplayout import Layout, layout
from nbtune.views.figures.marks import MARKS
from nbtune.views.figures.palette import PALETTE
from nbtune.views.figures.scale import limits
from nbtune.views.findings import advice_of
from nbtune.views.headline import all_went_wrong, coverage_if_interrupted, headline, interrupted, spoken
from nbtune.views.notebook import schema
from nbtune.views.notebook.schema import Message
from nbtune.views.table import MOST_FAILURES, Fact, facts, failures, is_number, listed, trained_alone
from nbtune.views.words import hyperparameters, score_text, short_score

WIDTH, HEIGHT = 320.0, 294.0  # of the map, in its own units, until a page says what it has room for
SMALLEST, LARGEST = 160.0, 4000.0


class Wire:
    """Messages that, taken in order, tell a page how a search stands. For one thread at a time."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        trials = progress.trials
        self._index = {trial.id: i for i, trial in enumerate(trials)}
        self._template, self._size = grid_template(trials), (WIDTH, HEIGHT)
        self._forget()

    def _forget(self) -> None:
        self._parts: dict[str, Any] = {}
        self._trials: dict[int, schema.TrialFacts] = {}
        self._cells: Sequence[Cell] = ()
        self._lines: dict[str, Curve] = {}

    def whole(self, now: float) -> Message:
        """Everything; `now` in seconds since the epoch."""
        self._forget()
        return {"grid": _grid(self._progress), **self._map(), **self.changes(now)}

    def resize(self, width: float, height: float) -> Message:
        """The map for a page that has room for so many of its units, in which small letters are seven high."""
        width, height = (min(max(length, SMALLEST), LARGEST) for length in (width, height))
        if (width, height) == self._size:
            return {}
        self._size = width, height
        return self._map()

    def _map(self) -> Message:
        info = grid_info(self._progress, self._template)
        return {"map": _map(info, layout(info, *self._size), self._size)}

    def head(self, now: float) -> Message:
        """Only the headline, if it changed."""
        progress = self._progress
        head = schema.Head(
            text=headline(progress, now),
            gone=interrupted(progress),
            spoken=spoken(progress),
            state=progress.state,
            share=round(share_done(progress), 4),
            count=f"{progress.ended:,} of {len(progress.trials):,}",
            alarm=all_went_wrong(progress),
        )
        return self._new(head=head)

    def changes(self, now: float) -> Message:
        """What changed since the last message; empty if nothing did."""
        progress = self._progress
        info, curves = grid_info(progress, self._template), curves_info(progress)
        return {
            **self.head(now),
            **self._changed_trials(progress.trials),
            **self._changed_cells(info),
            **self._new(scale=_scale(info), curves=self._curves(curves)),
            **self._new_lines(curves),
            **self._new(table=self._table(), failures=_failures(progress), notes=list(progress.notes)),
            **self._new(advice=advice_of(progress)),
        }

    def detail(self, index: int) -> Message:
        """All that is known of one trial: each metric epoch by epoch, and its error."""
        return {"detail": _detail(self._progress, index)}

    def _new(self, **parts: Any) -> Message:
        new = {name: part for name, part in parts.items() if self._parts.get(name) != part}
        self._parts |= new
        return cast(Message, new)

    def _changed_trials(self, trials: list[Trial]) -> Message:
        """A trial's facts hang on others too: a sign says that it is not significantly different from the best."""
        own = facts(self._progress)
        found = {i: _facts(trial, own) for i, trial in enumerate(trials)}
        changed = {i: new for i, new in found.items() if self._trials.get(i) != new}
        self._trials = found
        return {"trials": changed} if changed else {}

    def _changed_cells(self, info: GridInfo) -> Message:
        before: Sequence[Cell | None] = self._cells or [None] * len(info.cells)
        pairs = enumerate(zip(info.cells, before, strict=True))
        changed = {i: self._cell(cell, info) for i, (cell, old) in pairs if cell != old}
        self._cells = info.cells
        return {"cells": changed} if changed else {}

    def _cell(self, cell: Cell, info: GridInfo) -> schema.CellFacts:
        return schema.CellFacts(
            status=cell.status,
            trial=self._index[cell.trial],
            trials=cell.trials,
            text=cell.text,
            spread=cell.spread,
            says=cell.says(info.objective),
            provisional=cell.provisional,
        )

    def _curves(self, info: CurvesInfo) -> schema.Curves:
        index, trials = self._index, self._progress.trials
        best = [f"{k.score} with {trials[index[k.trial]].label}" for k in info.keys if k.role.startswith("best")]
        return schema.Curves(
            title=info.title,
            empty=info.empty,
            alt=f"Learning curves of {info.objective}. Best: {'; '.join(best) or 'none yet'}.",
            curves=[schema.Curve(trial=index[c.trial], role=c.role, running=c.status == RUNNING) for c in info.curves],
            keys=[schema.CurveKey(trial=index[k.trial], role=k.role, score=k.score, values=list(k.values)) for k in info.keys],
            shared=f"all with {', '.join(info.shared)}" if info.shared and len(info.keys) > 1 else "",
            others=info.others,
            low=info.limits[0],
            high=info.limits[1],
            log=info.log,
            baseline=info.baseline and schema.Baseline(value=info.baseline[0], share=None, text=info.baseline[1]),
        )

    def _new_lines(self, info: CurvesInfo) -> Message:
        lines = {}
        for curve in info.curves:
            old = self._lines.get(curve.trial)
            if old is not None and (old.values, old.training, old.best_epoch) == (curve.values, curve.training, curve.best_epoch):
                continue
            values, training = (_tail(getattr(old, part, ()), getattr(curve, part)) for part in ("values", "training"))
            lines[self._index[curve.trial]] = schema.Line(values=values, training=training, best=curve.best_epoch)
            self._lines[curve.trial] = curve
        return {"lines": lines} if lines else {}

    def _table(self) -> schema.Table:
        ranked, others = listed(self._progress)
        notes = [explanation(self._progress), *trained_alone(self._progress), str(self._progress.coverage)]
        rows = [self._index[trial.id] for trial in (*ranked, *others)]
        high = {self._progress.objective.name, "gap"} if self._progress.objective.direction == "max" else {"gap"}
        columns = [
            schema.Column(name=fact.name, means=fact.means, right=fact.right, high_first=fact.name in high)
            for fact in facts(self._progress)
        ]
        gone = coverage_if_interrupted(self._progress)
        return schema.Table(columns=columns, rows=rows, ranked=len(ranked), notes=[note for note in notes if note], gone=gone)


def _tail(old: Sequence[float], new: Sequence[float]) -> schema.Tail:
    """From where on a list is new, and what comes there."""
    start = len(old) if tuple(old) == tuple(new[: len(old)]) else 0
    return schema.Tail(start=start, values=_finite(new[start:]))


def _finite(values: Sequence[float]) -> list[float | None]:
    """Five digits are enough for a plot; JSON has no NaN."""
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in values]


def _facts(trial: Trial, own: Sequence[Fact]) -> schema.TrialFacts:
    keys = [fact.key(trial) for fact in own]
    return schema.TrialFacts(texts=[fact.text(trial) for fact in own], keys=keys)


def _grid(progress: Progress) -> schema.Grid:
    trials = progress.trials
    axes, places = [], []
    for name in hyperparameters(trials):
        values = [value for value in ordered(trials, name) if value is not None]
        at = {value: i for i, value in enumerate(values)}
        places.append([at[trial.values[name]] if name in trial.values else -1 for trial in trials])
        axes.append(schema.Axis(name=name, texts=[text(value) for value in values], right=all(map(is_number, values))))
    return schema.Grid(
        axes=axes,
        places=list(map(list, zip(*places, strict=True))) or [[] for _ in trials],
        labels=[trial.label for trial in trials],
        ids=[trial.id for trial in trials],
        marks={status: schema.Mark(path=m.path, filled=m.filled, stroke=m.stroke) for status, m in MARKS.items()},
        palette=[schema.Shade(fill=shade.fill, ink=shade.ink) for shade in PALETTE],
    )


def _map(info: GridInfo, places: Layout, size: tuple[float, float]) -> schema.Map:
    def texts(found: Sequence[tuple[float, float, str]]) -> list[schema.Text]:
        return [schema.Text(x=x, y=y, text=text, angle=0) for x, y, text in found]

    def pair(at: tuple[float, float]) -> tuple[float, float]:
        return round(at[0], 2), round(at[1], 2)

    x, bottom, top = places.scale
    return schema.Map(
        title=info.title,
        note=info.note,
        width=size[0],
        height=size[1],
        cell_width=places.cell[0],
        cell_height=places.cell[1],
        corners=[pair(places.corner(cell)) for cell in info.cells],
        left_out=[pair(places.middle(place)) for place in info.left_out],
        numbers=places.numbers,
        x_labels=texts(places.x_labels),
        y_labels=texts(places.y_labels),
        heads=[schema.Text(x=x, y=y, text=text, angle=angle) for x, y, text, angle in places.heads],
        x_name=schema.Text(x=places.x_name[0], y=places.x_name[1], text=info.x.name, angle=0),
        y_name=schema.Text(x=places.y_name[0], y=places.y_name[1], text=info.y.name, angle=90),
        bar_x=x,
        bar_bottom=bottom,
        bar_top=top,
    )


def _scale(info: GridInfo) -> schema.Scale:
    better, worse = info.ends
    return schema.Scale(
        shades=[info.shade(cell) for cell in info.cells],
        best=next((i for i, cell in enumerate(info.cells) if cell.best), None),
        better=better,
        worse=worse,
        legend=[schema.LegendItem(status=status, text=text) for status, text in info.legend],
        gone=[schema.LegendItem(status=status, text=text) for status, text in info.legend_if_gone],
        baseline=_baseline(info),
    )


def _baseline(info: GridInfo) -> schema.Baseline | None:
    value, share = info.baseline, info.baseline_share
    return None if value is None or share is None else schema.Baseline(value=value, share=share, text=short_score(value))


def _failures(progress: Progress) -> list[schema.Failure]:
    bad = failures(progress)
    shown = [schema.Failure(line=str(failure), error=failure.error) for failure in bad[:MOST_FAILURES]]
    more = [schema.Failure(line=f"and {len(bad) - MOST_FAILURES} more", error="")] if len(bad) > MOST_FAILURES else []
    return [*shown, *more]


def _detail(progress: Progress, index: int) -> schema.Detail:
    trial, objective = progress.trials[index], progress.objective
    score = trial.score is not None and f"{objective.name} {score_text(trial.score)} in epoch {trial.best_epoch}"
    told = [trial.status, score, trial.epochs and f"{trial.epochs} epochs", trial.ended and f"{trial.seconds:.1f} s"]
    metrics = [name for name in trial.history if not name.startswith("val_")]
    return schema.Detail(
        trial=index,
        title=f"Trial {trial.id}: {trial.label or 'no hyperparameters'}",
        facts=" · ".join(fact for fact in told if fact),
        error=trial.error or "",
        best=trial.best_epoch,
        plots=[_plot(name, trial, progress) for name in metrics],
        curve=_finite(objective.by_epoch(objective.name, trial.history)),
    )


def _plot(name: str, trial: Trial, progress: Progress) -> schema.Plot:
    training, validation = trial.history[name], progress.objective.by_epoch(f"val_{name}", trial.history)
    objective = progress.objective if name == progress.objective.metric else None
    seen = [value for value in (*training, *validation) if math.isfinite(value)]
    low, high = limits(seen, objective) if objective else (min(seen, default=0.0), max(seen, default=1.0))
    last = ", ".join(
        f"{score_text(values[-1])} on the {kind} data"
        for kind, values in (("training", training), ("validation", validation))
        if values
    )
    alt = f"{name}: {last}, after {len(training)} epochs"
    both = {"training": _finite(training), "validation": _finite(validation)}
    return schema.Plot(title=name, alt=alt, low=low, high=high, training=both["training"], validation=both["validation"])
