"""The labels of all outputs of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbtune.ask import names
from nbtune.ask.labels import CLASSES, MULTI_LABEL, NUMBERS, ONE_HOT, OTHER, Labels
from nbtune.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Output:
    """One output of a model.

    Attributes:
        name: as Keras calls it.
        shape: of what a row becomes, without the rows.
        loss: Keras's name of the loss that the function compiled for it; None where it compiled none, or one of its own.
    """

    name: str
    shape: tuple[int | None, ...]
    loss: str | None = None

    @property
    def units(self) -> int:
        return int(self.shape[-1] or 1) if self.shape else 1

    def own(self, metric: str) -> str:
        """`accuracy` of `digit_accuracy` where that is this output's; empty where it is not."""
        return metric.removeprefix(f"{self.name}_") if metric.startswith(f"{self.name}_") else ""


@dataclass(frozen=True)
class Targets:
    """The labels for each of a model's outputs, None where only the function itself knows what becomes of an output."""

    outputs: tuple[Output, ...]
    labels: tuple[Labels | None, ...]
    known: bool = True  # nbtune knows each of the losses, and so what the labels are

    @classmethod
    def of(cls, y: Any, outputs: Sequence[Output], losses: Sequence[str], compiled: bool) -> Targets:
        """Holds the labels against the outputs and the losses, as far as that is nbtune's to judge.

        Args:
            losses: the `--loss` axis; empty without one.
            compiled: the function has compiled its model.

        Raises:
            UsageError: labels and outputs, or labels and losses, that do not go together.
        """
        if compiled and not losses:
            return cls._of_compiled(y, outputs)
        if y is None:
            raise UsageError(
                "there are no labels, and the function compiles no loss that does without; give features and labels: --data x,y"
            )
        if losses and len(outputs) > 1:
            raise UsageError(f"a loss axis is for one output, and the model has {len(outputs)}; compile it in the function")
        parts = _matched(y, outputs)
        found = [Labels.of(part, losses, output.shape) for part, output in zip(parts, outputs, strict=True)]
        return cls(tuple(outputs), tuple(found))

    @classmethod
    def _of_compiled(cls, y: Any, outputs: Sequence[Output]) -> Targets:
        """The losses are the function's: of labels in one dimension is known what Keras would say, or worse, not say."""
        nested = isinstance(y, (Mapping, list, tuple))
        has_all = isinstance(y, Mapping) and {output.name for output in outputs} <= set(y)
        each_has_a_loss = len(outputs) > 1 and y is not None and all(output.loss for output in outputs)
        if (len(outputs) == 1 and nested and len(y) > 1) or (each_has_a_loss and not has_all):
            _matched(y, outputs)
        if len(outputs) > 1 or y is None or nested:
            return cls(tuple(outputs), (None,) * len(outputs), known=False)
        (output,) = outputs
        is_plain = y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)
        if output.loss and is_plain and len(output.shape) < 2:
            labels = Labels.of(y, [output.loss], output.shape)
            return cls((output,), (labels,), known=labels.form != NUMBERS or output.loss not in names.MARGIN_LOSSES)
        labels = Labels.read(y, [output.loss] if output.loss else [], output.shape)
        fits = labels.form != OTHER and bool(output.loss)
        return cls((output,), (labels,), known=fits)

    @property
    def single(self) -> Labels | None:
        """The labels of the only output."""
        return self.labels[0] if len(self.labels) == 1 else None

    def check_class_weights(self) -> None:
        """Raises UsageError where rows have no single class that could weigh something."""
        if len(self.outputs) > 1:
            raise UsageError(
                f"class weights are for a single output, in Keras too, and the model has {len(self.outputs)}; weigh the rows "
                "for each of them: --data x,y,w"
            )
        labels = self.single
        if labels is None or labels.spread or labels.form not in (CLASSES, ONE_HOT):
            raise UsageError("class weights are for labels with one class a row; give weights of the rows: --data x,y,w")

    def strata(self, y: Any) -> np.ndarray | None:
        """One class a row to stratify a split by, `(n,)`: of the first output whose rows have one."""
        return self._stratified(y)[1]

    def split_in_words(self, y: Any) -> str:
        """What the split does with these labels."""
        name, strata = self._stratified(y)
        return f"stratified by {name}" if strata is not None else "drawn at random"

    def _stratified(self, y: Any) -> tuple[str, np.ndarray | None]:
        for output, labels, part in zip(self.outputs, self.labels, _listed(y, self.outputs), strict=False):
            found = labels.strata(part) if labels else None
            if labels is not None and found is not None:
                name = "the rarest label of each row" if labels.form == MULTI_LABEL else "class"
                return f"{name} of {output.name}" if len(self.outputs) > 1 else name, found
        return "", None


def _listed(y: Any, outputs: Sequence[Output]) -> list[Any]:
    if isinstance(y, Mapping):
        return [y.get(output.name) for output in outputs]
    return list(y) if isinstance(y, (list, tuple)) else [y]


def _matched(y: Any, outputs: Sequence[Output]) -> list[np.ndarray]:
    """The labels for each output.

    Raises:
        UsageError: not one for each.
    """
    own = [output.name for output in outputs]
    said = f"the model has {len(own)} output{'s' * (len(own) > 1)}" + (f" ({', '.join(own)})" if len(own) > 1 else "")
    if isinstance(y, Mapping):
        if set(y) != set(own):
            odd = next((name for name in y if name not in own), "")
            raise UsageError(f"{said} and y is for {', '.join(map(str, y))}{did_you_mean(odd, own) if odd else ''}")
    elif isinstance(y, (list, tuple)):
        if len(y) != len(own):
            raise UsageError(f"{said} and y has {len(y)} parts; give one array for each output")
    elif len(own) > 1:
        raise UsageError(f"{said} and y is one array; give one for each output, as a list or a dict by their names")
    return _listed(y, outputs)
