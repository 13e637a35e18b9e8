"""Training together, with a way out: `fused` is imported here alone, and not before it is needed.

Whatever breaks there, a private name that a new Keras lacks included, gives up a stack with the reason, and never a search:
its trials are trained one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nbtune.ask.space import Architecture, Value
from nbtune.data import arrays as data
from nbtune.record.events import Emit, Stopping, TrainedAlone, TrialEnded
from nbtune.record.job import Job
from nbtune.training.reasons import reason_of
from nbtune.training.stopping import never


def fit_stack(
    job: Job, emit: Emit, trials: Mapping[str, Mapping[str, Value]], stopping: Stopping = never
) -> tuple[list[TrialEnded], dict[str, str]]:
    """`fused.fit.fit_stack`: how the trials ended, and the reason of each that was not trained."""
    try:
        from nbtune.training.fused import fit

        ended, refused = fit.fit_stack(job, emit, trials, stopping)
    except Exception as error:
        reason = reason_of(error, job.function)
        emit([TrainedAlone(list(trials), reason.text, reason.is_fault)])
        return [], dict.fromkeys(trials, reason.text)
    return ended, refused


def reasons(job: Job, firsts: Sequence[Mapping[str, Value]], sizes: Sequence[int]) -> list[str | None]:
    """`fused.fit.reasons`: for each stack why it is not trained together."""
    try:
        from nbtune.training.fused import fit

        return fit.reasons(job, firsts, sizes)
    except Exception as error:
        return [reason_of(error, job.function).text for _ in firsts]


def architecture(made: Any, values: Mapping[str, Value], folder: Path) -> Architecture | None:
    """`fused.spec.architecture`; None also where that cannot be told, so that the values tell trials apart."""
    try:
        from nbtune.training.fused import spec

        return spec.architecture(made, values, folder)
    except Exception:  # when its stack is trained, the reason is told
        return None


def more_mb(job: Job, values: Mapping[str, Value], trials: int) -> float:
    """An estimate of what so many more trials add to a stack of trials like this one, in MB."""
    from nbtune.training.fused import memory, spec  # the stack has just been trained

    (made,) = spec.trial_specs(job, {"0": values}, data.read(job.folder, job.fold))
    return memory.more_mb(made, trials, job) if isinstance(made, spec.TrialSpec) else 0.0
