"""A stack: trials of one architecture trained as one computation, with the numbers of `training.trial`.

`step` writes one batch of one trial as a pure function, `mapped` and `dense` make of it the step of a stack, `epoch` an epoch
of that, which `compilation` compiles and `epochs` runs; `assembly` puts a stack together, whose networks may differ in width
(`padding`) and in depth (`skipping`, `templates`), `stackstate` holds its tensors, and `stackfit` trains it. A `member` watches
each repeat of a trial and stops it, `repeats` sums them up.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nbtune.ask.space import Value
from nbtune.ask.strategy import AUTO
from nbtune.data import arrays as data
from nbtune.record.events import Emit, Stopping, TrainedAlone, TrialEnded
from nbtune.record.job import Job
from nbtune.training import resuming
from nbtune.training.fused import memory
from nbtune.training.fused.ending import Ending
from nbtune.training.fused.spec import TrialSpec, trial_specs
from nbtune.training.fused.stackfit import Fit, steps
from nbtune.training.fused.templates import with_templates
from nbtune.training.fused.worth import pays
from nbtune.training.reasons import Reason, is_out_of_memory, reason_of
from nbtune.training.stopping import never


class Outcome(NamedTuple):
    """`ended`: trials that were trained; `refused`: trial to the reason why it was not, and has to be on its own."""

    ended: list[TrialEnded]
    refused: dict[str, str]


def fit_stack(job: Job, emit: Emit, trials: Mapping[str, Mapping[str, Value]], stopping: Stopping = never) -> Outcome:
    """Trains several combinations together and leaves each one's best weights in the project.

    Trials that turn out not to be one architecture are trained as several stacks, one after another. A trial's end is
    sent when it comes, so that it is not lost with the others; and so is why some are not trained together.

    Args:
        trials: trial to its values.
        stopping: when it says so those under way end as "stopped", with what they have, and no other one begins.
    """
    first = job.each_run[0]
    arrays = data.read(job.folder, first.fold)
    ending = Ending(job, emit)
    refused: dict[str, str] = {}
    stacks: dict[str, list[TrialSpec]] = {}
    for made in trial_specs(first, trials, arrays):
        if isinstance(made, TrialSpec):
            spec = made.left_off(resuming.found(job, made.trial, made.values))
            stacks.setdefault(spec.stack_key, []).append(spec)
        else:
            refused |= _told(emit, [made[0]], made[1])
    for template, stack in itertools.chain.from_iterable(map(with_templates, stacks.values())):
        for part in memory.parts(stack, job, arrays):
            reason = _too_small(job, template, len(part), arrays, len({spec.loss_key for spec in part}))
            if reason:
                refused |= _told(emit, [each.trial for each in part], reason)
            elif not stopping():
                refused |= _train(job, emit, template, part, arrays, ending, stopping)
    return Outcome(ending.handed_in, refused)


def _told(emit: Emit, trials: Sequence[str], reason: Reason) -> dict[str, str]:
    """The reason by trial, which is sent as well."""
    emit([TrainedAlone(list(trials), reason.text, reason.is_fault)])
    return dict.fromkeys(trials, reason.text)


def reasons(job: Job, firsts: Sequence[Mapping[str, Value]], sizes: Sequence[int]) -> list[str | None]:
    """For each stack why it is not trained together, as far as that shows before it is trained; None if it is.

    Args:
        firsts, sizes: the first combination of each stack, and how many it has.
    """
    first = job.each_run[0]
    arrays = data.read(job.folder, first.fold)
    found = trial_specs(first, {str(i): each for i, each in enumerate(firsts)}, arrays)
    why = [
        _too_small(job, made, size, arrays) if isinstance(made, TrialSpec) else made[1]
        for made, size in zip(found, sizes, strict=True)
    ]
    return [reason and reason.text for reason in why]


def _too_small(job: Job, spec: TrialSpec, size: int, arrays: data.Arrays, losses: int = 1) -> Reason | None:
    """Why training so many trials together would be slower than one by one; None if it would not, or was asked for.

    Args:
        losses: how many different ones they have, for each of which the first steps are compared.
    """
    steps, proofs = _most_steps(job, spec, arrays), 0 if spec.is_proven else losses * job.runs
    if job.engine != AUTO or pays(size * job.runs, steps, proofs):
        return None
    what = "compiling, and comparing the first steps with model.fit," if proofs else "compiling"
    return Reason(f"{what} would take longer than {size} trial{'s' * (size > 1)} of {steps:,} steps at most")


def _most_steps(job: Job, spec: TrialSpec, arrays: data.Arrays) -> int:
    return job.epochs * steps(job, spec, arrays)


def _train(
    job: Job,
    emit: Emit,
    template: TrialSpec,
    stack: Sequence[TrialSpec],
    arrays: data.Arrays,
    ending: Ending,
    stopping: Stopping,
) -> dict[str, str]:
    """Trains one stack, in halves if there is no memory for the whole; why trials were not trained, by trial."""
    reason, too_large = Reason(""), False
    try:
        Fit(job, emit, template, stack, arrays, ending, stopping).run()
    except Exception as error:  # whoever of them is to blame, each trial meets it, or not, on its own
        reason, too_large = reason_of(error, job.function), is_out_of_memory(error)
    gc.collect()
    left = [spec for spec in stack if not ending.is_over(spec.trial)]
    if stopping():
        return {}
    if too_large and len(left) > 1:
        halves = [_train(job, emit, template, half, arrays, ending, stopping) for half in (left[0::2], left[1::2])]
        return halves[0] | halves[1]
    return _told(emit, [spec.trial for spec in left], reason) if left else {}
