"""What is private in Keras: each name is there in this version, and where one is not, trials train on their own and say why."""

from __future__ import annotations

import ast
import inspect

import keras
import numpy as np
import pytest
from keras import layers

import nbtune
from nbtune.training import stacks
from nbtune.training.fused import batches
from nbtune.training.private import keras as private
from nbtune.training.private import missing
from tests.conftest import dense
from tests.training.fused.test_fit import TOKENS, Y, classifier, job_of  # noqa: F401 - a fixture among them


def names():
    """Every private name that the fence asks for, as it is written there."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(private))) if isinstance(node, ast.Call)]
    asked = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id in ("attribute", "member")]
    return sorted({node.args[1].value for node in asked})


def without(monkeypatch, name):
    """As if a new Keras had renamed it, in Keras itself too, which goes on working."""

    def gone(real):
        def ask(thing, asked):
            if asked == name:
                raise missing.missing(name, "keras")
            return real(thing, asked)

        return ask

    monkeypatch.setattr(private, "attribute", gone(missing.attribute))
    monkeypatch.setattr(private, "member", gone(missing.member))
    batches._drawn.cache_clear()


def recurrent():
    return classifier(lambda: layers.Embedding(32, 4), lambda: layers.LSTM(3), shape=(6,))


@pytest.mark.parametrize("name", names())
def test_without_the_name_stacks_are_given_up_with_a_reason(job_of, monkeypatch, name):  # noqa: F811
    build, x = (recurrent(), TOKENS) if name in ONLY_MAPPED else (dense, TOKENS[:, :4])
    job, trials = job_of(build, (x, Y), epochs=1)
    without(monkeypatch, name)
    told = []
    ended, refused = stacks.fit_stack(job, told.extend, trials)
    assert not ended
    assert set(refused) == set(trials)
    assert all(name in why and keras.__version__ in why for why in refused.values())
    assert not any(getattr(event, "is_fault", False) for event in told)
    assert stacks.reasons(job, [trials["0"]], [2]) is not None


ONLY_MAPPED = {"_call_has_training_arg", "_inbound_nodes"}


@pytest.mark.parametrize("name", ["_flatten_layers", "_compile_config", "Functional"])
def test_a_search_without_the_name_finishes_and_says_why(flowers, here, monkeypatch, name):
    def build(hp):
        model = dense(1, hp.Choice("units", [4, 8]))
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    without(monkeypatch, name)
    found = nbtune.tune(build, flowers, dir=str(here), workers=0, epochs=2, learning_rate=[0.1, 0.01], init=["he_normal"])
    assert found.coverage.done == 4
    assert all(name in trial.alone for trial in found.trials)


def test_names_that_are_read_past_the_fence_are_what_they_were():
    """Seen in Keras 3.15: nothing raises where these go away, so numbers would change instead."""
    assert private.logits(keras.activations.softmax(np.ones((2, 3), "float32"))) is not None
    optimizer = keras.optimizers.Adam(weight_decay=0.1)
    assert not private.excludes_weights(optimizer)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert private.excludes_weights(optimizer)
    assert {"assign", "assign_add", "assign_sub"} <= set(private.neutral_methods(keras.optimizers.Adam))
