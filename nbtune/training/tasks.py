"""What a worker can be asked to do. Importing this imports Keras, so only a process that trains imports it."""

from __future__ import annotations

import importlib
from typing import Any

import keras

from nbtune.record.events import Emit, Stopping, to_dict
from nbtune.record.job import Job, Terms
from nbtune.training import initial, judging, probe, session, stacks, trial
from nbtune.training.stopping import never


def use_threads(threads: int) -> None:
    """How many threads TensorFlow or PyTorch uses in this process; only before it has run anything. JAX decides by itself."""
    if keras.backend.backend() == "torch":
        importlib.import_module("torch").set_num_threads(threads)
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def run(task: str, terms: Terms, emit: Emit, arguments: dict[str, Any], stopping: Stopping = never) -> dict[str, Any]:
    """Runs one task; its result can be written as JSON.

    Args:
        terms: a `Job`, but for the tasks that look at a model first.
        stopping: is asked now and then by tasks that have something to hand in.
    """
    session.apply(terms.surroundings)
    match task:
        case "look":
            return probe.look(terms, emit, **arguments)
        case "architectures":
            return probe.architectures(terms, emit, **arguments)
        case "explore":
            return probe.explore(terms, emit, **arguments)
    if not isinstance(terms, Job):
        raise TypeError(f"{task!r} needs a job that is complete")
    match task:
        case "fit":
            return to_dict(trial.fit(terms, emit, **arguments, stopping=stopping))
        case "fit_stack":
            return {"ended": [to_dict(end) for end in stacks.fit_stack(terms, emit, **arguments, stopping=stopping)[0]]}
        case "reasons":
            return {"reasons": stacks.reasons(terms, **arguments)}
        case "refit":
            return trial.refit(terms, emit, **arguments)
        case "model_fit":
            return trial.model_fit(terms, emit, **arguments)
        case "predict":
            return judging.predict(terms, emit, **arguments)
        case "predict_folds":
            return judging.predict_folds(terms, emit, **arguments)
        case "evaluate":
            return judging.evaluate(terms, emit, **arguments)
        case "save":
            return judging.save(terms, emit, **arguments)
        case "initial":
            return initial.of_trial(terms, emit, **arguments)
        case "measure":
            return probe.measure(terms, emit, **arguments)
    raise ValueError(f"no task {task!r}")
