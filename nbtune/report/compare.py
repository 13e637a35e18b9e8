"""`nbtune.compare`: two searches side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtune.ask.objective import Objective
from nbtune.ask.space import Value
from nbtune.errors import UsageError
from nbtune.record.progress import Progress, Trial, show
from nbtune.views.words import measured, plural

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure, SubFigure

LEAST = 6  # pairs that a signed-rank test needs before it can find anything at the 5 % level


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two searches of the same objective.

    Attributes:
        names: of the two searches.
        objective: what ranks both.
        best: each one's best trial; None where it has no score.
        pairs: the combinations that both have a score for: the values that both share, and both scores.
        p: Wilcoxon's signed-rank test of the pairs' differences, two-sided; None with fewer than 6 pairs that differ. Where
            the two searches drew their rows or seeds alike, the pairs share that chance.
    """

    names: tuple[str, str]
    objective: Objective
    best: tuple[Trial | None, Trial | None]
    pairs: tuple[tuple[Mapping[str, Value | None], float, float], ...]
    p: float | None

    @property
    def wins(self) -> tuple[int, int]:
        """In how many pairs the first and the second score better."""
        sign = 1 if self.objective.direction == "max" else -1
        gains = [sign * (two - one) for _, one, two in self.pairs]
        return sum(gain < 0 for gain in gains), sum(gain > 0 for gain in gains)

    def to_frame(self) -> pandas.DataFrame:
        """A row a pair: its values, both scores and their difference, the second minus the first."""
        import pandas

        one, two = self.names if self.names[0] != self.names[1] else (f"{self.names[0]} 1", f"{self.names[1]} 2")
        return pandas.DataFrame([{**values, one: a, two: b, "difference": b - a} for values, a, b in self.pairs])

    def plot(self) -> Figure:
        """The pairs as points, the first search's score along x and the second's along y; off the diagonal they differ."""
        from nbtune.views.figures.plots import new_figure

        figure = new_figure(4.4, 4.4)
        self._draw(figure)
        return figure

    def _draw(self, figure: Figure | SubFigure) -> None:
        axes = figure.add_subplot()
        scores = [score for _, *both in self.pairs for score in both] or [0.0, 1.0]
        axes.plot([min(scores), max(scores)], [min(scores), max(scores)], color="#c9c9c9", linewidth=1, linestyle="-", marker="")
        axes.plot([a for _, a, _ in self.pairs], [b for _, _, b in self.pairs], "o", color="#0072b2", markersize=4, alpha=0.7)
        axes.set(xlabel=f"{self.objective.name}, {self.names[0]}", ylabel=f"{self.objective.name}, {self.names[1]}")

    def __str__(self) -> str:
        lines = [f"{name}: {_told(best)}" for name, best in zip(self.names, self.best, strict=True)]
        if not self.pairs:
            return "\n".join([*lines, "No combination has a score in both."])
        first, second = self.wins
        chance = "" if self.p is None else f"; Wilcoxon's signed-rank test: p = {self.p:.2g}"
        both = (
            f"{plural(len(self.pairs), 'combination')} in both: {self.names[0]} is better in {first}, {self.names[1]} in {second}"
        )
        return "\n".join([*lines, both + chance])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>{self.to_frame().to_html(index=False, max_rows=20)}"


def comparison(names: tuple[str, str], one: Progress, two: Progress) -> Comparison:
    """Raises UsageError for searches of different objectives."""
    if one.objective != two.objective:
        raise UsageError(f"compare takes searches of one objective, not {one.objective.name} and {two.objective.name}")
    shared = [name for name in _hyperparameters(one) if name in _hyperparameters(two)]
    first, second = _by_values(one, shared), _by_values(two, shared)
    pairs = tuple((dict(zip(shared, key, strict=True)), first[key], second[key]) for key in first if key in second)
    differences = [b - a for _, a, b in pairs if a != b]
    p = None
    if len(differences) >= LEAST:
        from scipy.stats import wilcoxon  # half a second, and only needed here

        p = float(wilcoxon(differences).pvalue)
    return Comparison(names, one.objective, (one.best, two.best), pairs, p)


def _hyperparameters(progress: Progress) -> list[str]:
    return list(dict.fromkeys(name for trial in progress.trials for name in trial.values))


def _by_values(progress: Progress, names: list[str]) -> dict[tuple[Value | None, ...], float]:
    """The best score at each combination of these hyperparameters' values, in grid order."""
    found: dict[tuple[Value | None, ...], float] = {}
    better = max if progress.objective.direction == "max" else min
    for trial in progress.trials:
        if trial.score is not None:
            key = tuple(trial.values.get(name) for name in names)
            found[key] = better(found.get(key, trial.score), trial.score)
    return found


def _told(best: Trial | None) -> str:
    if best is None:
        return "no score yet"
    values = ", ".join(f"{name} {show(value)}" for name, value in best.values.items())
    return f"best {measured(best)}" + (f" ({values})" if values else "")
