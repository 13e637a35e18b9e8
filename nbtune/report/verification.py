"""`Search.verify`: a trial's history beside that of plain `model.fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from nbtune.ask.objective import Objective
from nbtune.views.words import plural

History = Mapping[str, Sequence[float]]


@dataclass(frozen=True, repr=False)
class Verification:
    """One combination, trained in the search and once more by plain `model.fit`.

    Attributes:
        label: its values.
        search, model_fit: each one's history, metric to its values.
        objective: knows in which epochs they were measured.
    """

    label: str
    search: History
    model_fit: History
    objective: Objective = Objective("val_loss", "min")

    @property
    def difference(self) -> float:
        """The largest difference between two values of an epoch, relative to that of `model.fit`; infinite if epochs differ."""
        if {name: len(values) for name, values in self.search.items()} != {n: len(v) for n, v in self.model_fit.items()}:
            return float("inf")
        pairs = [pair for name, values in self.model_fit.items() for pair in zip(self.search[name], values, strict=True)]
        return max((0.0 if a == b else abs(a - b) / max(abs(b), 1e-12) for a, b in pairs), default=0.0)

    def _rows(self) -> list[list[str]]:
        names = list(self.model_fit)
        head = ["epoch", *(f"{name}{by}" for name in names for by in ("", ", model.fit"))]
        epochs = max((len(values) for values in [*self.search.values(), *self.model_fit.values()]), default=0)
        sides = [(name, side) for name in names for side in (self.search, self.model_fit)]
        values = [[self.objective.at(epoch, *side) for side in sides] for epoch in range(1, epochs + 1)]
        return [head, *([str(i), *("" if v is None else f"{v:.7g}" for v in row)] for i, row in enumerate(values, 1))]

    def _sentence(self) -> str:
        epochs = plural(max(map(len, self.search.values()), default=0), "epoch")
        return f"{self.label}: {epochs}; largest relative difference from model.fit: {self.difference:.1e}"

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([self._sentence(), *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rows = ["".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) for tag, row in self._tagged()]
        return f"<p>{escape(self._sentence())}</p><table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"

    def _tagged(self) -> list[tuple[str, list[str]]]:
        return [("td" if i else "th", row) for i, row in enumerate(self._rows())]
