"""How many trials of an architecture a worker may train at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
import psutil

from nbtune import machine
from nbtune.data import arrays as data
from nbtune.record.job import Job
from nbtune.training.fused.layers.convolutions import in_turn
from nbtune.training.fused.spec import TrialSpec
from nbtune.training.private import keras as private

SHARE_OF_FREE = 0.25  # of the memory that is free, for one stack: there are other workers, and estimates err
ROWS_AT_ONCE = 512  # whose activations are in memory, at most, where the batches are not larger


def parts(stack: Sequence[TrialSpec], job: Job, arrays: data.Arrays) -> list[Sequence[TrialSpec]]:
    """A stack in parts that fit into the memory in force; never less than one trial each."""
    count = -(-len(stack) // most(stack[0], job, arrays))
    return [stack[i::count] for i in range(count)]


def most(spec: TrialSpec, job: Job, arrays: data.Arrays) -> int:
    """How many trials like this one fit into the memory in force; at least one."""
    each, at_work = trial_bytes(spec)
    room = _room(job) - _data_bytes(arrays)
    return max(1, int((room - at_work) // each if in_turn(spec.model) else room // (each + at_work)))


def more_mb(spec: TrialSpec, trials: int, job: Job) -> float:
    """An estimate of what a stack takes that has so many more trials, in MB; it is parted where there is no room."""
    each, at_work = trial_bytes(spec)
    return min(trials * (each + (0 if in_turn(spec.model) else at_work)), max(_room(job), 0.0)) / 1e6


def trial_bytes(spec: TrialSpec) -> tuple[int, int]:
    """An estimate of what one trial of a stack takes: for its weights and slots, and at work for its rows' activations."""
    weights = sum(value.size for value in [*spec.weights, *spec.others])
    outputs = [node.outputs for layer in private.layers(spec.model)[1:] for node in private.calls(layer)]
    row = sum(math.prod(d or 1 for d in part.shape[1:]) for part in keras.tree.flatten(outputs))
    return 4 * 6 * weights, 4 * 3 * ROWS_AT_ONCE * row


def _room(job: Job) -> float:
    """Bytes that a stack may take."""
    free = machine.memory_mb() * SHARE_OF_FREE
    if job.worker_mb is not None:
        free = min(free, job.worker_mb - psutil.Process().memory_full_info().uss / 1e6)
    return free * 1e6


def _data_bytes(arrays: data.Arrays) -> int:
    """The rows, which a stack holds in memory once."""
    return sum(part.nbytes for part in keras.tree.flatten(list(vars(arrays).values())) if part is not None)
