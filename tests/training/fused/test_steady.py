"""Functions that change what they read: in one process, each trial would find what the one before has left."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from nbtune.record.events import TrainedAlone
from nbtune.training import stacks, steady
from tests.training.fused.test_fit import job_of, rows  # noqa: F401 - a fixture among them

X, _, _, Y = rows()
calls, seen, generator, memo = 0, [], np.random.default_rng(0), {}
large = np.ones((2000, 300))


class Count:
    number = 0


def model(units, activation="relu"):
    return keras.Sequential([keras.Input(X.shape[1:]), layers.Dense(units, activation=activation), layers.Dense(4)])


def counts(units):
    global calls
    calls += 1
    return model(units, "relu" if calls == 1 else "tanh")


def lists(units):
    seen.append(units)
    return model(units)


def draws(units):
    made = model(units)
    made.layers[0].kernel.assign(generator.normal(size=made.layers[0].kernel.shape))
    return made


def counts_in_a_class(units):
    Count.number += 1
    return model(units, "relu" if Count.number == 1 else "tanh")


def counts_in_a_default(units, memory=[]):  # noqa: B006 - as people write it
    memory.append(units)
    return model(units)


def changes_keras(units):
    before = layers.Dense.call
    layers.Dense.call = lambda self, x, training=None: before(self, x) * 0.5
    return model(units)


def divides_in_place(units):
    large[:] /= 2
    return model(units)


def adds_to_keras(units):
    keras.initializers.GlorotUniform.__call__ = lambda self, shape, dtype=None: keras.ops.ones(shape)
    return model(units)


def replaces_code_in_keras(units):
    changed = lambda self, x, training=None: keras.ops.matmul(x, self.kernel) * 0.5 + self.bias  # noqa: E731
    layers.Dense.call.__code__ = changed.__code__
    return model(units)


def changes_numpy(units):
    np.mean = np.median
    return model(units)


def changes_tensorflow(units):
    tf.nn.relu = tf.nn.tanh
    return model(units)


def leaves_all_alone(units):
    assert memo is not None
    return model(units)


@pytest.fixture
def as_it_was(monkeypatch):
    for owner, name in [(layers.Dense, "call"), (np, "mean"), (tf.nn, "relu")]:
        monkeypatch.setattr(owner, name, getattr(owner, name))  # is put back afterwards
    call, code = layers.Dense.call, layers.Dense.call.__code__
    yield
    call.__code__ = code
    if "__call__" in vars(keras.initializers.GlorotUniform):
        del keras.initializers.GlorotUniform.__call__


CHANGE = [counts, lists, draws, counts_in_a_class, counts_in_a_default, divides_in_place, changes_keras, adds_to_keras]
CHANGE += [replaces_code_in_keras, changes_numpy, changes_tensorflow]


@pytest.mark.parametrize("build", CHANGE)
def test_their_trials_are_trained_one_by_one(job_of, as_it_was, build):  # noqa: F811
    job, trials = job_of(build, (X, Y), units=[4, 8], learning_rate=[0.01], epochs=1)
    told = []
    ended, refused = stacks.fit_stack(job, told.extend, trials)
    assert not ended
    assert refused == dict.fromkeys(trials, steady.CHANGES)
    assert {event.reason for event in told if isinstance(event, TrainedAlone)} == {steady.CHANGES}


def test_others_are_trained_together(job_of):  # noqa: F811
    job, trials = job_of(leaves_all_alone, (X, Y), units=[4, 8], learning_rate=[0.01], epochs=1)
    ended, refused = stacks.fit_stack(job, lambda events: None, trials)
    assert len(ended) == 2
    assert not refused


def test_one_model_for_several_trials_is_built_once(job_of):  # noqa: F811
    job, trials = job_of(counts, (X, Y), units=[4], learning_rate=[0.01, 0.001], epochs=1)
    ended, refused = stacks.fit_stack(job, lambda events: None, trials)
    assert len(ended) == 2
    assert not refused
