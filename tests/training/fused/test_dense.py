"""Networks of Dense layers, whose stack's step is written out, against `model.fit`; and which networks those are."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, optimizers

from nbtune.data import arrays as data
from nbtune.training.fused import compilation, dense
from nbtune.training.fused.assembly import assemble
from nbtune.training.fused.spec import trial_specs
from tests.cases import cases
from tests.training.fused.test_fit import X, Y, assert_same, check, classifier, in_stacks, job_of, relu  # noqa: F401 - a fixture among them


def fits(job, trials):
    (spec, *_) = trial_specs(job, {"0": trials["0"]}, data.read(job.folder))
    step, *_ = assemble(spec, [spec])
    return dense.can_train(step, spec.output)


def branches():
    """Rows that depend on no weights yet meet rows that do; dimensions between row and features; a layer used twice."""
    x = keras.Input((8,))
    twice = layers.Dense(8, activation="tanh")
    folded = layers.Dense(3, activation="relu")(layers.Reshape((4, 2))(x))
    flat = layers.Flatten()(folded)
    both = layers.concatenate([layers.Rescaling(0.5)(x), twice(twice(x)), flat])
    out = layers.Add()([layers.Dense(3)(both), layers.Dense(3, use_bias=False)(x)])
    return keras.Model(x, layers.Softmax()(out))


def frozen():
    model = classifier(relu, relu)()
    model.layers[0].trainable = False
    return model


def one_probability():
    return keras.Sequential([keras.Input((8,)), relu(), layers.Dense(1, activation="sigmoid")])


def wide_and_deep():
    a, b = keras.Input((3,)), keras.Input((5,))
    return keras.Model([a, b], layers.Dense(3, activation="softmax")(layers.concatenate([a, relu()(b)])))


TWO_CLASSES = (X, (Y > 1).astype(int))
NETWORKS = {
    "classes": (classifier(relu), (X, Y), {"loss": ["sparse_categorical_crossentropy", "mean_squared_error"]}),
    "branches": (branches, (X, Y), {"loss": ["categorical_crossentropy", "kl_divergence"]}),
    "a frozen layer": (frozen, (X, Y), {}),
    "two classes": (one_probability, TWO_CLASSES, {"loss": ["binary_crossentropy", "mean_squared_error"]}),
    "several inputs": (wide_and_deep, ([X[:, :3], X[:, 3:]], Y), {}),
    "repeats": (classifier(relu), (X, Y), {"repeats": 2, "batch_size": [50]}),
    "repeats, several inputs, weights": (wide_and_deep, ([X[:, :3], X[:, 3:]], Y, np.linspace(0, 2, len(Y))), {"repeats": 2}),
}


@pytest.mark.parametrize("name", cases(NETWORKS, ["branches", "repeats, several inputs, weights"]))
def test_as_model_fit(job_of, name):  # noqa: F811
    build, rows, terms = NETWORKS[name]
    job, trials = job_of(build, rows, **terms)
    assert fits(job, trials)
    check(job, trials, ids=[min(trials), max(trials)])


def test_compiled_by_xla_where_there_is_much_to_do(job_of, monkeypatch):  # noqa: F811
    job, trials = job_of(classifier(relu), (X, Y), repeats=2, loss=["categorical_crossentropy", "mean_squared_error"])
    graph = in_stacks(job, trials)
    monkeypatch.setattr(compilation, "NUMBERS_OF_A_COMPILATION", 0)
    made = []
    real = compilation.epoch_function
    monkeypatch.setattr(compilation, "epoch_function", lambda steps, jit: made.append(jit) or real(steps, jit))
    xla = in_stacks(job, trials)
    assert made == [True]
    for id in trials:
        assert_same(xla[id], graph[id])


def through_the_batch():
    x = keras.Input((8,))
    centred = x - keras.ops.mean(x, axis=0, keepdims=True)
    return keras.Model(x, layers.Dense(3, activation="softmax")(centred))


def activation_through_the_batch():
    centred = lambda x: keras.ops.relu(x - keras.ops.mean(x, axis=0))  # noqa: E731
    return keras.Sequential([keras.Input((8,)), layers.Dense(6, activation=centred), layers.Dense(3, activation="softmax")])


def normalised_through_the_batch():
    return keras.Sequential([keras.Input((8,)), relu(), layers.Softmax(axis=0), layers.Dense(3, activation="softmax")])


def loss_through_the_batch():
    model = classifier(relu)()
    model.compile("adam", keras.losses.CategoricalCrossentropy(axis=0), metrics=["accuracy"])
    return model


def compiled_with(optimizer, **settings):
    def build():
        model = classifier(relu)()
        model.compile(optimizer(**settings), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    return build


OTHERS = {
    "dropout": classifier(relu, lambda: layers.Dropout(0.1)),
    "batch normalisation": classifier(layers.BatchNormalization),
    "weights in another layer": classifier(relu, layers.PReLU),
    "a regulariser": classifier(lambda: layers.Dense(4, kernel_regularizer="l2")),
    "a model in the model": classifier(lambda: keras.Sequential([keras.Input((8,)), relu()])),
    "an operation on the batch": through_the_batch,
    "an activation of one's own": activation_through_the_batch,
    "a layer along the batch": normalised_through_the_batch,
    "a loss along the batch": loss_through_the_batch,
    "clipping by the norm of all weights": compiled_with(optimizers.Adam, global_clipnorm=0.1),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_networks_are_left_to_the_mapped_step(job_of, name):  # noqa: F811
    assert not fits(*job_of(OTHERS[name], (X, Y), learning_rate=[0.01]))


ON_THE_BATCH = [through_the_batch, activation_through_the_batch, normalised_through_the_batch]


@pytest.mark.parametrize("build", cases(ON_THE_BATCH, [through_the_batch]))
def test_an_operation_on_the_batch_comes_to_the_same_as_well(job_of, build):  # noqa: F811
    check(*job_of(build, (X, Y)))
