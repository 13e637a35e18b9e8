"""What could not be trained together, and why, is told everywhere: a silent fallback would only be slow."""

from __future__ import annotations

import re

import keras
import pytest
import tensorflow as tf

import nbtune
from nbtune.record import log
from nbtune.record.events import TrainedAlone, TrialEnded, TrialStarted, from_dict, to_dict
from nbtune.training.fused import epoch
from nbtune.training.reasons import _said
from nbtune.views.notebook.wire import Wire
from nbtune.views.table import table_html, table_text
from tests.conftest import dense
from tests.views.conftest import done, search

REASON = "the optimizer Adafactor"


def tuned(build, data, here, **options):
    options = {"engine": "fused", "epochs": 2, "workers": 0, "retries": 0, "learning_rate": [0.01, 0.003], **options}
    return nbtune.tune(build, data, dir=str(here), **options)


def test_the_reason_stays_with_the_trial_and_shows_on_every_surface():
    told = TrainedAlone(["0", "1"], REASON)
    assert from_dict(to_dict(told)) == told
    events = [TrialStarted("0", 1.0), told, TrialStarted("0", 2.0), done("0", 0.5), TrialEnded("1", "failed", error="no")]
    progress = search([{"units": n} for n in (1, 2, 3)], events=events)
    assert [trial.alone for trial in progress.trials] == [REASON, REASON, None]
    line = "1 trial trained one by one: the optimizer Adafactor"  # the other one failed, and says why
    assert line in table_text(progress)
    assert line in table_html(progress)
    assert line in str(Wire(progress).whole(3.0))


def test_a_model_that_cannot_share_a_stack_says_so(flowers, here):
    found = tuned(dense, flowers, here, optimizer=["adafactor"])
    assert found.coverage.done == 2
    assert set(found.to_frame()["alone"]) == {REASON}
    assert dict(found.plan.trained_alone) == {REASON: 2}
    assert f"2 of the combinations: {REASON}" in str(found.plan)
    again = tuned(dense, flowers, here, optimizer=["adafactor"])
    assert set(again.to_frame()["alone"]) == {REASON}, "what an earlier run found out is still known"


def test_trials_that_are_trained_together_have_no_reason(flowers, here):
    assert list(tuned(dense, flowers, here).to_frame()["alone"]) == [None, None]


def test_a_fault_of_nbtune_says_so_and_where_its_traceback_is(flowers, here, monkeypatch, capfd):
    def broken(*arguments):
        raise KeyError("some name of ours")

    broken.__code__ = broken.__code__.replace(co_filename=epoch.__file__)
    monkeypatch.setattr("nbtune.training.fused.compilation.epoch_function", broken)
    found = tuned(dense, flowers, here)
    assert found.coverage.done == 2
    (told,) = [event for event in log.read(found.directory).events if isinstance(event, TrainedAlone)]
    assert told.is_fault
    assert re.search(r"a fault of nbtune, KeyError: 'some name of ours'.*workers\.log", told.reason)
    assert "Traceback (most recent call last)" in capfd.readouterr().err


@pytest.mark.slow
def test_an_error_of_the_users_own_code_is_not_called_a_fault_of_nbtune(flowers, here):
    def odd(y_true, y_pred):
        if y_pred.shape[0] is not None:  # as it is where trials are traced together
            raise ValueError("no such shape")
        return keras.ops.mean((y_pred - 1) ** 2, -1)

    def build(learning_rate):
        model = dense()
        model.compile(keras.optimizers.Adam(learning_rate), odd, metrics=["accuracy"])
        return model

    found = tuned(build, flowers, here)
    assert found.coverage.done == 2
    assert {trial.alone for trial in found.trials} == {"ValueError: no such shape, in your own code"}


class Recurrence(keras.layers.Layer):
    """A recurrent layer of one's own, whose loop collects its states."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(1, 3), initializer="glorot_uniform", name="kernel")

    def call(self, rows):
        def step(state, number):
            state = keras.ops.tanh(keras.ops.matmul(number, self.kernel) + state)
            return state, state

        steps = keras.ops.transpose(rows)[:, :, None]
        return keras.ops.scan(step, keras.ops.zeros((keras.ops.shape(rows)[0], 3)), steps)[0]


@pytest.mark.slow
def test_a_loop_that_tensorflow_cannot_do_for_all_trials_is_no_fault(flowers, here):
    def build():
        return keras.Sequential([keras.Input((4,)), Recurrence(), keras.layers.Dense(3, activation="softmax")])

    found = tuned(build, flowers, here)
    assert found.coverage.done == 2
    (why,) = {trial.alone for trial in found.trials}
    assert re.fullmatch(r"a loop that collects .* \(TensorList\w+\), which TensorFlow cannot do for all trials at once", why)


def test_an_error_behind_a_traceback_of_tensorflow_is_told_in_its_own_words():
    text = (  # as TensorFlow writes it
        "Graph execution error:\n\nDetected at node a/b defined at\n  File x\n\nbad shape\n\t [[{{node a/b}}]] [Op:__inference_1]"
    )
    error = tf.errors.InvalidArgumentError(None, None, text)
    assert _said(error) == "InvalidArgumentError: bad shape"
