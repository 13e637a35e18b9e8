"""Results → a table: was it trained together, how much faster than others, and how far from `model.fit`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.zoo.grids import ZOO

_COMPARED_EPOCHS = 10  # beyond, what is rounding can have grown: so it does between two machines
_HEAD = (
    "| | together | nbtune | × GridSearch | × trial engine "
    "| processor time: nbtune | × GridSearch | × trial engine | memory | apart |"
)
_LINE = "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"

Results = Mapping[str, Mapping[str, Any]]


def write(results: Results, path: Path, machine: str, versions: str) -> None:
    rows = [_row(name, results[name]) for name in ZOO if "seconds" in results.get(name, {}).get("auto", {})]
    means = [f"{mean:.1f}" if (mean := _mean(results, other)) else "" for other in ("keras_tuner", "trial")]
    dates = sorted({found["date"] for each in results.values() for found in each.values() if "date" in found})
    mean = f"Geometric mean: {means[0] or '?'} × GridSearch, {means[1] or '?'} × the trial engine with two workers."
    path.write_text("\n".join([_HEAD, _LINE, *rows, "", mean, "", f"{', '.join(dates)}; {machine}; {versions}.", ""]))


def apart(ours: Sequence[Mapping[str, list[float]]], theirs: Sequence[Mapping[str, list[float]]]) -> float:
    """The largest relative difference of a loss in the first epochs."""
    pairs = [
        (a, b)
        for own, other in zip(ours, theirs, strict=True)
        for name in other
        if name.endswith("loss")
        for a, b in zip(own[name][:_COMPARED_EPOCHS], other[name][:_COMPARED_EPOCHS], strict=False)
    ]
    return max(abs(a - b) / max(abs(b), 1e-12) for a, b in pairs)


def _row(name: str, found: Mapping[str, Any]) -> str:
    auto = found["auto"]
    together = "yes" if auto["stacked"] == 12 else f"{auto['stacked']} of 12: {auto['why']}"
    ratio = lambda other, what: f"{found[other][what] / auto[what]:.1f}" if what in found.get(other, {}) else ""  # noqa: E731
    far = f"{apart(auto['histories'], found['model_fit']['histories']):.0e}" if "histories" in found.get("model_fit", {}) else ""
    cells = [ZOO[name].title, together]
    for what in ("seconds", "cpu_seconds"):
        cells += [f"{auto[what]:.1f} s", ratio("keras_tuner", what), ratio("trial", what)]
    memory = f"{auto['peak_mb']:,.0f} MB"
    return f"| {' | '.join([*cells, memory, far])} |"


def _mean(results: Results, other: str) -> float | None:
    """Of the ratios in wall time."""
    ratios = [r[other]["seconds"] / r["auto"]["seconds"] for r in results.values() if _both(r, other)]
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None


def _both(found: Mapping[str, Any], other: str) -> bool:
    return all("seconds" in found.get(tool, {}) for tool in ("auto", other))
