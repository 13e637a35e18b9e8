"""Networks of several depths in one stack: a trial skips the layers that it does not have.

A loop makes hidden layers in a row that are alike but for their widths. A network with fewer of them is one with more, in
which what the first ones put out goes on to behind the row. So the trials of a stack are in the order of their depths, the
deepest first, and each layer's weights are those of the first trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbtune.training.fused import padding
from nbtune.training.fused.spec import TrialSpec


def places(spec: TrialSpec, template: TrialSpec) -> list[int]:
    """Which of the template's weights the trial has."""
    others = {id(weight) for layer in _skipped(spec, template) for weight in layer.trainable_variables}
    return [i for i, weight in enumerate(template.model.trainable_variables) if id(weight) not in others]


def skipped(template: TrialSpec, stack: Sequence[TrialSpec]) -> frozenset[str]:
    """The names of the template's layers that some of the trials do not have."""
    return frozenset(layer.name for layer in _skipped(min(stack, key=lambda spec: spec.depth), template))


def counts(template: TrialSpec, stack: Sequence[TrialSpec]) -> list[int]:
    """How many of the trials have each of the template's weights."""
    found = [0] * len(template.weights)
    for spec in stack:
        for place in places(spec, template):
            found[place] += 1
    return found


def blocks(template: TrialSpec, stack: Sequence[TrialSpec]) -> list[list[int]]:
    """The template's weights by which of the trials have them."""
    found: dict[int, list[int]] = {}
    for place, count in enumerate(counts(template, stack)):
        found.setdefault(count, []).append(place)
    return list(found.values())


def is_covered(spec: TrialSpec, template: TrialSpec) -> bool:
    """Whether a trial can be trained as one of the template's, which is nowhere narrower."""
    wide = [template.weights[place].shape for place in places(spec, template)] + [other.shape for other in template.others]
    keep_the_width = all(len(set(layer.kernel.shape)) == 1 for layer in _skipped(spec, template))
    return keep_the_width and padding.is_within(spec.shapes, wide)


def _skipped(spec: TrialSpec, template: TrialSpec) -> list[Any]:
    return template.row[spec.depth :]
