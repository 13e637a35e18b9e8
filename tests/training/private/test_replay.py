"""A traced function run again with tensors in place of its variables."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from nbtune.training.private import replay


def variable(value):
    return keras.Variable(np.asarray(value, "float32"))


def replayed(function, rows, variables, values):
    traced = replay.trace(function, tf.TensorSpec(rows.shape, rows.dtype))

    @tf.function(autograph=False)
    def run(rows, *values):
        known = {id(v): value for v, value in zip(variables, values, strict=True)}
        out, after = replay.replay(traced, [rows], known, variables)
        return out, [after[id(v)] for v in variables]

    out, after = run(rows, *(tf.constant(value, tf.float32) for value in values))
    return out, [value.numpy() for value in after]


def test_values_come_in_and_go_out_and_the_variables_stay_as_they_are():
    weight, count = variable([1.0, 2.0]), variable(0.0)

    def step(rows):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(rows * weight**2)
        weight.assign_sub(0.1 * tape.gradient(loss, weight))
        count.assign_add(1.0)
        return {"loss": loss, "counted": count + 0.0}

    rows = tf.constant([[1.0, 1.0], [1.0, 2.0]])
    out, (after, counted) = replayed(step, rows, [weight, count], [[3.0, 1.0], 4.0])
    assert float(out["loss"]) == 2 * 9 + 3
    assert float(out["counted"]) == counted == 5.0
    np.testing.assert_allclose(after, [3.0 - 0.1 * 12, 1.0 - 0.1 * 6], rtol=1e-6)
    np.testing.assert_array_equal(weight, [1.0, 2.0])


@pytest.mark.parametrize(("total", "expected"), [(1.0, 2.0), (5.0, 0.0)])
def test_a_condition_assigns_in_the_branch_that_is_taken(total, expected):
    own = variable(0.0)

    def step(rows):
        tf.cond(own.value > 4.0, lambda: own.assign(0.0), lambda: own.assign_add(1.0))
        return tf.reduce_sum(rows)

    _, (after,) = replayed(step, tf.constant([1.0]), [own], [total])
    assert after == expected


def test_what_has_effects_is_refused_by_name():
    other, known = tf.Variable(1.0), variable(1.0)
    with pytest.raises(replay.NotPure, match="a variable that Keras does not know"):
        replayed(lambda rows: rows * other, tf.constant([1.0]), [known], [1.0])
    with pytest.raises(replay.NotPure, match="RandomUniform"):
        replayed(lambda rows: rows * tf.random.uniform([]), tf.constant([1.0]), [known], [1.0])
