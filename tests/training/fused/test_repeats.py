"""Combinations that are trained with several seeds, against the same runs by hand and on both engines."""

from __future__ import annotations

from statistics import fmean, stdev

import keras
import numpy as np
import pytest
from keras import layers

from nbtune import tune
from nbtune.record.events import DIVERGED, EpochUnderWay
from nbtune.training.fused import compilation, fit
from tests.cases import cases
from tests.conftest import dense
from tests.training.fused.test_fit import alone, assert_same, classifier, in_stacks, job_of, relu, rows  # noqa: F401 - a fixture among them
from tests.training.test_trial import by_hand

RATES = [0.01, 0.003]


@pytest.fixture(scope="module")
def found(flowers, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("repeats"))
    return tune(dense, flowers, units=[8], learning_rate=RATES, epochs=6, patience=2, repeats=3, workers=0, dir=folder)


def test_the_score_is_the_mean_over_seeds(found, flowers):
    for trial in found.trials:
        runs = []
        for seed in range(3):
            # the rows are split by the first seed in every run
            history, _ = _on_the_first_split(flowers, trial.values["learning_rate"], seed)
            runs.append(history)
        scores = [max(history["val_accuracy"]) for history in runs]
        assert trial.scores == pytest.approx(scores)
        assert trial.score == pytest.approx(fmean(scores))
        assert trial.std == pytest.approx(stdev(scores))
        best = int(np.argmax(scores))
        assert trial.best_epoch == int(np.argmax(runs[best]["val_accuracy"])) + 1
        np.testing.assert_allclose(trial.history["loss"], runs[best]["loss"], rtol=1e-4)


def _on_the_first_split(flowers, rate, seed):
    return by_hand(*flowers, 1, 8, rate, "sparse_categorical_crossentropy", seed=seed, split=0)


def test_the_best_run_is_what_is_kept(found, flowers):
    best = found.best
    seed = int(np.argmax(best.scores))
    _, model = _on_the_first_split(flowers, best.values["learning_rate"], seed)
    for ours, theirs in zip(found.best_model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    assert f"set_random_seed({seed})" in found.code()
    assert "random_state=0" in found.code()


def test_keras_tuner_has_the_mean_as_its_score(found):
    [best] = found.tuner.oracle.get_best_trials(1)
    assert best.score == pytest.approx(found.best.score)


HIDDEN = {"plain": [relu], "dropout": [relu, lambda: layers.Dropout(0.3)], "normalised": [relu, layers.BatchNormalization]}


@pytest.mark.parametrize("hidden", cases(HIDDEN, ["dropout"]))
def test_stacks_and_single_trials_agree(job_of, hidden):  # noqa: F811
    x, _, _, y = rows()
    job, trials = job_of(classifier(*HIDDEN[hidden]), (x, y), repeats=3, init=["glorot_uniform", "he_normal"])
    ended, theirs = in_stacks(job, trials)["3"], alone(job, trials, "3")
    assert_same(ended, theirs)
    assert len(theirs.scores) == 3
    assert ended.scores == pytest.approx(theirs.scores, rel=1e-4)


def test_a_stack_is_compiled_once_for_all_seeds(job_of, monkeypatch):  # noqa: F811
    x, _, _, y = rows()
    functions = []
    make = compilation.epoch_function
    monkeypatch.setattr(compilation, "epoch_function", lambda *a, **k: functions.append(make(*a, **k)) or functions[-1])
    in_stacks(*job_of(classifier(relu), (x, y), repeats=3))
    assert sum(function.experimental_get_tracing_count() for function in functions) == 1


def dropout():
    return layers.Dropout(0.2)


@pytest.mark.parametrize(("hidden", "epochs"), [([relu], [1, 2]), ([relu, dropout], [1, 2, 1, 2])])
def test_every_run_begins_with_epoch_one_and_a_trial_ends_once(job_of, hidden, epochs):  # noqa: F811
    """Repeats that are trained at the same time have their epochs in common."""
    x, _, _, y = rows()
    job, trials = job_of(classifier(*hidden), (x, y), repeats=2, epochs=2, patience=None)
    events = []
    fit.fit_stack(job, events.extend, trials)
    mine = [event for event in events if not isinstance(event, EpochUnderWay) and event.trial == "0"]
    assert [type(event).__name__ for event in mine] == ["TrialStarted", *["EpochEnded"] * len(epochs), "TrialEnded"]
    assert [event.epoch for event in mine[1:-1]] == epochs


def test_runs_that_find_no_memory_together_come_to_the_same_one_after_another(job_of, monkeypatch):  # noqa: F811
    x, _, _, y = rows()
    job, trials = job_of(classifier(relu), (x, y), repeats=3)
    together = in_stacks(job, trials)
    monkeypatch.setattr(fit.memory, "most", lambda *_: len(trials))
    apart = in_stacks(job, trials)
    for id in trials:
        assert together[id].scores == pytest.approx(apart[id].scores, rel=1e-5)
        np.testing.assert_allclose(together[id].history["loss"], apart[id].history["loss"], rtol=1e-5)


def fragile():
    """Its loss is NaN with seed 1, and with no other of the first three."""
    factor = float("nan") if np.random.rand() < 0.42 else 1.0

    def loss(y_true, y_pred):
        return factor * keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    model = dense(1, 8, features=8)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def test_a_run_that_diverges_makes_the_trial_diverge_and_says_with_which_seed(job_of):  # noqa: F811
    x, _, _, y = rows()
    job, trials = job_of(fragile, (x, y), repeats=3, learning_rate=None)
    end = alone(job, trials, "0")
    assert end.status == DIVERGED
    assert end.error.endswith("in epoch 1, in the run with seed 1")
    assert end.scores == []


def any_activation():
    return classifier(lambda: layers.Dense(4, activation=str(np.random.choice(["relu", "tanh", "elu", "selu"]))))()


def any_width():
    return classifier(lambda: layers.Dense(int(np.random.randint(4, 12)), activation="relu"))()


@pytest.mark.parametrize("build", [fragile, any_activation, any_width])
def test_what_is_made_anew_for_each_seed_is_left_to_single_trials(job_of, build):  # noqa: F811
    x, _, _, y = rows()
    job, trials = job_of(build, (x, y), repeats=3)
    ended, refused = fit.fit_stack(job, lambda events: None, trials)
    assert not ended
    assert "anew" in refused["0"]
