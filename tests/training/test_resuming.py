"""A trial that was stopped, or lost its worker, goes on with the numbers of one that was left alone: alone and in a stack."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
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

SEVERAL = {
    "repeats": (plain, {"repeats": 3, "units": [4, 8], "axis": {"depth": [1, 2]}, "learning_rate": [0.01]}),
    "with patience": (plain, {"repeats": 3, "patience": 2, "min_delta": 0.02, "epochs": 20}),
    "a rate of its own": (scheduled, {"repeats": 2, "learning_rate": None, "units": [8, 9]}),
    "that draw": (dropout, {"repeats": 2}),
    "folds": (plain, {"folds": 3}),
    "folds of several sizes": (plain, {"folds": 4, "repeats": 2, "batch_size": 157}),
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


def undisturbed(job, trials, told=None):
    """By `model.fit`; on a slow machine it has left a checkpoint."""
    ended = alone(job, trials, told or Told())
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


QUICK = [(stacked, "widths"), (stacked, "a plateau"), (alone, "dropout"), (alone, "callbacks")]


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


class Counting(Told):
    """It is asked to stop after so many epochs of the first trial, over all of its runs."""

    def stopping(self):
        return _epochs(self) >= self._epochs


AT = [(stacked, 4), (stacked, 13), (alone, 4), (alone, 9), (alone, 11)]
OF_RUNS = [(kind, *each) for kind in SEVERAL for each in AT]
QUICK_RUNS = [("with patience", stacked, 4), ("folds", alone, 9)]


@pytest.mark.parametrize(("kind", "engine", "epochs"), cases(OF_RUNS, QUICK_RUNS))
def test_each_run_of_a_trial_is_kept_or_goes_on(job_of, kind, engine, epochs):  # noqa: F811
    build, options = SEVERAL[kind]
    x, _, _, y = rows()
    job, trials = job_of(build, (x, y), **{"epochs": EPOCHS, "patience": None, **options})
    names = ["0"] if engine is alone else ["0", list(trials)[-1]]
    trials = {id: values for id, values in trials.items() if engine is stacked or id in names}
    whole = undisturbed(job, {id: trials[id] for id in names}, told := Told())
    expected = _epochs(told)
    first = engine(job, trials, counting := Counting(epochs))
    assert first["0"].status == STOPPED
    assert "begin again" not in first["0"].error
    again, expected = engine(job, trials, second := Counting(2)), expected - _epochs(counting)
    told = Told()
    ended = engine(job, {id: values for id, values in trials.items() if again[id].status == STOPPED}, told)
    for id in names:
        end = ended.get(id, again[id])
        np.testing.assert_allclose(end.scores, whole[id].scores, rtol=1e-4, atol=1e-6)
        assert end.best_epochs == whole[id].best_epochs
        assert end.fold_weights.keys() == whole[id].fold_weights.keys()
        same(end, whole[id])
        assert end.weights
    if engine is alone:
        assert _epochs(second) + _epochs(told) == expected
    elif kind != "that draw":  # its runs are trained one after the other
        assert min(event.epoch for event in told.events if isinstance(event, EpochEnded)) > 1


def _epochs(told):
    return sum(isinstance(event, EpochEnded) and event.trial == "0" for event in told.events)


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


KILLED = [(alone, {}, 6), (stacked, {}, 6), (alone, {"repeats": 3}, 15), (stacked, {"repeats": 3}, 6), (alone, {"folds": 3}, 15)]


@pytest.mark.parametrize(("engine", "options", "at"), cases(KILLED, [KILLED[1], KILLED[2]]))
def test_what_a_killed_worker_wrote_is_enough(job_of, engine, options, at, monkeypatch):  # noqa: F811
    x, _, _, y = rows()
    monkeypatch.setattr(resuming, "SECONDS_BEFORE", 0.0)
    monkeypatch.setattr(resuming, "SHARE", 1e9)
    job, trials = job_of(plain, (x, y), epochs=EPOCHS, patience=None, **options)

    class Killed(BaseException):
        pass

    class Dies(Told):
        def __call__(self, events):
            super().__call__(events)
            if _epochs(self) == at:
                raise Killed

    with pytest.raises(Killed):
        engine(job, trials, Dies())
    left = checkpoint.ends_of(job.project, "0", trials["0"], job.runs)
    assert sum(len(end.history["loss"]) for end in left) == (at - 1) * (job.runs if engine is stacked else 1)
    again = engine(job, {"0": trials["0"]}, told := Told())["0"]
    assert next(event.epoch for event in told.events if isinstance(event, EpochEnded)) == (at - 1) % EPOCHS + 1
    checkpoint.remove(job.project, "0")
    whole = trial.fit(job, lambda events: None, "0", trials["0"])
    np.testing.assert_allclose(again.scores, whole.scores, rtol=1e-4, atol=1e-6)
    same(again, whole)


class Scaled(layers.Layer):
    """What a user may write: a weight, a state that each step moves, and random numbers of a generator of its own."""

    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(3)

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")
        self.mean = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * keras.ops.mean(x, axis=0))
            x = x + 0.1 * keras.random.normal(keras.ops.shape(x), seed=self.seeds)
        return self.scale * (x - self.mean)


def with_layer(make):
    def build(units=8):
        return keras.Sequential([keras.Input((8,)), layers.Dense(units), make(), layers.Dense(3, activation="softmax")])

    return build


class OwnStep(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


class OwnOptimizer(keras.optimizers.SGD):
    """With a state of its own."""


def own_step(units=8):
    inputs = keras.Input((8,))
    return OwnStep(inputs, layers.Dense(3, activation="softmax")(layers.Dense(units, "relu")(inputs)))


def own_optimizer(units=8):
    made = plain(units)
    made.compile(OwnOptimizer(0.02, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


OWN = {
    "a layer": (with_layer(Scaled), {}),
    "a function": (with_layer(lambda: layers.Lambda(lambda x: 2 * x)), {}),
    "a step": (own_step, {}),
    "an optimizer": (own_optimizer, {"learning_rate": None, "units": [8, 9]}),
}
OF_OWN = [(kind, engine) for kind in OWN for engine in (alone, stacked) if (kind, engine) != ("an optimizer", stacked)]  # refused


@pytest.mark.parametrize(("kind", "engine"), cases(OF_OWN, [("a layer", alone), ("a step", alone)]))
def test_code_of_ones_own_goes_on(job_of, kind, engine):  # noqa: F811
    build, options = OWN[kind]
    x, _, _, y = rows()
    job, trials = job_of(build, (x, y), **{"epochs": EPOCHS, "patience": None, **options})
    goes_on(job, trials, engine)


def goes_on(job, trials, engine=alone):
    """The first trial, stopped after three epochs, goes on with the numbers of one that was not."""
    trials = trials if engine is stacked else {"0": trials["0"]}
    whole = undisturbed(job, {"0": trials["0"]})["0"]
    first = engine(job, trials, Told(3))["0"]
    assert (first.status, len(first.history["loss"])) == (STOPPED, 3)
    assert "begin again" not in first.error
    if engine is alone:  # a stack does not begin when it is to stop, and its trials stay as they are known
        at_once = engine(job, trials, Told(0))["0"]
        assert (at_once.status, bool(at_once.weights)) == (STOPPED, True), at_once.error
        assert at_once.score >= first.score
    ended = engine(job, trials, told := Told())["0"]
    assert ended.status == DONE, ended.error
    trained = len((at_once if engine is alone else first).history["loss"])
    assert min(event.epoch for event in told.events if isinstance(event, EpochEnded)) == trained + 1 <= 5
    same(ended, whole)


class Counted(layers.Layer):
    """With a variable that Keras does not know."""

    def __init__(self):
        super().__init__()
        self.calls = [tf.Variable(0.0, trainable=False)]

    def call(self, x):
        return x * (1 + 0.01 * self.calls[0].assign_add(1.0))


class Drawing(layers.Layer):
    def call(self, x):
        return x + 0.01 * tf.random.normal(tf.shape(x))


class Python(layers.Layer):
    def call(self, x):
        return tf.ensure_shape(tf.numpy_function(lambda value: value, [x], tf.float32), x.shape)


def eager():
    made = with_layer(Scaled)()
    made.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return made


def own_loop():
    class Loop(keras.Model):
        def fit(self, *args, **kwargs):
            return super().fit(*args, **kwargs)

    inputs = keras.Input((8,))
    return Loop(inputs, layers.Dense(3, activation="softmax")(inputs))


OWN_CALLBACK = {"callbacks": lambda: [keras.callbacks.LambdaCallback()]}
HIDDEN = [
    (with_layer(Counted), {}, "Counted: the variable 'Variable', which is none of the model's"),
    (with_layer(Drawing), {}, "Drawing: the operation RandomStandardNormal, which may keep a state of its own"),
    (with_layer(Python), {}, "Python: the operation PyFunc, which may keep a state of its own"),
    (eager, {"learning_rate": None}, "Scaled, whose Python code runs in each step"),
    (own_loop, {}, "a fit of its own"),
    (plain, OWN_CALLBACK, "the callback LambdaCallback, which may"),
]


@pytest.mark.parametrize(("build", "options", "why"), cases(HIDDEN, [HIDDEN[0], HIDDEN[5]]))
def test_what_cannot_go_on_begins_again_and_says_so(job_of, build, options, why):  # noqa: F811
    x, _, _, y = rows()
    job, trials = job_of(build, (x, y), epochs=EPOCHS, patience=None, **options)
    end = trial.fit(job, told := Told(3), "0", trials["0"], told.stopping)
    assert end.score is not None
    assert f"it will begin again at its first epoch, because of {why}" in end.error
    trial.fit(job, told := Told(), "0", trials["0"], told.stopping)
    assert min(event.epoch for event in told.events if isinstance(event, EpochEnded)) == 1


class Noisy(keras.utils.PyDataset):
    def __len__(self):
        return 7

    def __getitem__(self, index):
        x, _, _, y = rows()
        taken = slice(30 * index, 30 * index + 30)
        return x[taken] + np.random.normal(size=(30, 8)).astype("float32"), y[taken]


def generator():
    x, _, _, y = rows()
    for start in np.random.permutation(np.arange(0, 210, 30)):
        yield x[start : start + 30] + np.random.normal(size=(30, 8)).astype("float32"), y[start : start + 30]


def shuffled():
    x, _, _, y = rows()
    noise = lambda x, y: (x + tf.random.normal([8], seed=2), y)  # noqa: E731
    return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(210, seed=1).map(noise).batch(30)


def endless():
    x, _, _, y = rows()
    return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(210, seed=1).repeat().batch(40)


STREAMS = {
    "a generator": (generator, {"validation_data": generator}),
    "a PyDataset": (Noisy(), {}),
    "tf.data": (shuffled, {"validation_data": shuffled}),
    "endless": (endless, {"steps_per_epoch": 4}),
}


@pytest.mark.parametrize("kind", cases(STREAMS, ["a generator", "endless"]))
def test_data_that_are_read_anew_go_on_with_what_they_would_have_read(job_of, kind):  # noqa: F811
    given, options = STREAMS[kind]
    x, _, _, y = rows()
    job, trials = job_of(dropout, given, **{"validation_data": (x, y), "epochs": EPOCHS, "patience": None, **options})
    assert job.stream
    goes_on(job, trials)


def test_orders_that_are_not_known_to_be_one_are_drawn_again(job_of, monkeypatch):  # noqa: F811
    x, _, _, y = rows()
    job, trials = job_of(dropout, (x, y), epochs=EPOCHS, patience=None)
    monkeypatch.setattr(resuming, "every_epoch_has_one_order", lambda job, rows: False)
    goes_on(job, trials)


def test_damage_costs_the_checkpoint_and_nothing_else(job_of):  # noqa: F811
    x, _, _, y = rows()
    job, trials = job_of(plain, (x, y), epochs=EPOCHS, patience=None)
    trial.fit(job, told := Told(3), "0", trials["0"], told.stopping)
    (path,) = (job.project / "trial_0").glob(checkpoint.FILES)
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
