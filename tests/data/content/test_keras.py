"""Keras's objects count with weights, state and configuration, and not with the names that Keras makes up."""

from __future__ import annotations

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from nbtune.data.content.objects import Contents
from tests.data.content.test_objects import run


def model(units=3, seed=0):
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(units, kernel_initializer=keras.initializers.GlorotUniform(seed=seed))(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, kernel_initializer=keras.initializers.HeNormal(seed=seed))(hidden))


def sequential():
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(3, kernel_initializer="ones")])
    made.compile("adam", "mse")
    return made


def adapted(scale=1.0):
    layer = keras.layers.Normalization()
    layer.adapt(scale * np.arange(12.0).reshape(4, 3))
    return layer


def words(*texts):
    layer = keras.layers.TextVectorization(output_mode="multi_hot")
    layer.adapt(np.array(texts))
    return layer


def strings(*texts):
    layer = keras.layers.StringLookup()
    layer.adapt(np.array(texts))
    return layer


def compiled(**terms):
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, kernel_initializer="ones")])
    made.compile(**{"loss": "mse", "optimizer": "sgd", **terms})
    return made


def stepped(times):
    optimizer, variable = keras.optimizers.SGD(0.1, momentum=0.9), keras.Variable(np.ones(2, "float32"))
    optimizer.build([variable])
    for _ in range(times):
        optimizer.apply([np.ones(2, "float32")], [variable])
    return optimizer


def drawn(times):
    generator = keras.random.SeedGenerator(1)
    for _ in range(times):
        generator.next()
    return generator


def undecayed(*names):
    optimizer = keras.optimizers.AdamW(0.1)
    optimizer.exclude_from_weight_decay(var_names=names)
    return optimizer


def frozen(trainable):
    layer = keras.layers.Dense(2, kernel_initializer="ones")
    layer.build((None, 3))
    layer.kernel.trainable = trainable
    return layer


def dropped(times):
    layer = keras.layers.Dropout(0.5, seed=1)
    for _ in range(times):
        layer(np.ones((1, 2)), training=True)
    return layer


class Hidden(keras.layers.Layer):
    """Keeps to itself what its configuration cannot tell."""

    def __init__(self, function, factor):
        super().__init__()
        self._function, self._factor = function, factor

    def call(self, x):
        return self._function(self._factor * x)


class Twice(keras.layers.Layer):
    def __init__(self, factor=2, table=None, **settings):
        super().__init__(**settings)
        self.factor, self.table = factor, table

    def call(self, x):
        return self.factor * x


MADE = {
    "a model": model,
    "a sequential model": sequential,
    "a layer": lambda: keras.layers.Dense(3, activation="relu"),
    "an adapted layer": adapted,
    "a vocabulary": lambda: words("a b", "b c"),
    "a table": lambda: strings("a", "b"),
    "an optimizer": lambda: keras.optimizers.Adam(0.01),
    "a loss": keras.losses.MeanSquaredError,
    "a loss with settings": lambda: keras.losses.Huber(delta=2.0),
    "a metric": keras.metrics.AUC,
    "an initialiser without a seed": keras.initializers.GlorotUniform,
    "a lambda": lambda: keras.layers.Lambda(lambda x: x + 1),
    "a layer of one's own": lambda: Twice(3),
    "one that tells nothing": lambda: Hidden(np.abs, 2),
    "an optimizer that leaves out weights": lambda: undecayed("bias"),
    "one within a model": lambda: keras.Sequential([keras.Input((3,)), Twice(3), keras.layers.BatchNormalization()]),
    "a policy": lambda: keras.dtype_policies.DTypePolicy("mixed_bfloat16"),
    "a variable": lambda: keras.Variable([1.0, 2.0]),
}


@pytest.mark.parametrize("what", MADE)
def test_made_again_it_is_equal(what):
    assert Contents()(MADE[what]()) == Contents()(MADE[what]())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (model(), model(seed=1)),
        (model(3), model(4)),
        (adapted(), adapted(2.0)),
        (words("a b", "b c"), words("a b", "b d")),
        (strings("a", "b"), strings("a", "c")),
        (keras.layers.Dense(3, activation="relu"), keras.layers.Dense(3, activation="tanh")),
        (keras.layers.Dense(3, activation=lambda x: x + 1), keras.layers.Dense(3, activation=lambda x: x + 2)),
        (keras.layers.Lambda(lambda x: x + 1), keras.layers.Lambda(lambda x: x - 1)),
        (keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.02)),
        (keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.01)),
        (keras.losses.Huber(delta=1.0), keras.losses.Huber(delta=2.0)),
        (keras.losses.CosineSimilarity(axis=-1), keras.losses.CosineSimilarity(axis=1)),
        (keras.metrics.CosineSimilarity(axis=-1), keras.metrics.CosineSimilarity(axis=1)),
        (keras.initializers.GlorotUniform(seed=1), keras.initializers.GlorotUniform(seed=2)),
        (Twice(2), Twice(3)),
        (Twice(table={1: "a"}), Twice(table={1: "b"})),
        (Twice(table=np.ones(3)), Twice(table=np.zeros(3))),
        (keras.Variable([1.0]), keras.Variable([2.0])),
        (compiled(), compiled(loss="mae")),
        (compiled(), compiled(optimizer="adam")),
        (compiled(), compiled(loss_weights=2.0)),
        (compiled(), compiled(metrics=["mae"])),
        (compiled(weighted_metrics=["mae"]), compiled(weighted_metrics=["mse"])),
        (stepped(1), stepped(2)),
        (undecayed("bias"), undecayed("gamma")),
        (undecayed("bias"), keras.optimizers.AdamW(0.1)),
        (frozen(True), frozen(False)),
        (dropped(1), dropped(2)),
        (Hidden(np.abs, 2), Hidden(np.abs, 3)),
        (drawn(1), drawn(2)),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_differs_is_told_apart(one, other):
    assert Contents()(one) != Contents()(other)


def test_weights_of_an_inner_layer_count():
    one = keras.Sequential([keras.Input((4,)), model(), keras.layers.Dense(1, kernel_initializer="zeros")])
    before = Contents()(one)
    kernel = one.layers[0].layers[-1].kernel
    kernel.assign(kernel + 1e-6)
    assert Contents()(one) != before


def test_a_frozen_layer_is_not_a_trained_one():
    one = model()
    before = Contents()(one)
    one.layers[1].trainable = False
    assert Contents()(one) != before


LAYER = """
import keras
class Mine(keras.layers.Layer):
    def call(self, x): return {} * x
def build(): return keras.Sequential([Mine()])
"""


def test_the_code_of_a_layer_of_the_notebook_counts():
    first, same, other = (Contents()(run(LAYER.format(factor))["build"]) for factor in (2, 2, 3))
    assert first == same
    assert first != other


WRAPPERS = (
    "keras.layers.Dense(2, activation=f)",
    "keras.src.losses.losses.LossFunctionWrapper(f)",
    "keras.metrics.MeanMetricWrapper(f)",
)


@pytest.mark.parametrize("place", WRAPPERS)
def test_a_function_within_an_object_counts(place):
    text = "import keras\ndef f(x, y=None): return x + {}\nthing = " + place + "\ndef build(): return thing"
    assert Contents()(run(text.format(1))["build"]) == Contents()(run(text.format(1))["build"])
    assert Contents()(run(text.format(1))["build"]) != Contents()(run(text.format(2))["build"])


# ---- what surrounds the function


def test_settings_count(monkeypatch):
    before = Contents().surroundings()
    for change, undo in (
        (lambda: keras.config.set_floatx("float16"), lambda: keras.config.set_floatx("float32")),
        (lambda: keras.config.set_epsilon(1e-3), lambda: keras.config.set_epsilon(1e-7)),
        (
            lambda: keras.config.set_image_data_format("channels_first"),
            lambda: keras.config.set_image_data_format("channels_last"),
        ),
        (lambda: keras.config.set_dtype_policy("mixed_bfloat16"), lambda: keras.config.set_dtype_policy("float32")),
        (lambda: keras.config.set_max_epochs(3), lambda: keras.config.set_max_epochs(None)),
        (lambda: tf.config.optimizer.set_jit("autoclustering"), lambda: tf.config.optimizer.set_jit("")),
        (lambda: tf.config.run_functions_eagerly(True), lambda: tf.config.run_functions_eagerly(False)),
    ):
        change()
        assert Contents().surroundings() != before
        undo()
        assert Contents().surroundings() == before


def test_registered_objects_count_by_their_code():
    before = Contents().surroundings()
    found = []
    for factor in (1, 1, 2):
        keras.saving.get_custom_objects()["swoosh"] = run(f"def swoosh(x): return {factor} * x")["swoosh"]
        found.append(Contents().surroundings())
    del keras.saving.get_custom_objects()["swoosh"]
    assert found[0] == found[1] != found[2]
    assert before not in found
    assert Contents().surroundings() == before


def test_it_does_not_count_whether_keras_is_imported_yet():
    script = (
        "import sys; from nbtune.data.content.objects import Contents\n"
        "first = Contents().surroundings(); assert 'keras' not in sys.modules; import keras\n"
        "assert Contents().surroundings() == first"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
