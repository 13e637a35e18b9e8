"""Networks of several depths in one stack, against `model.fit`; and which networks those are."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, optimizers

from nbtune.training.fused import chain, compilation, fit, memory, spec
from tests.cases import cases
from tests.training.fused.test_fit import X, Y, _contents, alone, assert_same, compiled, in_stacks, job_of  # noqa: F401 - fixtures among them


def sequential(layers, units=8):
    hidden = [keras.layers.Dense(units, activation="relu") for _ in range(layers)]
    return keras.Sequential([keras.Input((8,)), *hidden, keras.layers.Dense(3, activation="softmax")])


def functional(layers, units=8):
    start = keras.Input((8,))
    x = keras.layers.Flatten()(keras.layers.Reshape((4, 2))(start))
    for i in range(layers):
        x = keras.layers.Dense(units, activation="elu", use_bias=False, name=f"hidden_{i}")(x)
    return keras.Model(start, keras.layers.Softmax()(keras.layers.Dense(3)(x)))


def with_momentum(layers, units=8):
    model = sequential(layers, units)
    optimizer = optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def with_a_schedule(layers, units=8):
    model = sequential(layers, units)
    rate = optimizers.schedules.ExponentialDecay(0.05, 4, 0.8)
    model.compile(optimizers.Adam(rate, use_ema=True), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


ONE, TWO = "sparse_categorical_crossentropy", "mean_squared_error"
GRIDS = {
    "widths": (sequential, {"units": [4, 8]}),
    "losses, in their own order": (functional, {"loss": [ONE, TWO], "learning_rate": [0.03]}),
    "repeats": (sequential, {"repeats": 2, "learning_rate": [0.03]}),
    "momentum and decay": (with_momentum, {"learning_rate": None}),
    "a schedule and an average": (with_a_schedule, {"learning_rate": None}),
}


@pytest.mark.parametrize("name", cases(GRIDS, ["widths"]))
def test_as_model_fit_in_one_stack(job_of, compiled, name):  # noqa: F811
    build, terms = GRIDS[name]
    job, trials = job_of(build, (X, Y), layers=[1, 2, 3], **terms)
    ended = in_stacks(job, trials)
    assert compiled() == 1
    assert len({len(end.history["loss"]) for end in ended.values()}) > 1 or name != "widths"  # some have left the stack
    names = list(trials)
    for id in (names[0], names[len(names) // 2], names[-1]):  # one, two and three layers
        assert_same(ended[id], alone(job, trials, id))


def test_as_compiled_by_xla(job_of, monkeypatch):  # noqa: F811
    job, trials = job_of(sequential, (X, Y), layers=[1, 3], loss=[ONE, TWO])
    graph = in_stacks(job, trials)
    monkeypatch.setattr(compilation, "NUMBERS_OF_A_COMPILATION", 0)
    xla = in_stacks(job, trials)
    for id in trials:
        assert_same(xla[id], graph[id])


def test_a_part_for_which_there_is_memory_need_not_hold_the_deepest(job_of, monkeypatch):  # noqa: F811
    job, trials = job_of(sequential, (X, Y), layers=[1, 2, 3], learning_rate=[0.03])
    whole = in_stacks(job, trials)
    monkeypatch.setattr(memory, "most", lambda *_: 2)
    parts = in_stacks(job, trials)
    for id in trials:
        assert_same(parts[id], whole[id])


def test_neither_the_company_nor_the_place_change_anything(job_of):  # noqa: F811
    job, trials = job_of(sequential, (X, Y), layers=[3, 1, 2], units=[4, 8], learning_rate=[0.01])
    whole = in_stacks(job, trials)
    for some in (["2"], ["2", "0"], ["3", "2", "5"]):
        part = in_stacks(job, {id: trials[id] for id in some})
        for name, values in whole["2"].history.items():
            np.testing.assert_allclose(part["2"].history[name], values, rtol=1e-5, err_msg=f"{some}: {name}")


@pytest.mark.parametrize("build", [sequential, with_momentum])
def test_a_shallow_trial_leaves_what_model_fit_leaves(job_of, build):  # noqa: F811
    import h5py

    rates = {"learning_rate": [0.03] if build is sequential else None}
    job, trials = job_of(build, (X, Y), layers=[3, 1], units=[4, 8], **rates)
    in_stacks(job, trials)
    ours = _contents(h5py, job.weights("2"))
    alone(job, trials, "2")
    theirs = _contents(h5py, job.weights("2"))
    assert {name: value.shape for name, value in ours.items()} == {name: value.shape for name, value in theirs.items()}
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


def dense(units=8, activation="relu", **settings):
    return layers.Dense(units, activation=activation, **settings)


def model(*made):
    return keras.Sequential([keras.Input((8,)), *made])


def branching():
    x = keras.Input((8,))
    return keras.Model(x, dense(3, "softmax")(layers.concatenate([dense()(x), dense()(x)])))


def shared():
    x, layer = keras.Input((8,)), dense()
    return keras.Model(x, dense(3, "softmax")(layer(layer(x))))


ROWS = {
    "three alike": (lambda: model(dense(), dense(), dense(), dense(3, "softmax")), 3),
    "one": (lambda: model(dense(), dense(3)), 1),
    "of several widths": (lambda: model(dense(8), dense(4), dense(3)), 2),
    "another activation between": (lambda: model(dense(), dense(activation="tanh"), dense(), dense(3)), 1),
    "not all with biases": (lambda: model(dense(), dense(), dense(use_bias=False), dense(3)), 2),
    "the last layer alone": (lambda: model(dense(3, "softmax")), 0),
    "a frozen one": (lambda: model(dense(trainable=False), dense(), dense(3)), 1),
    "units that are not 0 when padded": (lambda: model(dense(activation="sigmoid"), dense(3)), 0),
    "a regulariser": (lambda: model(dense(), dense(kernel_regularizer="l2"), dense(3)), 0),
    "dropout": (lambda: model(dense(), dense(), layers.Dropout(0.1), dense(3)), 0),
    "an activation of the user's": (lambda: model(dense(activation=lambda x: x * 2), dense(), dense(3)), 0),
    "a branch": (branching, 0),
    "a layer used twice": (shared, 0),
}


@pytest.mark.parametrize("name", ROWS)
def test_layers_alike_in_a_row(name):
    build, count = ROWS[name]
    assert len(chain.row(build())) == count


def architecture(build, *arguments):
    keras.utils.clear_session()
    return spec.architecture(build(*arguments), {}, Path())


@pytest.mark.parametrize("build", [sequential, functional, with_momentum])
def test_depths_have_one_architecture(build):
    shallow, deep = architecture(build, 1, 4), architecture(build, 3, 8)
    assert shallow.name == deep.name
    assert (shallow.depth, deep.depth) == (1, 3)


def test_other_layers_or_an_optimizer_that_sees_all_weights_keep_them_apart():
    def clipping(layers):
        made = sequential(layers)
        made.compile(optimizers.Adam(clipnorm=1.0), "mean_squared_error")
        return made

    deep = lambda count, **settings: model(*(dense(**settings) for _ in range(count)), dense(3))  # noqa: E731
    found = [architecture(sequential, 1), architecture(deep, 1), architecture(lambda: deep(1, use_bias=False))]
    found += [architecture(lambda: deep(1, activation="tanh")), architecture(clipping, 1), architecture(clipping, 2)]
    assert len({each.name for each in found}) == len(found)


def pyramid(layers):
    return model(*(dense(8 - 3 * i) for i in range(layers)), dense(3, "softmax"))


def clipped(layers):
    made = sequential(layers)
    made.compile(optimizers.Adam(0.01, global_clipnorm=0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


@pytest.mark.parametrize(("build", "rates"), cases([(pyramid, [0.01]), (clipped, None)], [(pyramid, [0.01])]))
def test_what_cannot_be_skipped_is_trained_apart(job_of, compiled, build, rates):  # noqa: F811
    job, trials = job_of(build, (X, Y), layers=[1, 2], learning_rate=rates)
    ended = in_stacks(job, trials)
    assert compiled() == 2
    for id in trials:
        assert_same(ended[id], alone(job, trials, id))


def test_a_deep_trial_that_is_narrower_than_a_shallow_one_is_trained_apart(job_of, compiled):  # noqa: F811
    job, trials = job_of(sequential, (X, Y), layers=[1, 2], units=[4, 8], learning_rate=[0.01])
    some = {id: values for id, values in trials.items() if values != {"layers": 2, "units": 8, "learning_rate": 0.01}}
    assert len(some) == 3
    assert len(fit.fit_stack(job, lambda events: None, some).ended) == 3
    assert compiled() == 2
