"""What a finished search does not say by itself: differences that are noise, best values at an edge, axes without effect."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbtune.ask.space import Value
from nbtune.record.progress import Progress, Trial, show
from nbtune.views.surface import OVER
from nbtune.views.words import hyperparameters

SAME = 1e-4  # relative: two histories of one network, trained in one stack or in two
MOST_EDGES = 3


@dataclass(frozen=True)
class Edge:
    """An axis whose best value is the smallest or the largest that was tried; `beyond` would be the next one."""

    name: str
    value: Value
    beyond: Value

    @property
    def largest(self) -> bool:
        return self.beyond > self.value  # type: ignore[operator]


def advice_of(progress: Progress) -> list[str]:
    """What looked like a mistake before the training, and once it is over what came to light; a sentence or two each."""
    if progress.state not in OVER:
        return list(progress.advice)
    found = [*without_effect(progress), within_chance(progress), about_edges(progress)]
    return [*progress.advice, *filter(None, found)]


def marked(advice: str) -> str:
    """As it stands among other lines."""
    return f"⚠ {advice}"


def within_chance(progress: Progress) -> str:
    """Where the first ranks differ by fewer rows than one standard error of the best accuracy, √(n p (1 - p)) rows of n."""
    rows, ranking = progress.held_out.rows, progress.ranking
    best = ranking[0].score if ranking else None
    if not rows or best is None or not progress.objective.is_accuracy or progress.runs > 1 or not 0 < best < 1:
        return ""
    apart = [round((best - (trial.score or 0.0)) * rows) for trial in ranking]
    chance = math.sqrt(rows * best * (1 - best))
    near = sum(1 for n in apart if n <= chance)
    if near < 2:
        return ""
    differ = f"differ by {apart[near - 1]:,} of {rows:,} rows" if apart[near - 1] else f"have the same score on {rows:,} rows"
    ranks = "1 and 2" if near == 2 else f"1 to {near}"
    return f"Ranks {ranks} {differ}, no more than chance (± {chance:.1f} rows); try --repeats 5 to tell them apart."


def edges(progress: Progress) -> list[Edge]:
    """For each axis of numbers whose best value lies at an end, strictly better than its neighbour."""
    best = progress.best
    if best is None or progress.state not in OVER:
        return []
    found = [edge for name in hyperparameters(progress.trials) if (edge := _edge(name, best, progress))]
    return found[:MOST_EDGES]


def _edge(name: str, best: Trial, progress: Progress) -> Edge | None:
    own = [trial.values[name] for trial in progress.trials if name in trial.values]
    if name not in best.values or any(isinstance(v, (bool, str)) or not isinstance(v, (int, float)) for v in own):
        return None
    values: list[float] = sorted(set(own))  # type: ignore[arg-type]
    if len(values) < 2 or best.values[name] not in (values[0], values[-1]):
        return None
    outwards = values if best.values[name] == values[-1] else values[::-1]
    before, last = outwards[-2:]
    neighbours = progress.ranked(t for t in progress.trials if t.values.get(name) == before and t.ended)
    if not neighbours or not progress.objective.is_better(best.score or 0.0, neighbours[0].score or 0.0):
        return None
    beyond = _beyond(outwards)
    return None if beyond is None else Edge(name, last, beyond)


def _beyond(values: Sequence[float]) -> float | None:
    """The next number of a row that goes outwards: times the last factor or plus the last step; None beyond what makes sense."""
    before, last = values[-2:]
    factor = last / before if before > 0 and last > 0 else 0.0
    steps = [b - a for a, b in itertools.pairwise(values)]
    even = len(steps) > 1 and max(steps) - min(steps) < 1e-9 * abs(last)
    by_factor = factor and not even and (factor >= 3 or factor <= 1 / 3 or min(before, last) >= 8)
    new = last * factor if by_factor else last + last - before
    if all(isinstance(value, int) for value in values):
        new = round(new)
        return new if new >= 1 and new != last else None
    if min(values) >= 0 and max(values) < 1 and new >= 1 and not by_factor:  # a share, as of dropout
        return None
    return float(f"{new:.3g}") if new > 0 else None


def about_edges(progress: Progress) -> str:
    """The edges in a sentence, with what to add."""
    found = edges(progress)
    if not found:
        return ""
    ends = [f"{e.name} {show(e.value)} (the {'largest' if e.largest else 'smallest'})" for e in found]
    more = ", ".join(f"{e.name} {show(e.beyond)}" for e in found)
    return f"The best value is at the edge of what was tried: {', '.join(ends)}. Better ones may lie beyond; add {more}."


def without_effect(progress: Progress) -> list[str]:
    """Axes along which nothing changes: each value has the same history, epoch by epoch, whatever the others are."""
    trials = [trial for trial in progress.trials if any(trial.history.get("loss", ()))]  # all 0: a fit of its own told none
    names = [name for name in hyperparameters(trials) if _changes_nothing(name, trials)]
    means = "makes no difference: each of its values trains the same network. Does the function use it?"
    return [f"{name} {means}" for name in names]


def _changes_nothing(name: str, trials: Sequence[Trial]) -> bool:
    groups: dict[tuple[object, ...], list[Trial]] = {}
    for trial in trials:
        if name in trial.values:
            others = tuple((key, str(value)) for key, value in trial.values.items() if key != name)
            groups.setdefault(others, []).append(trial)
    pairs = [(group[0].history, other.history) for group in groups.values() for other in group[1:]]
    return bool(pairs) and all(_same(*pair) for pair in pairs)


def _same(one: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]]) -> bool:
    a, b = one["loss"], other["loss"]
    return len(a) == len(b) and all(math.isclose(x, y, rel_tol=SAME) for x, y in zip(a, b, strict=True))
