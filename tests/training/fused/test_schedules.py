"""Learning rates that change: stacks against `model.fit`, rates against Keras's own classes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, optimizers

from nbtune.ask.options import Options
from nbtune.ask.schedules import SCHEDULES
from nbtune.execution.inline import Inline
from nbtune.run.grouping import stacks
from nbtune.run.prepare import prepare
from nbtune.run.request import Request
from nbtune.training.onecycle import OneCycle

from .test_fit import X, Y, alone, assert_same, check, classifier, compiled, in_stacks, job_of, relu

__all__ = ["compiled", "job_of"]  # fixtures
EPOCHS, STEPS = 8, 6  # 168 of 210 rows train


def expected(kind):
    """Each schedule of a rate of 0.02, written down by hand."""
    by_keras = optimizers.schedules
    total = EPOCHS * STEPS
    return {
        "constant": lambda step: 0.02,
        "cosine": by_keras.CosineDecay(0.02, total),
        "exponential": by_keras.ExponentialDecay(0.02, total, 0.01),
        "step": lambda step: 0.02 if step < total // 2 else 0.002 if step < total * 3 // 4 else 0.0002,
        "warmup": by_keras.CosineDecay(0.002, total - total // 10, warmup_target=0.02, warmup_steps=total // 10),
        "one-cycle": OneCycle(0.02, total),
    }[kind]


@pytest.mark.slow
def test_every_schedule_shares_one_stack_and_is_that_of_model_fit(job_of, compiled):
    job, trials = job_of(classifier(relu), (X, Y), schedule=SCHEDULES, learning_rate=[0.02], epochs=EPOCHS, patience=4)
    ended = in_stacks(job, trials)
    assert compiled() == 1
    for id, values in trials.items():
        kind, theirs = values["schedule"], alone(job, trials, id)
        assert_same(ended[id], theirs)
        np.testing.assert_allclose(ended[id].rates, theirs.rates, rtol=1e-5, err_msg=kind)
        assert len(theirs.rates) == len(theirs.history["loss"])
        assert theirs.history["learning_rate"] == theirs.rates
        if kind != "plateau":
            by_hand = [float(expected(kind)(epoch * STEPS)) for epoch in range(len(theirs.rates))]
            np.testing.assert_allclose(theirs.rates, by_hand, rtol=1e-5, err_msg=kind)


def test_a_plateau_lowers_the_rate_in_a_stack_when_it_does_in_model_fit(job_of):
    job, trials = job_of(classifier(relu), (X, Y), schedule=["plateau"], learning_rate=[0.3, 0.1], epochs=10, patience=None)
    ended = in_stacks(job, trials)
    for id in trials:
        theirs = alone(job, trials, id)
        assert_same(ended[id], theirs)
        assert ended[id].rates == pytest.approx(theirs.history["learning_rate"])
    assert min(ended["0"].rates) < 0.3


class Own(optimizers.schedules.LearningRateSchedule):
    """A user's, which has no configuration."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate / (1 + 0.3 * keras.ops.cast(step, "float32"))


def dropping():
    return layers.Dropout(0.2)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [relu, dropping])
def test_schedules_of_any_class_with_any_numbers_share_a_stack(job_of, compiled, hidden):
    def build(learning_rate):
        model = classifier(hidden)()
        own = Own(learning_rate) if learning_rate > 0.1 else optimizers.schedules.CosineDecay(learning_rate, 12)
        rate = 0.003 if learning_rate == 0.3 else own
        model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy")
        return model

    job, trials = job_of(build, (X, Y), learning_rate=[0.05, 0.02, 0.15, 0.2, 0.3], epochs=4)
    check(job, trials, ids=["0", "2", "4"])
    assert compiled() == 1


def test_a_rate_that_a_hyperparameter_function_asks_for_inside_does_not_part_stacks(tmp_path):
    def build(hp):
        model = classifier(relu)()
        rate = optimizers.schedules.ExponentialDecay(hp.Choice("rate", [0.1, 0.01]), hp.Choice("steps", [5, 9]), 0.9)
        model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    request = Request.of(Options.of(build=build, data=(X, Y), epochs=2))
    space, _, _ = prepare(request, Inline(lambda events: None), tmp_path, tmp_path / "project")
    assert [len(stack) for stack in stacks(space, "auto")] == [4]


def test_one_cycle_rises_to_its_peak_and_ends_at_a_thousandth():
    rates = [float(OneCycle(1.0, 100)(step)) for step in range(101)]
    assert (rates[0], max(rates), np.argmax(rates)) == (pytest.approx(0.1), pytest.approx(1.0), 45)
    assert rates[90] == pytest.approx(0.1)
    assert rates[100] == pytest.approx(0.001, rel=1e-4)
