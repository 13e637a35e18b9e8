"""What a worker can be asked to do. Importing this imports Keras, so only a process that trains imports it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nbtune.record.events import Emit, to_dict
from nbtune.record.job import Job
from nbtune.training import probe, trial
from nbtune.training.fused import fit


def use_threads(threads: int) -> None:
    """How many threads TensorFlow uses in this process; only before it has run anything."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def run(task: str, job: Job, emit: Emit, arguments: dict[str, Any]) -> dict[str, Any]:
    """Repeats one task; its result can be written as JSON."""
    match task:
        case "fit":
            return to_dict(trial.fit(job, emit, **arguments))
        case "fit_stack":
            ended, refused = fit.fit_stack(job, emit, **arguments)
            return {"ended": [to_dict(end) for end in ended], "refused": refused}
        case "reasons":
            return {"reasons": fit.reasons(job, **arguments)}
        case "refit":
            return trial.refit(job, emit, **arguments)
        case "look":
            return probe.look(job, emit, **arguments)
        case "architectures":
            return probe.architectures(job, emit, **arguments)
        case "explore":
            return probe.explore(job, emit, **arguments)
        case "measure":
            return probe.measure(job, emit, **arguments)
    raise ValueError(f"no task {task!r}")
