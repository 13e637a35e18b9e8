"""How much of the score's variance each hyperparameter accounts for: the functional ANOVA of the grid.

A grid that is complete gives it exactly, by sums of squares (Hutter, Hoos and Leyton-Brown 2014, section 3, who estimate the
same with a forest). Where combinations have no score a random forest predicts those, and the picture says how many.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nbtune.errors import UsageError
from nbtune.record.progress import Progress
from nbtune.views.figures import ink
from nbtune.views.figures.gridinfo import ordered
from nbtune.views.words import plural, shorten, varying

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

MOST_CELLS = 200_000
MOST_BARS = 12
OTHERS, NOISE = "three or more together", "seeds"
NOISES = (NOISE, "folds", "folds and seeds")


@dataclass(frozen=True)
class Share:
    """A part of the variance of all scores: of one hyperparameter, of a pair beyond what both do alone, or of the runs."""

    names: tuple[str, ...]
    share: float

    @property
    def label(self) -> str:
        return " × ".join(self.names)


@dataclass(frozen=True)
class ImportanceInfo:
    """The shares, the largest first; they add up to 1.

    Attributes:
        objective: what was scored.
        shares: of each hyperparameter and pair; then those named `OTHERS` and, with repeats or folds, one of `NOISES`.
        scored: combinations with a score.
        predicted: combinations without one, whose score a random forest stands in for; 0 where the shares are exact.
    """

    objective: str
    shares: tuple[Share, ...]
    scored: int
    predicted: int


def importance_info(progress: Progress) -> ImportanceInfo:
    """Raises UsageError where there is nothing to share out: one hyperparameter value, no scores, or scores all equal."""
    scored = [trial for trial in progress.trials if trial.score is not None]
    if len(scored) < 2:
        raise UsageError(f"importance needs at least two trials with a score; there {'is one' if scored else 'are none'} so far")
    names = varying(progress.trials)
    axes = {name: ordered(progress.trials, name) for name in names}
    if math.prod(map(len, axes.values())) > MOST_CELLS:
        raise UsageError(f"importance takes grids of at most {MOST_CELLS:,} combinations")
    places = [tuple(axes[name].index(trial.values.get(name)) for name in names) for trial in scored]
    runs = [trial.scores or (trial.score or 0.0,) for trial in scored]
    grid, predicted = _completed(places, [float(np.mean(r)) for r in runs], tuple(map(len, axes.values())))
    shares = {subset: float(np.var(effect)) for subset, effect in _effects(grid).items()}
    noise = float(np.mean([np.var(r) for r in runs]))
    total = float(np.var(grid)) + noise
    if not total > 0:
        raise UsageError("all scores are equal, so no hyperparameter makes a difference")
    found = [Share(tuple(names[i] for i in subset), value / total) for subset, value in shares.items()]
    found.sort(key=lambda share: -share.share)
    rest = max(1 - noise / total - sum(share.share for share in found), 0.0)
    more = [Share((OTHERS,), rest)] * (len(names) > 2)
    more += [Share((_noise(progress),), noise / total)] * any(len(r) > 1 for r in runs)
    return ImportanceInfo(progress.objective.name, (*found, *more), len(scored), predicted)


def _noise(progress: Progress) -> str:
    """What differs between the runs of a combination."""
    folds = progress.held_out.folds
    return NOISES[0 if not folds else 1 if folds == progress.runs else 2]


def _completed(places: Sequence[tuple[int, ...]], scores: Sequence[float], shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
    """Each combination's score in an array with an axis a hyperparameter, and how many of them are predicted."""
    grid = np.full(shape, np.nan)
    grid[tuple(np.transpose(places))] = scores
    missing = np.argwhere(np.isnan(grid))
    if len(missing):
        from sklearn.ensemble import RandomForestRegressor  # a second, and only needed here

        forest = RandomForestRegressor(200, random_state=0).fit(places, scores)
        grid[tuple(missing.T)] = forest.predict(missing)
    return grid, len(missing)


def _effects(grid: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
    """The effect of each axis and of each pair of axes: the mean over all others, without what lower effects explain."""
    every = range(grid.ndim)
    found: dict[tuple[int, ...], np.ndarray] = {(): grid.mean(keepdims=True)}
    for subset in itertools.chain(itertools.combinations(every, 1), itertools.combinations(every, 2)):
        mean = grid.mean(axis=tuple(i for i in every if i not in subset), keepdims=True)
        lower = [effect for other, effect in found.items() if set(other) < set(subset)]
        found[subset] = mean - sum(lower)
    del found[()]
    return found


def draw_importance(info: ImportanceInfo, figure: Figure | SubFigure) -> None:
    """Draws on an empty figure or subfigure."""
    width, height = ink.size(figure)
    sheet = ink.sheet(figure)
    ink.write(sheet, 12, height - 15, f"What makes a difference to {info.objective}", ink.TITLE, weight="bold")
    shown = info.shares[:MOST_BARS]
    left, foot = min(width * 0.45, max(ink.text_width(s.label, ink.BODY) for s in shown) + 22), 46.0
    step = min((height - foot - 30) / len(shown), 26.0)
    room = width - left - 60
    for i, share in enumerate(shown):
        y = height - 34 - step * (i + 1) + step / 2
        label = shorten(share.label, ink.fitting(left - 20, ink.BODY))
        ink.write(sheet, left - 8, y, label, ha="right", va="center")
        color = ink.BEST[0] if len(share.names) == 1 and share.names[0] not in (OTHERS, *NOISES) else ink.DOT
        sheet.barh([y], [room * share.share], step * 0.6, left, color=color)
        ink.write(sheet, left + room * share.share + 5, y, _percent(share.share), ink.SMALL, ink.QUIET, va="center")
    ink.write(sheet, 12, 24, caption(info), ink.SMALL, ink.QUIET)
    ink.write(sheet, 12, 12, "× : what a pair does together, beyond what each does alone", ink.SMALL, ink.QUIET)


def _percent(share: float) -> str:
    return "< 1%" if 0 < share < 0.005 else f"{share:.0%}"


def caption(info: ImportanceInfo) -> str:
    """What the bars are, in a line."""
    basis = f"Share of the variance of the scores, over {plural(info.scored, 'combination')}"
    return basis + (f"; {info.predicted:,} without a score predicted by a random forest" if info.predicted else ", exact")
