"""A trial that was stopped, or lost its worker, goes on with the numbers of one that was left alone: alone and in a stack."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from nbtune.record import checkpoint
from nbtune.record.events import DONE, STOPPED, EpochEnded, TrialStarted
from nbtune.training import resuming, trial
from nbtune.training.fused import fit
from tests.cases import cases
from tests.training.fused.test_fit import job_of, rows  # noqa: F401

EPOCHS = 9


def plain(units=8, depth=1):
    hidden = [layers.Dense(units, activation="relu") for _ in range(depth)]
    return keras.Sequential([keras.Input((8,)), *hidden, layers.Dense(3, activation="softmax")])


def dropout(rate=0.3, units=8):
    return keras.Sequential(
        [keras.Input((8,)), layers.Dense(units, "relu"), layers.Dropout(rate), layers.Dense(3, activation="softmax")]
    )


def normalised(units=8):
    inner = [layers.Dense(units), layers.BatchNormalization(), layers.Activation("relu")]
    return keras.Sequential([keras.Input((8,)), *inner, layers.Dense(3, activation="softmax")])


def unbuilt(units=8):
    return keras.Sequential([layers.Dense(units, activation="relu"), layers.Dense(3, activation="softmax")])


def scheduled(units=8):
    made = plain(units)
    rate = keras.optimizers.schedules.ExponentialDecay(0.02, 5, 0.9)
    made.compile(keras.optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


def lowered():
    """Callbacks of Keras's that keep numbers."""
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.05, cooldown=1)
    return [keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.95), plateau, keras.callbacks.TerminateOnNaN()]


KINDS = {
    "plain": (plain, {}),
    "widths": (plain, {"units": [4, 8, 16]}),
    "depths": (plain, {"axis": {"depth": [1, 2, 3]}, "units": [8, 12]}),
    "adagrad": (plain, {"optimizer": "adagrad", "units": [4, 8]}),
    "ftrl": (plain, {"optimizer": "ftrl", "units": [4, 8]}),
    "dropout": (dropout, {}),
    "batch normalisation": (normalised, {}),
    "unbuilt": (unbuilt, {}),
    "a schedule": (scheduled, {"learning_rate": None, "units": [8, 9]}),
    "a plateau": (plain, {"schedule": "plateau", "patience": 4, "epochs": 30, "learning_rate": [0.3, 0.01]}),
    "callbacks": (plain, {"callbacks": lowered}),
    "patience": (plain, {"patience": 3, "min_delta": 0.02, "epochs": 30}),
}


class Told:
    """What a task tells, and after how many epochs of the first trial it is asked to stop."""

    def __init__(self, epochs=None):
        self.events, self._epochs = [], epochs

    def __call__(self, events):
        self.events += events

    def stopping(self):
        ended = max((event.epoch for event in self.events if isinstance(event, EpochEnded)), default=0)
        return self._epochs is not None and ended >= self._epochs


def alone(job, trials, told):
    return {id: trial.fit(job, told, id, values, told.stopping) for id, values in trials.items()}


def undisturbed(job, trials):
    """By `model.fit`; on a slow machine it has left a checkpoint."""
    ended = alone(job, trials, Told())
    for id in trials:
        checkpoint.remove(job.project, id)
    return ended


def stacked(job, trials, told):
    ended, refused = fit.fit_stack(job, told, trials, told.stopping)
    assert not refused
    return {end.trial: end for end in ended}


def same(ours, theirs):
    assert (ours.status, ours.best_epoch) == (theirs.status, theirs.best_epoch)
    assert list(ours.history) == list(theirs.history)
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


STACKED = [(stacked, kind) for kind in KINDS if kind != "unbuilt"]


ALONE = [(alone, kind) for kind in ("dropout", "unbuilt", "patience", "a plateau", "callbacks")]


QUICK = [(stacked, "widths"), (stacked, "dropout"), (stacked, "a plateau"), (alone, "patience"), (alone, "callbacks")]


@pytest.mark.parametrize(("engine", "kind"), cases([*STACKED, *ALONE], QUICK))
def test_it_goes_on_as_if_it_had_not_been_stopped(job_of, engine, kind):  # noqa: F811
    build, options = KINDS[kind]
    x, _, _, y = rows()
    job, trials = job_of(build, (x, y), **{"epochs": EPOCHS, "patience": None, **options})
    names = list(trials)
    compared = names[:1] if engine is alone else [names[0], names[-1]]
    trials = {id: values for id, values in trials.items() if engine is stacked or id in compared}
    whole = undisturbed(job, {id: trials[id] for id in compared})
    first = engine(job, trials, Told(4))
    assert {end.status for end in first.values()} == {STOPPED}
    for id in compared:
        assert len(first[id].history["loss"]) == 4
        accuracy = whole[id].history["val_accuracy"]
        assert first[id].score == pytest.approx(accuracy[first[id].best_epoch - 1]) == pytest.approx(max(accuracy[:4]))
    told = Told()
    ended = engine(job, trials, told)
    for id in compared:
        same(ended[id], whole[id])
        assert ended[id].seconds > first[id].seconds
    assert {event.epoch for event in told.events if isinstance(event, EpochEnded)} >= {5}
    assert min(event.epoch for event in told.events if isinstance(event, EpochEnded)) == 5
    assert [len(event.history["loss"]) for event in told.events if isinstance(event, TrialStarted) and event.history]


@pytest.mark.parametrize(("before", "after"), cases([(alone, stacked), (stacked, alone)], [(stacked, alone)]))
def test_one_engine_goes_on_where_the_other_was(job_of, before, after):  # noqa: F811
    x, _, _, y = rows()
    job, trials = job_of(plain, (x, y), epochs=EPOCHS, patience=None, units=[4, 8], learning_rate=[0.01])
    whole = undisturbed(job, trials)
    for trial_of_each in [{id: values} for id, values in trials.items()] if before is alone else [trials]:
        before(job, trial_of_each, Told(3))
    for id, end in after(job, trials, Told()).items():
        assert end.status == DONE
        for name, values in whole[id].history.items():
            np.testing.assert_allclose(end.history[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("engine", cases([alone, stacked], [stacked]))
def test_what_a_killed_worker_wrote_is_enough(job_of, engine, monkeypatch):  # noqa: F811
    x, _, _, y = rows()
    monkeypatch.setattr(resuming, "SECONDS_BEFORE", 0.0)
    monkeypatch.setattr(resuming, "SHARE", 1e9)
    job, trials = job_of(plain, (x, y), epochs=EPOCHS, patience=None)

    class Killed(BaseException):
        pass

    def emit(events):
        if any(isinstance(event, EpochEnded) and event.epoch == 6 for event in events):
            raise Killed

    told = Told()
    with pytest.raises(Killed):
        engine(job, trials, type("Dies", (), {"__call__": lambda self, events: emit(events), "stopping": lambda self: False})())
    assert checkpoint.end_of(job.project, "0", trials["0"]).history["loss"][4:], "five epochs"
    again = engine(job, {"0": trials["0"]}, told)["0"]
    assert min(event.epoch for event in told.events if isinstance(event, EpochEnded)) == 6
    checkpoint.remove(job.project, "0")
    same(again, trial.fit(job, lambda events: None, "0", trials["0"]))


class Own(layers.Layer):
    """What a user writes may keep anything."""

    def call(self, x):
        return x


def own(units=8):
    return keras.Sequential([keras.Input((8,)), layers.Dense(units), Own(), layers.Dense(3, activation="softmax")])


OWN_CALLBACK = {"callbacks": lambda: [keras.callbacks.LambdaCallback()]}


@pytest.mark.parametrize(
    ("build", "options", "why"), [(own, {}, "Own, which may"), (plain, OWN_CALLBACK, "the callback LambdaCallback, which may")]
)
def test_what_cannot_go_on_begins_again_and_says_so(job_of, build, options, why):  # noqa: F811
    x, _, _, y = rows()
    job, trials = job_of(build, (x, y), epochs=EPOCHS, patience=None, **options)
    end = trial.fit(job, told := Told(3), "0", trials["0"], told.stopping)
    assert end.score is not None
    assert f"it will begin again at its first epoch, because of {why}" in end.error
    trial.fit(job, told := Told(), "0", trials["0"], told.stopping)
    assert min(event.epoch for event in told.events if isinstance(event, EpochEnded)) == 1


def test_damage_costs_the_checkpoint_and_nothing_else(job_of):  # noqa: F811
    x, _, _, y = rows()
    job, trials = job_of(plain, (x, y), epochs=EPOCHS, patience=None)
    trial.fit(job, told := Told(3), "0", trials["0"], told.stopping)
    path = job.project / "trial_0" / checkpoint.FILE
    whole = path.read_bytes()
    assert checkpoint.read(job.project, "0", trials["0"]) is not None
    assert checkpoint.read(job.project, "0", trials["1"]) is None, "another combination's"
    for at in range(0, len(whole), max(len(whole) // 97, 1)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert checkpoint.read(job.project, "0", trials["0"]) is None, at
        path.write_bytes(whole[:at])
        assert checkpoint.read(job.project, "0", trials["0"]) is None, at


def test_writing_takes_a_fiftieth_of_the_time_at_most():
    now = [0.0]
    pace = resuming.Pace(lambda: now[0])
    spent = 0.0
    while now[0] < 1000:
        now[0] += 0.1
        if pace.due:
            with pace.counted():
                now[0] += 0.5
            spent += 0.5
    assert 0.015 < spent / now[0] < 0.021
