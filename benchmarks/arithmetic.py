"""What the floating-point operations of a grid alone would take on this machine."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.workloads import Workload

BATCH = 32
_REPEATS, _TRIES = 200, 5


def arithmetic(workload: Workload, results: Mapping[str, Any]) -> dict[str, float]:
    """The operations of the epochs that nbtune trained, and the rate of products of the size that a stack consists of.

    A weight of a Dense network takes 6 operations for each row that is trained on (2 forwards, 4 backwards) and 2 for each
    row of the validation; optimizer, activations and losses are left out.

    Returns:
        `gflop`; `gflops`, the rate in 10⁹ operations a second. Nothing for other networks, or before nbtune was measured.
    """
    epochs = results.get("nbtune_fused", {}).get("epochs")
    if not epochs or "layers" not in workload.grid:
        return {}
    rows = workload.rows()
    each = 6 * len(rows.x) + 2 * len(rows.x_val)
    widths = [[rows.x.shape[1], *[values["units"]] * values["layers"], rows.y.shape[1]] for values in workload.combinations]
    weights = [sum(math.prod(pair) for pair in itertools.pairwise(width)) for width in widths]
    total = sum(each * size * count for size, count in zip(weights, epochs, strict=True)) * workload.repeats
    rate = _rate(len(weights) * workload.repeats, rows.x.shape[1], max(workload.grid["units"]))
    return {"gflop": round(total / 1e9, 1), "gflops": round(rate / 1e9, 1)}


def _rate(trials: int, inputs: int, units: int) -> float:
    """Operations a second of a batch through a layer of each trial, by TensorFlow on all cores; the best of some tries."""
    import tensorflow as tf

    x = tf.constant(np.random.default_rng(0).normal(size=(trials, BATCH, inputs)), tf.float32)
    kernel = tf.constant(np.random.default_rng(1).normal(size=(trials, inputs, units)), tf.float32)

    @tf.function
    def products() -> tf.Tensor:
        once = lambda i, last: (i + 1, tf.matmul(x + last[0, 0, 0] * 0, kernel))  # noqa: E731 - each has to wait for the last
        return tf.while_loop(lambda i, _: i < _REPEATS, once, (0, tf.matmul(x, kernel)))[1][0, 0, 0]

    products()
    seconds = []
    for _ in range(_TRIES):
        start = time.perf_counter()
        products().numpy()
        seconds.append(time.perf_counter() - start)
    return 2 * trials * BATCH * inputs * units * _REPEATS / min(seconds)
