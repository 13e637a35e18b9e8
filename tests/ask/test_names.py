"""Every name in `nbtune.names`, held against Keras and KerasTuner."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras_tuner.src.engine.metrics_tracking import infer_metric_direction

from nbtune.ask import names
from nbtune.ask.objective import Objective
from nbtune.ask.options import Options
from nbtune.errors import UsageError

METRICS = (names.MAXIMISED | names.MINIMISED) - {"loss"}
NOT_JUDGED_BY_KERAS_TUNER = {"f1_score", "r2_score"}  # it takes whatever it does not know for a loss


@pytest.mark.parametrize("name", sorted(names.LOSSES))
def test_keras_has_the_loss(name):
    assert callable(keras.losses.get(name))


@pytest.mark.parametrize("name", sorted(names.INITIALIZERS))
def test_keras_has_the_initialiser(name):
    kernel = keras.initializers.get(name)((6, 4))
    assert np.isfinite(kernel).all()


@pytest.mark.parametrize("name", sorted(names.OPTIMIZERS))
def test_keras_has_the_optimizer_and_it_has_a_learning_rate(name):
    optimizer = keras.optimizers.get(name)
    optimizer.learning_rate = 0.25
    assert float(optimizer.learning_rate) == 0.25


@pytest.mark.parametrize("name", sorted(names.SPELLED))
def test_a_short_name_of_an_initialiser_is_the_same_to_keras(name):
    assert type(keras.initializers.get(name)) is type(keras.initializers.get(names.SPELLED[name]))
    [axis] = Options.of(init=name).axes
    assert axis.values == (names.SPELLED[name],)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_keras_has_the_metric(name):
    assert callable(keras.metrics.get(name))


@pytest.mark.parametrize("name", sorted((names.MAXIMISED | names.MINIMISED) - NOT_JUDGED_BY_KERAS_TUNER))
def test_keras_tuner_agrees_which_way_is_better(name):
    expected = "max" if name in names.MAXIMISED else "min"
    assert infer_metric_direction(name) == expected
    assert infer_metric_direction(f"val_{name}") == Objective.of(f"val_{name}").direction == expected


@pytest.mark.parametrize("name", sorted(NOT_JUDGED_BY_KERAS_TUNER))
def test_better_predictions_have_more_of_what_keras_tuner_does_not_know(name):
    def value(predicted):
        metric = keras.metrics.get(name)
        metric.update_state(truth, predicted)
        return np.mean(metric.result())

    truth = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], "float32")
    assert value(truth) > value(1 - truth)
    assert Objective.of(name).direction == "max"


@pytest.mark.parametrize("alias", sorted(set(names.ALIASES) - {"acc"}))
def test_a_short_name_of_a_loss_is_the_same_to_keras(alias):
    full = names.canonical(alias)
    assert full in names.LOSSES
    try:
        known = keras.losses.get(alias)
    except ValueError:
        return  # Keras knows the full name alone, and nbtune passes that on
    assert known is keras.losses.get(full)


@pytest.mark.parametrize("alias", sorted(set(names.ALIASES) - {"acc"}))  # Keras treats "acc" as "accuracy" in compile
def test_a_short_name_that_may_be_an_objective_is_a_metric_of_keras(alias):
    try:
        objective = Objective.of(f"val_{alias}")
    except UsageError:
        return  # not offered, so not promised
    assert callable(keras.metrics.get(objective.metric))


@pytest.mark.parametrize(
    ("option", "known", "get"),
    [
        ("loss", names.LOSSES, lambda name: keras.losses.get(names.canonical(name.lower()))),
        ("init", names.INITIALIZERS, keras.initializers.get),
        ("optimizer", names.OPTIMIZERS, keras.optimizers.get),
    ],
)
@pytest.mark.parametrize("spelling", [str, str.upper, str.title, str.capitalize], ids=lambda how: how.__name__)
def test_a_name_that_is_accepted_in_another_case_is_one_that_keras_takes(option, known, get, spelling):
    for name in sorted(known):
        try:
            axis = getattr(Options.of(**{option: spelling(name)}), option)
        except UsageError:
            continue
        assert get(axis.values[0]) is not None


@pytest.mark.parametrize("name", sorted(names.ELSEWHERE.items()), ids=lambda pair: pair[0])
def test_what_others_call_it_leads_to_a_name_of_keras(name):
    assert name[1] in names.LOSSES | names.INITIALIZERS | names.OPTIMIZERS
    assert name[0] not in names.LOSSES | names.INITIALIZERS | names.OPTIMIZERS


@pytest.mark.parametrize("name", sorted(names.SPARSE_LOSSES))
def test_sparse_losses_take_class_numbers(name):
    loss = keras.losses.get(name)(np.array([1, 0]), np.array([[0.1, 0.9], [0.8, 0.2]], "float32"))
    np.testing.assert_allclose(loss, -np.log([0.9, 0.8]), rtol=1e-5)


def test_the_sets_do_not_contradict_each_other():
    assert not names.CLASS_LOSSES & names.NUMBER_LOSSES
    assert not names.MAXIMISED & names.MINIMISED
    assert names.CATEGORICAL_LOSSES <= names.CLASS_LOSSES


@pytest.mark.parametrize(("version", "has"), [("3.13.2", False), ("3.14.0", True), ("3.15.1", True), ("none", True)])
def test_only_what_the_installed_keras_has_is_offered(version, has):
    assert ("muon" in names.offered({"adam", "muon"}, version)) == has
    assert "adam" in names.offered({"adam", "muon"}, version)


def test_losses_are_known_by_their_classes():
    classes = [name for name, thing in vars(keras.losses).items() if isinstance(thing, type)]
    for loss in names.LOSSES:
        assert [names.loss_of_class(name) for name in classes].count(loss) == 1, loss
    assert names.loss_of_class("MeanSquaredError") == "mean_squared_error"
    assert names.loss_of_class("CTC") is None
