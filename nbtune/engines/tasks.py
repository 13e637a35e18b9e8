"""What a worker can be asked to do. Importing this imports Keras, so only a process that trains imports it."""

from __future__ import annotations

from typing import Any

from nbtune.engines import fused, survey, trial
from nbtune.engines.base import Emit
from nbtune.events import to_dict
from nbtune.job import Job


def run(task: str, job: Job, emit: Emit, arguments: dict[str, Any]) -> dict[str, Any]:
    """Runs one task; its result can be written as JSON."""
    match task:
        case "fit":
            return to_dict(trial.fit(job, emit, **arguments))
        case "fit_stack":
            ended, refused = fused.fit_stack(job, emit, **arguments)
            return {"ended": [to_dict(end) for end in ended], "refused": refused}
        case "reasons":
            return {"reasons": fused.reasons(job, **arguments)}
        case "refit":
            return trial.refit(job, emit, **arguments)
        case "look":
            return survey.look(job, emit, **arguments)
        case "architectures":
            return survey.architectures(job, emit, **arguments)
        case "explore":
            return survey.explore(job, emit, **arguments)
        case "measure":
            return survey.measure(job, emit, **arguments)
    raise ValueError(f"no task {task!r}")
