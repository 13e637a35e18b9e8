"""What the winner answers for the validation rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Predicted:
    """The validation rows with their labels and the answers of a model with one output.

    Attributes:
        label: the values of the model's combination.
        x: features, `(rows, ...)`; None where they are several arrays.
        y: labels: of classes their numbers, `(rows,)`, else `(rows, targets)`.
        output: what the model puts out, `(rows, units)`.
        classes: how many there are; 0 where labels are numbers.
        names: of the classes, where the labels were text.
        logits: the output is what a softmax or sigmoid would be applied to.
    """

    label: str
    x: np.ndarray | None
    y: np.ndarray
    output: np.ndarray
    classes: int = 0
    names: tuple[str, ...] | None = None
    logits: bool = False

    @property
    def shares(self) -> np.ndarray:
        """How sure the model is of each class, `(rows, classes)`; each row adds up to 1."""
        import numpy as np

        if self.output.shape[1] == 1:
            one = 1 / (1 + np.exp(-self.output)) if self.logits else np.clip(self.output, 0, 1)
            return np.concatenate([1 - one, one], axis=1)
        if self.logits:
            powers = np.exp(self.output - self.output.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)
        total = self.output.sum(axis=1, keepdims=True)
        return self.output / np.where(total > 0, total, 1)

    @property
    def answers(self) -> np.ndarray:
        """The class that the model gives each row, `(rows,)`."""
        return self.shares.argmax(axis=1)

    def name(self, number: int) -> str:
        return self.names[number] if self.names and number < len(self.names) else str(number)
