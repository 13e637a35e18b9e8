"""How many trials share a stack, by the memory in force."""

from __future__ import annotations

import keras
import numpy as np
import psutil
import pytest

from nbtune import UsageError, costs, machine
from nbtune.ask.options import Options
from nbtune.data.arrays import Arrays
from nbtune.record.job import Job
from nbtune.training.fused import memory

ARRAYS = Arrays(np.zeros((100, 4), "float32"), np.zeros(100, "int64"))


class Plain:
    """As much of a spec as an estimate needs."""

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(30_000), keras.layers.Dense(3)])
    weights = [np.asarray(v) for v in model.trainable_variables]  # noqa: RUF012
    others = []  # noqa: RUF012


def job(worker_mb=None):
    names = "function objects folder project epochs patience min_delta batch_size seed applied targets objective look"
    nothing = dict.fromkeys(names.split())
    return Job(**nothing, worker_mb=worker_mb)


def test_the_estimate_counts_weights_slots_gradients_and_activations():
    weights = 4 * 30_000 + 30_000 + 30_000 * 3 + 3
    assert memory.trial_bytes(Plain) == (4 * 6 * weights, 4 * 3 * memory.ROWS_AT_ONCE * (4 + 30_000 + 3))


@pytest.mark.parametrize(("room", "sizes"), [(0.1, [1] * 5), (2.5, [2, 2, 1]), (5.5, [5])])
def test_a_stack_is_cut_to_the_memory_that_is_free(monkeypatch, room, sizes):
    free = (room * sum(memory.trial_bytes(Plain)) + 100 * 4 * 4 + 100 * 8) / memory.SHARE_OF_FREE / 1e6
    monkeypatch.setattr(machine, "memory_mb", lambda: free)
    assert [len(part) for part in memory.parts([Plain] * 5, job(), ARRAYS)] == sizes


def test_trials_that_are_trained_in_turn_need_their_activations_once(monkeypatch):
    class Convolution(Plain):
        model = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Conv2D(8, 3), keras.layers.Flatten()])

    monkeypatch.setattr(memory, "_data_bytes", lambda arrays: 0)
    each, at_work = memory.trial_bytes(Convolution)
    monkeypatch.setattr(machine, "memory_mb", lambda: (2.5 * each + at_work) / memory.SHARE_OF_FREE / 1e6)
    assert [len(part) for part in memory.parts([Convolution] * 5, job(), ARRAYS)] == [2, 2, 1]


def test_a_limit_counts_what_the_worker_holds_already():
    own = psutil.Process().memory_full_info().uss / 1e6
    estimate = sum(memory.trial_bytes(Plain)) / 1e6
    assert [len(part) for part in memory.parts([Plain] * 5, job(own + 3.5 * estimate), ARRAYS)] == [3, 2]


def test_a_limit_leaves_room_for_fewer_workers(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 8)
    monkeypatch.setattr(machine, "memory_mb", lambda: 8000.0)
    assert machine.usual_workers() == 8
    assert machine.usual_workers(costs.SHARED_MB + 2.5 * costs.WORKER_MB) == 2
    assert machine.worker_mb(1500, 2) == (1500 - costs.SHARED_MB) / 2


def test_a_limit_below_one_worker_is_a_mistake():
    with pytest.raises(UsageError, match="850 MB"):
        Options.of(memory_limit=300)
