"""The grid as a map, in numbers: two hyperparameters along the sides, the others as small multiples, a cell for each trial."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nbtune.ask.objective import Objective
from nbtune.ask.space import Value
from nbtune.record.events import DIVERGED, DONE, FAILED, PENDING, RUNNING, STOPPED
from nbtune.record.progress import Progress, Trial, show
from nbtune.record.ranking import ranked
from nbtune.record.ties import SIGN, ties
from nbtune.views.figures.marks import LEFT_OUT, ORDER
from nbtune.views.figures.palette import shade_of
from nbtune.views.figures.scale import limits
from nbtune.views.words import MISSING, score_text, short_score, short_spread, varying

Names = tuple[str, ...]
Values = tuple[Value | None, ...]

MOST_FACETS, MOST_PLACES = 24, 5000
_BY_WEIGHT = (RUNNING, DONE, FAILED, DIVERGED, STOPPED, PENDING)


@dataclass(frozen=True)
class Side:
    """A hyperparameter along a side and its values, in drawing order (left to right, bottom to top)."""

    name: str
    values: tuple[str, ...]


class Place(NamedTuple):
    """One place on the map, as in `Cell`."""

    column: int
    row: int
    facet: int


@dataclass(frozen=True)
class Cell:
    """One place on the map.

    Attributes:
        column, row: places on the x and the y side, from 0.
        facet: which small multiple, an index into `GridInfo.facets`.
        status: the trial's; of several trials the liveliest one's.
        score: the trial's; of several trials the best one's.
        best: whether the best trial of all is here.
        trial: the id of the trial that is shown: the best, else the liveliest one.
        trials: how many trials share this place.
        std: the score's spread over the seeds and folds; None with a single run.
        tie: whether the score cannot be told from the best one.
        provisional: whether the score may still change: its trial is under way, or was stopped before its end.
    """

    column: int
    row: int
    facet: int
    status: str
    score: float | None
    best: bool
    trial: str
    trials: int
    std: float | None = None
    tie: bool = False
    provisional: bool = False

    @property
    def text(self) -> str:
        """The score, as it stands in the cell."""
        return "" if self.score is None else f"{SIGN * self.tie}{short_score(self.score)}"

    @property
    def spread(self) -> str:
        return "" if self.score is None or self.std is None else short_spread(self.score, self.std)

    def says(self, objective: str) -> str:
        """In words: `running, val_accuracy 0.9700 so far`."""
        if self.score is None:
            return self.status
        spread = "" if self.std is None else f" ± {score_text(self.std)}"
        more = " so far" if self.provisional else ""
        return f"{self.status}, {objective} {SIGN + ' ' if self.tie else ''}{score_text(self.score)}{spread}{more}"


@dataclass(frozen=True)
class GridInfo:
    """What the map shows.

    Attributes:
        objective, direction: what the colour means, and which end is better.
        x, y: the sides; a grid of one axis has a `y` without a name and with one value.
        facet_names: the hyperparameters that the small multiples stand for.
        facets: their values, one tuple a small multiple, only the combinations that exist.
        over: hyperparameters that have no place: each cell shows the best over them.
        cells: the places that exist.
        limits: the scores at the ends of the colour scale.
        clipped: whether some scores lie beyond the worse end.
        counts: status to how many trials.
        baseline: the score of a constant answer; None where it does not matter.
        left_out: places whose combinations `--where` or `--sample` leaves out.
        coverage: how many they are, in words.
    """

    objective: str
    direction: str
    x: Side
    y: Side
    facet_names: tuple[str, ...]
    facets: tuple[tuple[str, ...], ...]
    over: tuple[str, ...]
    cells: tuple[Cell, ...]
    limits: tuple[float, float]
    clipped: bool
    counts: Mapping[str, int]
    baseline: float | None = None
    left_out: tuple[Place, ...] = ()
    coverage: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.objective} by {' and '.join(side.name for side in (self.x, self.y) if side.name)}"

    @property
    def note(self) -> str:
        """What a place or a small multiple stands for, where that is not plain to see."""
        if len(self.facet_names) > 2:
            return f"each map: {' · '.join(self.facet_names)}"
        return f"each cell: the best over {', '.join(self.over)}" if self.over else ""

    @property
    def ends(self) -> tuple[str, str]:
        """What stands at the better and at the worse end of the colour scale; the worse may stand for what lies beyond."""
        low, high = self.limits
        if not any(cell.score is not None for cell in self.cells):
            return "", ""
        worse, better = (low, high) if self.direction == "max" else (high, low)
        beyond = {"max": "≤ ", "min": "≥ "}[self.direction] if self.clipped else ""
        return score_text(better), "" if low == high else beyond + score_text(worse)

    @property
    def baseline_share(self) -> float | None:
        """How far up the colour scale it lies, from 0 to 1."""
        low, high = self.limits
        return None if self.baseline is None or not self.ends[0] or low == high else (self.baseline - low) / (high - low)

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Each status that occurs, and how often in words."""
        return self._legend(self.counts)

    @property
    def legend_if_gone(self) -> list[tuple[str, str]]:
        """The same where nothing is under way any more, since the kernel is gone: what was is stopped."""
        stopped = self.counts.get(RUNNING, 0) + self.counts.get(STOPPED, 0)
        return self._legend({**self.counts, RUNNING: 0, STOPPED: stopped})

    def _legend(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        counted = [(status, f"{counts[status]:,} {status}") for status in ORDER if counts.get(status)]
        return [*counted, *((LEFT_OUT, text) for text in self.coverage)]

    def shade(self, cell: Cell) -> int | None:
        """The place of its score in the palette."""
        if cell.score is None:
            return None
        low, high = self.limits
        share = (cell.score - low) / (high - low) if high > low else 1.0
        return shade_of(share if self.direction == "max" or high == low else 1 - share)


@dataclass(frozen=True)
class Template:
    """What of the map follows from the grid alone, and so stays for the length of a search.

    `shared` leads from (column, row, facet) to the places of its trials in grid order; the rest is as in `GridInfo`.
    """

    x: Side
    y: Side
    facet_names: Names
    facets: tuple[tuple[str, ...], ...]
    over: Names
    shared: Mapping[tuple[int, ...], Sequence[int]]

    @property
    def free(self) -> tuple[Place, ...]:
        """The places without a trial; none where they are too many to be seen."""
        size = len(self.x.values) * len(self.y.values) * len(self.facets)
        if size > MOST_PLACES or size == len(self.shared):
            return ()
        places = itertools.product(range(len(self.x.values)), range(len(self.y.values)), range(len(self.facets)))
        return tuple(Place(*at) for at in places if at not in self.shared)


def grid_template(trials: Sequence[Trial]) -> Template:
    values = {name: ordered(trials, name) for name in varying(trials)}
    x, y, rest = _sides(values)
    facets = tuple(dict.fromkeys(_place(trial, rest) for trial in trials))
    over: Names = ()
    if len(facets) > MOST_FACETS:
        rest, over, facets = (), rest, ((),)
    index = [{place: i for i, place in enumerate(places)} for places in (_along(x, values), _along(y, values), facets)]
    shared: dict[tuple[int, ...], list[int]] = {}
    for i, trial in enumerate(trials):
        at = tuple(found[_place(trial, names)] for found, names in zip(index, (x, y, rest), strict=True))
        shared.setdefault(at, []).append(i)
    texts = tuple(tuple(map(text, facet)) for facet in facets)
    return Template(_side(x, values), _side(y, values), rest, texts, over, shared)


def grid_info(progress: Progress, template: Template | None = None) -> GridInfo:
    """`template`: that of this grid, if it is known already."""
    trials, best = progress.trials, progress.best_so_far
    template = template or grid_template(trials)
    tied = ties(progress)
    cells = tuple(_cell(at, [trials[i] for i in here], best, tied, progress.objective) for at, here in template.shared.items())
    scores = [cell.score for cell in cells if cell.score is not None]
    low, high = limits(scores, progress.objective)
    baseline = progress.baseline and progress.baseline[0]
    if baseline and scores:
        low, high = min(low, baseline), max(high, baseline)
    return GridInfo(
        progress.objective.name,
        progress.objective.direction,
        template.x,
        template.y,
        template.facet_names,
        template.facets,
        template.over,
        cells,
        (low, high),
        any(not low <= score <= high for score in scores),
        Counter(trial.status for trial in trials),
        baseline,
        *_left_out(progress, template),
    )


def _left_out(progress: Progress, template: Template) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """Places that are free because their combinations are left out, and how many combinations are, in words."""
    cover = progress.coverage
    counts = ((cover.excluded, "excluded"), (cover.unsampled, "not sampled"))
    texts = tuple(f"{count:,} {what}" for count, what in counts if count)
    return (template.free if texts else ()), texts


def _sides(values: Mapping[str, Values]) -> tuple[Names, Names, Names]:
    """The names along x, along y (one or none) and the rest: long axes of numbers make good sides, others less so."""
    ranked = sorted(values, key=lambda name: -len(values[name]) / (1 if _are_numbers(values[name]) else 2))
    pair = ranked[:2]
    if len(pair) == 2 and len(values[pair[0]]) == len(values[pair[1]]):
        pair.reverse()  # of two equals the first in grid order goes up
    if len(pair) == 2 and not _are_numbers(values[pair[0]]) and _longest(values[pair[0]]) > _longest(values[pair[1]]):
        pair.reverse()  # words need the room at the left
    return tuple(pair[:1]), tuple(pair[1:]), tuple(name for name in values if name not in pair)


def _longest(values: Values) -> int:
    return max(len(text(value)) for value in values)


def _along(names: Names, values: Mapping[str, Values]) -> list[tuple[Value | None, ...]]:
    return [(value,) for value in values[names[0]]] if names else [()]


def _place(trial: Trial, names: Names) -> tuple[Value | None, ...]:
    return tuple(trial.values.get(name) for name in names)


def _side(names: Names, values: Mapping[str, Values]) -> Side:
    if not names:
        return Side("", ("",))
    texts = tuple(map(text, values[names[0]]))
    brief = tuple(f"{value:.3g}" if isinstance(value, float) else text(value) for value in values[names[0]])
    return Side(names[0], brief if len(set(brief)) == len(set(texts)) else texts)


def _cell(at: tuple[int, ...], trials: list[Trial], best: Trial | None, tied: Collection[str], objective: Objective) -> Cell:
    column, row, facet = at
    liveliest = min(trials, key=lambda trial: _BY_WEIGHT.index(trial.status))
    shown = next(iter(ranked(trials, objective)), liveliest)
    is_best, tie = best in trials, shown.id in tied
    place = (column, row, facet, liveliest.status, shown.score, is_best, shown.id, len(trials))
    return Cell(*place, shown.std, tie, shown.provisional)


def ordered(trials: Sequence[Trial], name: str) -> Values:
    """An axis's values: numbers by size, anything else in grid order, a missing value last."""
    found = dict.fromkeys(trial.values.get(name) for trial in trials)
    known = [value for value in found if value is not None]
    if _are_numbers(known):
        known.sort()
    return (*known, *([None] if None in found else []))


def _are_numbers(values: Sequence[Value | None]) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def text(value: Value | None) -> str:
    """A value, or a dash for none."""
    return MISSING if value is None else show(value)
