"""Which trials of one architecture share a stack, and which of them is its template."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from nbtune.training.fused import dense, skipping
from nbtune.training.fused.assembly import assemble
from nbtune.training.fused.spec import TrialSpec


def with_templates(stack: Sequence[TrialSpec]) -> list[tuple[TrialSpec, list[TrialSpec]]]:
    """The trials in stacks, each with its template: the trial whose model is deep and wide enough for all; it stands first."""
    template, *others = stack = sorted(stack, key=lambda spec: (-spec.depth, -spec.size))
    is_of_one_depth = template.depth == stack[-1].depth
    if all(skipping.is_covered(spec, template) for spec in others) and (is_of_one_depth or _can_skip(template, stack)):
        return [(template, stack)]
    if not is_of_one_depth:
        by_depth = [list(group) for _, group in itertools.groupby(stack, lambda spec: spec.depth)]
        return [pair for group in by_depth for pair in with_templates(group)]
    apart = [list(group) for _, group in itertools.groupby(sorted(stack, key=lambda spec: spec.shapes), lambda r: r.shapes)]
    return [(group[0], group) for group in apart]


def _can_skip(template: TrialSpec, stack: Sequence[TrialSpec]) -> bool:
    """Whether the stack's step lets trials skip layers."""
    return dense.can_train(assemble(template, stack)[0], template.output)
