"""KerasTuner functions, unchanged, and the combinations that are found in them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import keras
import keras_tuner
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbtune import UsageError, tune
from nbtune.ask.function import Function
from nbtune.ask.space import Axis
from nbtune.record.job import Terms
from nbtune.run.timing import MOST_TRIALS
from nbtune.training.fused import fit
from nbtune.training.probe import explore
from tests.conftest import dense


def combinations(build, **axes):
    job = Terms(Function.of(build), {}, None, None, 1, None, 0.0, 32, 0)
    return explore(job, lambda events: None, axes)["combinations"]


def test_independent_hyperparameters_are_a_product():
    def build(hp):
        hp.Int("units", 32, 96, step=32)
        hp.Choice("activation", ["relu", "tanh"])
        hp.Boolean("dropout")
        hp.Fixed("fixed", 3)
        hp.Float("rate", 0.0, 0.2, step=0.1)

    expected = [
        {"units": u, "activation": a, "dropout": d, "fixed": 3, "rate": r}
        for u, a, d, r in itertools.product([32, 64, 96], ["relu", "tanh"], [True, False], [0.0, 0.1, 0.2])
    ]
    found = combinations(build)
    key = lambda values: sorted((k, str(v)) for k, v in values.items())  # noqa: E731
    assert sorted(found, key=key) == sorted(expected, key=key)


def test_a_loop_over_layers_asks_for_units_of_the_layers_there_are():
    def build(hp):
        for i in range(hp.Int("layers", 1, 3)):
            hp.Choice(f"units_{i}", [8, 16])

    found = combinations(build)
    assert len(found) == 2 + 4 + 8
    assert len({tuple(sorted(values.items())) for values in found}) == 14
    assert all(set(values) == {"layers", *(f"units_{i}" for i in range(values["layers"]))} for values in found)


def test_the_recorded_space_has_each_hyperparameter_once():
    def build(hp):
        if hp.Choice("kind", ["plain", "deep"]) == "deep":
            with hp.conditional_scope("kind", ["deep"]):
                for i in range(hp.Int("layers", 1, 2)):
                    hp.Choice(f"units_{i}", [8, 16])
        with hp.conditional_scope("kind", ["plain"]):
            hp.Choice("width", [2, 4])
        hp.Fixed("note", 3)
        hp.Boolean("norm")

    found = explore(Terms(Function.of(build), {}, None, None, 1, None, 0.0, 32, 0), lambda events: None, {})
    names = ["kind", "width", "note", "norm", "layers", "units_0", "units_1"]
    assert [hp["config"]["name"] for hp in found["space"]] == names
    assert found["asked"] == names


def test_conditional_scopes():
    def build(hp):
        kind = hp.Choice("kind", ["mlp", "cnn"])
        with hp.conditional_scope("kind", ["mlp"]):
            hp.Choice("units", [8, 16, 32])
        with hp.conditional_scope("kind", ["cnn"]):
            hp.Choice("filters", [4, 8])
            if kind == "cnn":
                hp.Boolean("pool")

    found = combinations(build)
    assert [set(values) for values in found] == [{"kind", "units"}] * 3 + [{"kind", "filters", "pool"}] * 4


def test_parent_names():
    def build(hp):
        hp.Choice("optimizer", ["adam", "sgd"])
        hp.Float("momentum", 0.0, 0.9, step=0.9, parent_name="optimizer", parent_values=["sgd"])

    assert combinations(build) == [
        {"optimizer": "adam"},
        {"optimizer": "sgd", "momentum": 0.0},
        {"optimizer": "sgd", "momentum": 0.9},
    ]


def test_a_range_without_a_step_gives_the_ten_values_that_keras_tuner_gives():
    stock = keras_tuner.HyperParameters()
    stock.Float("rate", 1e-4, 1e-2, sampling="log")
    expected = sorted(stock.space[0].values)
    assert [values["rate"] for values in combinations(lambda hp: hp.Float("rate", 1e-4, 1e-2, sampling="log"))] == expected


def test_axes_replace_the_values_of_the_same_name():
    found = combinations(lambda hp: hp.Int("units", 32, 512, step=32), units=[4, 5])
    assert found == [{"units": 4}, {"units": 5}]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.just({}),
        lambda deeper: st.dictionaries(st.sampled_from("abc"), st.lists(deeper, min_size=1, max_size=3), max_size=2),
        max_leaves=8,
    )
)
def test_any_tree_of_choices_is_walked_once(tree):
    """A node is {name: [what the first value opens, what the second opens, ...]}."""

    def build(hp):
        visit(hp, tree, "")

    def visit(hp, node, path):
        for name, branches in node.items():
            index = hp.Choice(path + name, list(range(len(branches))))
            visit(hp, branches[index], f"{path}{name}{index}")

    def every(node, path):
        parts = [
            [{path + name: i} | rest for i, branch in enumerate(branches) for rest in every(branch, f"{path}{name}{i}")]
            for name, branches in node.items()
        ]
        return [dict(itertools.chain.from_iterable(p.items() for p in picks)) for picks in itertools.product(*parts)]

    found = combinations(build)
    expected = every(tree, "")
    assert len(found) == len(expected)
    assert {tuple(sorted(v.items())) for v in found} == {tuple(sorted(v.items())) for v in expected}


def build_model(hp):
    """In the manner of KerasTuner's introduction: units, activation, dropout and learning rate."""
    model = keras.Sequential()
    model.add(
        keras.layers.Dense(
            units=hp.Int("units", min_value=4, max_value=8, step=4), activation=hp.Choice("activation", ["relu", "tanh"])
        )
    )
    if hp.Boolean("dropout"):
        model.add(keras.layers.Dropout(rate=0.25))
    model.add(keras.layers.Dense(3, activation="softmax"))
    learning_rate = hp.Float("lr", min_value=1e-3, max_value=1e-1, step=10, sampling="log")
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=learning_rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


@pytest.mark.slow
def test_a_model_of_the_guides_end_to_end(flowers, here):
    axes = {"axis": {"lr": [0.01], "activation": ["relu"]}, "batch_size": [16, 32]}
    search = tune(build_model, flowers, epochs=1, workers=0, dir=str(here), **axes)
    assert search.coverage.done == len(search.trials) == 2 * 2 * 2
    stock = keras_tuner.GridSearch(build_model, "val_accuracy", directory=str(here), project_name=search.directory.name)
    assert stock.oracle.get_best_trials(1)[0].score == search.best.score
    assert stock.get_best_models(1)[0].predict(flowers[0], verbose=0).shape == (90, 3)


def test_a_hyper_model_works_like_its_function(flowers, here):
    class Mine(keras_tuner.HyperModel):
        def build(self, hp):
            return build_model(hp)

    search = tune(Mine(), flowers, epochs=1, workers=0, dir=str(here), axis={"lr": [0.01], "activation": ["relu"]}, units=[4])
    assert search.coverage.done == 2


def test_an_axis_that_the_function_does_not_ask_for(flowers, here):
    with pytest.raises(UsageError, match=r"does not ask for 'layers'; it asks for units"):
        tune(build_model, flowers, layers=[1, 2], workers=0, dir=str(here))


@pytest.mark.parametrize("style", ["plain", "keras_tuner"])
def test_one_model_for_all_trials_is_a_mistake(flowers, here, style):
    outside = dense(1, 4)

    def plain(tag):
        return outside

    def build(hp):
        hp.Choice("tag", [1, 2])
        return outside

    function, axis = (plain, {"tag": [1, 2]}) if style == "plain" else (build, {})
    with pytest.raises(UsageError, match="returns outside, the same model each time; make the model inside the function"):
        tune(function, flowers, axis=axis, epochs=1, workers=0)


def test_measure_finds_time_and_memory(flowers, here):
    plan = tune(build_model, flowers, plan=True, epochs=10, workers=0, dir=str(here)).plan
    assert plan.trials == 24
    assert plan.epochs == 240
    assert 0.1 < plan.seconds < 600
    assert 100 < plan.peak_mb < 5000
    assert replace(plan, seconds=None).measured is False


def plain(units, learning_rate):
    return dense(units=units)


def test_a_plan_measures_stacks_and_trials_alone(flowers, here):
    rates = [0.1, 0.03, 0.01, 0.003]
    plan = tune(plain, flowers, units=[4, 8], learning_rate=rates, plan=True, epochs=500, workers=2, dir=str(here)).plan
    assert (plan.trials, plan.stacks, plan.alone) == (8, 2, {})
    assert 0.1 < plan.seconds < plan.seconds_alone
    assert 100 < plan.peak_mb < 5000


def test_of_a_large_stack_a_plan_trains_a_part(flowers, here, monkeypatch):
    trained = []
    train = fit.fit_stack

    def noted(job, emit, trials, *more):
        trained.append(trials)
        return train(job, emit, trials, *more)

    monkeypatch.setattr(fit, "fit_stack", noted)
    rates = [i / 1e5 for i in range(1, 2001)]
    plan = tune(plain, flowers, units=[4], learning_rate=rates, plan=True, epochs=2, workers=0, dir=str(here)).plan
    assert (plan.trials, plan.stacks) == (2000, 8), "a stack has 256 trials at most"
    assert [len(trials) for trials in trained] == [MOST_TRIALS]
    chosen = [values["learning_rate"] for values in trained[0].values()]
    assert chosen == sorted(chosen)
    assert max(chosen) - min(chosen) > 0.95 * (rates[-1] - rates[0])
    assert 0.1 < plan.seconds < plan.seconds_alone
    assert plan.peak_mb > 100


def test_the_plan_says_which_stacks_are_too_small(flowers, here):
    options = {"learning_rate": [0.1, 0.01], "units": [4], "plan": True, "workers": 0, "dir": str(here)}
    plan = tune(plain, flowers, epochs=2, **options).plan
    assert plan.alone == {"compiling would take longer than 2 trials of 6 steps at most": 1}
    assert plan.seconds == plan.seconds_alone
    assert tune(plain, flowers, epochs=2, engine="fused", **options).plan.alone == {}


def test_the_plan_says_what_shows_only_in_training(flowers, here):
    def odd(learning_rate):
        noisy = keras.layers.Lambda(lambda v: v + keras.random.normal((4,)))
        return keras.Sequential([keras.Input((4,)), noisy, keras.layers.Dense(3, activation="softmax")])

    rates = [0.1, 0.03, 0.01, 0.003, 1e-3, 3e-4]  # enough to pay for compiling and for the comparison of the first steps
    plan = tune(odd, flowers, learning_rate=rates, plan=True, epochs=2, workers=0, dir=str(here)).plan
    [(reason, stacks)] = plan.alone.items()
    assert "does more than compute" in reason
    assert stacks == 1
    assert plan.seconds == plan.seconds_alone > 0


def test_whole_numbers_of_a_logarithmic_grid_are_whole_numbers():
    seen = []

    def build(hp):
        seen.append(hp.Int("units", 4, 16, step=2, sampling="log"))

    assert [values["units"] for values in combinations(build)] == [4, 8, 16]
    assert {type(units) for units in seen} == {int}


def test_a_keras_tuner_function_gets_none_and_not_its_name():
    seen = []

    def build(hp):
        seen.append(hp.Choice("norm", ["layer", "batch"]))

    axis = Axis.of("norm", [None, "batch"])
    job = Terms(Function.of(build), {"norm": axis.objects}, None, None, 1, None, 0.0, 32, 0)
    assert len(explore(job, lambda events: None, {"norm": list(axis.values)})["combinations"]) == 2
    assert seen == [None, "batch"]
