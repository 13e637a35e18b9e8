"""What the floating-point operations of a grid alone would take on this machine."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.workloads import Workload

BATCH, WIDTH = 32, 64
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
    return {"gflop": round(total / 1e9, 1), "gflops": round(_rate(len(weights)) / 1e9, 1)}


def _rate(trials: int) -> float:
    """Operations a second of a batched product, one for each trial, by TensorFlow on all cores; the best of some tries."""
    import tensorflow as tf

    a = tf.constant(np.random.default_rng(0).normal(size=(trials, BATCH, WIDTH)), tf.float32)
    b = tf.constant(np.random.default_rng(1).normal(size=(trials, WIDTH, WIDTH)), tf.float32)
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(a, b)))
    product()
    seconds = []
    for _ in range(_TRIES):
        start = time.perf_counter()
        for _ in range(_REPEATS):
            product().numpy()
        seconds.append(time.perf_counter() - start)
    return 2 * trials * BATCH * WIDTH * WIDTH * _REPEATS / min(seconds)
