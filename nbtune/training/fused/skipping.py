"""Networks of several depths in one stack: a trial passes over the layers that it does not have.

A loop makes hidden layers in a row that are alike but for their widths. A network with fewer of them is one with more, in
which what the first ones put out goes on to behind the row. So the trials of a stack are in the order of their depths, the
deepest first, and each layer's weights are those of the first trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbtune.training.fused import padding
from nbtune.training.fused.spec import Recipe


def places(recipe: Recipe, frame: Recipe) -> list[int]:
    """Which of the frame's weights the trial has."""
    others = {id(weight) for layer in _passed_over(recipe, frame) for weight in layer.trainable_variables}
    return [i for i, weight in enumerate(frame.model.trainable_variables) if id(weight) not in others]


def passed_over(frame: Recipe, stack: Sequence[Recipe]) -> frozenset[str]:
    """The names of the frame's layers that some of the trials do not have."""
    return frozenset(layer.name for layer in _passed_over(min(stack, key=lambda recipe: recipe.depth), frame))


def counts(frame: Recipe, stack: Sequence[Recipe]) -> list[int]:
    """How many of the trials have each of the frame's weights."""
    found = [0] * len(frame.weights)
    for recipe in stack:
        for place in places(recipe, frame):
            found[place] += 1
    return found


def blocks(frame: Recipe, stack: Sequence[Recipe]) -> list[list[int]]:
    """The frame's weights by which of the trials have them."""
    found: dict[int, list[int]] = {}
    for place, count in enumerate(counts(frame, stack)):
        found.setdefault(count, []).append(place)
    return list(found.values())


def fits(recipe: Recipe, frame: Recipe) -> bool:
    """Whether a trial can be trained as one of the frame's, which is nowhere narrower."""
    wide = [frame.weights[place].shape for place in places(recipe, frame)] + [other.shape for other in frame.others]
    keep_the_width = all(len(set(layer.kernel.shape)) == 1 for layer in _passed_over(recipe, frame))
    return keep_the_width and padding.fits(recipe.shapes, wide)


def _passed_over(recipe: Recipe, frame: Recipe) -> list[Any]:
    return frame.row[recipe.depth :]
