"""How far the winner's numbers are from the true ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtune.errors import UsageError
from nbtune.record.predicted import Predicted
from nbtune.views.figures import ink
from nbtune.views.figures.confusion import headed
from nbtune.views.words import score_text

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_TARGETS = 4


@dataclass(frozen=True)
class Target:
    """One number of a row: what it is and what the model says, `(rows,)`; the mean absolute error and R²."""

    name: str
    truth: np.ndarray
    says: np.ndarray
    error: float
    r2: float

    @property
    def residuals(self) -> np.ndarray:
        """What is true, less what the model says, `(rows,)`."""
        return self.truth - self.says

    @property
    def sentence(self) -> str:
        name = f"{self.name}: " if self.name else ""
        return f"{name}mean absolute error {score_text(self.error)}, R² {self.r2:.3f}"


@dataclass(frozen=True)
class ResidualsInfo:
    label: str
    targets: tuple[Target, ...]


def residuals_info(predicted: Predicted) -> ResidualsInfo:
    """Raises UsageError where labels are classes."""
    from sklearn.metrics import mean_absolute_error, r2_score

    if predicted.classes:
        raise UsageError('plot("residuals") is for labels that are numbers; for classes there is plot("confusion")')
    rows = len(predicted.y)
    truth, says = predicted.y.reshape(rows, -1), predicted.output.reshape(rows, -1)
    targets = []
    for i in range(min(truth.shape[1], MOST_TARGETS)):
        a, b = truth[:, i].astype(float), says[:, i].astype(float)
        r2 = float(r2_score(a, b)) if rows > 1 else float("nan")
        targets.append(Target(f"target {i}" if truth.shape[1] > 1 else "", a, b, float(mean_absolute_error(a, b)), r2))
    return ResidualsInfo(predicted.label, tuple(targets))


def draw_residuals(info: ResidualsInfo, figure: Figure) -> None:
    """For each target what the model says beside what is true, and what is left over."""
    lines = len(info.targets)
    figure.set_size_inches(7.6, 3.4 * lines + 0.5)
    headed(figure, "; ".join(target.sentence for target in info.targets[:2]), info.label)
    for i, target in enumerate(info.targets):
        bottom = (3.4 * (lines - 1 - i) + 0.55) / (3.4 * lines + 0.5)
        height = 2.6 / (3.4 * lines + 0.5)
        left, right = (figure.add_axes((x, bottom, 0.38, height)) for x in (0.1, 0.59))
        low, high = (f(float(f(target.truth)), float(f(target.says))) for f in (min, max))
        left.plot([low, high], [low, high], color=ink.QUIET, linewidth=0.8, linestyle="--", marker="")
        left.scatter(target.truth, target.says, s=9, color=ink.BEST[0], alpha=0.6, linewidths=0)
        right.axhline(0, color=ink.QUIET, linewidth=0.8, linestyle="--")
        right.scatter(target.says, target.residuals, s=9, color=ink.BEST[0], alpha=0.6, linewidths=0)
        _style(left, f"{target.name or 'y'}, true", "what the model says")
        _style(right, "what the model says", "true less said")


def _style(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=ink.SMALL, color=ink.QUIET, family=ink.FONT)
    axes.set_ylabel(y, fontsize=ink.SMALL, color=ink.QUIET, family=ink.FONT)
    axes.set_facecolor(ink.WHITE)
    axes.tick_params(colors=ink.QUIET, labelsize=ink.SMALL, length=2, labelfontfamily=ink.FONT)
    axes.grid(True, color=ink.GRID, linewidth=0.6, linestyle="-")
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(ink.FAINT)
