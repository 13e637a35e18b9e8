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
from tests.cases import cases
from tests.conftest import dense
from tests.training.fused.test_fit import TOKENS, Y, classifier, job_of  # noqa: F401 - a fixture among them


def names(of=private):
    """Every private name that a module of the fence asks for, as it is written there."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(of))) if isinstance(node, ast.Call)]
    asked = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id in ("attribute", "member")]
    return sorted({node.args[1].value for node in asked})


# What every trial goes through, and does without.
DISPENSABLE = {"_outputs_struct", "_symbolic_build", "get_global_attribute", "set_global_attribute", "ALL_OBJECTS_DICT"}
DISPENSABLE |= {"GLOBAL_SEED_GENERATOR", "GLOBAL_RANDOM_SEED", "_track_variable", "_trainable_variables"}
# What only a stack of layers that `dense` does not write out asks for, or one with an embedding.
ONLY_MAPPED = {"_call_has_training_arg", "_inbound_nodes", "numpy", "divide", "backend", "rnn", "random", "dropout"}
ONLY_MAPPED |= {"draw_seed", "_cast_seed"}


ONLY_SEVERAL_OUTPUTS = {"compute_output_spec"}
ONLY_FOLDS = {"_lookup_layer"}  # of a layer that was adapted, which no stack has


def without(monkeypatch, name):
    """As if a new Keras had renamed it, in Keras itself too, which goes on working."""

    def gone(real):
        def ask(thing, asked, *needed_for):
            if asked == name:
                raise missing.missing(name, "keras", *needed_for)
            return real(thing, asked, *needed_for)

        return ask

    monkeypatch.setattr(private, "attribute", gone(private.attribute))
    monkeypatch.setattr(private, "member", gone(private.member))
    batches._drawn.cache_clear()


def two_outputs():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [layers.Dense(3, activation="softmax")(inputs), layers.Dense(1)(inputs)])
    model.compile("adam", ["sparse_categorical_crossentropy", "mse"], metrics=[["accuracy"], ["mae"]])
    return model


def recurrent():
    return classifier(lambda: layers.Embedding(32, 4), lambda: layers.LSTM(3), lambda: layers.Dropout(0.1), shape=(6,))


@pytest.mark.parametrize("name", [name for name in names() if name not in DISPENSABLE | ONLY_FOLDS])
def test_without_the_name_stacks_are_given_up_with_a_reason(job_of, monkeypatch, name):  # noqa: F811
    build, x = (recurrent(), TOKENS) if name in ONLY_MAPPED else (dense, TOKENS[:, :4])
    several = name in ONLY_SEVERAL_OUTPUTS
    asked = (two_outputs, (x, [Y, Y])) if several else (build, (x, Y))
    job, trials = job_of(*asked, epochs=1, objective="val_loss" if several else None)
    without(monkeypatch, name)
    told = []
    ended, refused = stacks.fit_stack(job, told.extend, trials)
    assert not ended
    assert set(refused) == set(trials)
    assert all(name in why and keras.__version__ in why for why in refused.values())
    assert not any(getattr(event, "is_fault", False) for event in told)
    assert stacks.reasons(job, [trials["0"]], [2]) is not None


@pytest.mark.parametrize("name", cases(["_flatten_layers", "_compile_config", "Functional"], ["_flatten_layers"]))
def test_a_search_without_the_name_finishes_and_says_why(flowers, here, monkeypatch, name):
    def build(hp):
        model = dense(1, hp.Choice("units", [4, 8]))
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    without(monkeypatch, name)
    found = nbtune.tune(build, flowers, dir=str(here), workers=0, epochs=2, learning_rate=[0.1, 0.01], init=["he_normal"])
    assert found.coverage.done == 4
    assert all(name in trial.alone for trial in found.trials)


@pytest.mark.parametrize("engine", ["trial", "fused"])
def test_without_any_of_the_names_that_every_trial_goes_through_the_scores_are_the_same(flowers, here, monkeypatch, engine):
    options = {"workers": 0, "epochs": 2, "learning_rate": [0.1, 0.01], "engine": engine}
    expected = nbtune.tune(dense, flowers, dir=str(here / "with"), **options)
    for name in DISPENSABLE:
        without(monkeypatch, name)
    found = nbtune.tune(dense, flowers, dir=str(here / "without"), **options)
    assert found.coverage.done == 2
    assert not any(trial.alone for trial in found.trials)
    assert [trial.history for trial in found.trials] == [trial.history for trial in expected.trials]


EACH_AND_ALL = [*([name] for name in names()), names()]


@pytest.mark.parametrize("gone", cases(EACH_AND_ALL, [names()]), ids=lambda gone: gone[0] if len(gone) == 1 else "all")
def test_without_the_name_trials_train_by_model_fit(flowers, here, monkeypatch, gone):
    for name in gone:
        without(monkeypatch, name)
    found = nbtune.tune(dense, flowers, dir=str(here), workers=0, epochs=1, learning_rate=[0.1, 0.01], engine="trial")
    assert found.coverage.done == 2


def test_names_that_are_read_past_the_fence_are_what_they_were():
    """Seen in Keras 3.15: nothing raises where these go away, so numbers would change instead."""
    assert private.logits(keras.activations.softmax(np.ones((2, 3), "float32"))) is not None
    optimizer = keras.optimizers.Adam(weight_decay=0.1)
    dense().compile(optimizer, "mse")
    assert private.beside_settings(optimizer) == []
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert private.beside_settings(optimizer) == ["exclude_from_weight_decay"]
    assert {"assign", "assign_add", "assign_sub"} <= set(private.neutral_methods(keras.optimizers.Adam))


def test_each_dispensable_name_is_there():
    """Seen in Keras 3.15: without them models are built once more to be looked at, and the user's draws go on elsewhere."""
    model = dense()
    assert private.output(model).shape == (None, 3)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    private.build_metrics(model, keras.KerasTensor((None, 4)), keras.KerasTensor((None,), "int64"))
    assert "accuracy" in model.get_metrics_result()
    private.generators()()
    private.make_known({"nbtune_swoosh": abs})
    assert keras.activations.get("nbtune_swoosh") is abs
    del keras.src.activations.ALL_OBJECTS_DICT["nbtune_swoosh"]
