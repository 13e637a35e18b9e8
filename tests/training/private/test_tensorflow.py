"""What is private in TensorFlow: it is there in this version, and where it is not, trials train on their own and say why."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import nbtune
from nbtune.training.private import missing
from nbtune.training.private import tensorflow as private
from tests.cases import cases
from tests.training.private.test_keras import names

PFOR = "tensorflow.python.ops.parallel_for.pfor"


def recurrent():
    steps = [keras.Input((4, 1)), layers.LSTM(3), layers.Dense(3, activation="softmax")]
    return keras.Sequential(steps)


def test_each_name_is_there():
    """Seen in TensorFlow 2.16 to 2.21."""
    private.teach_vectorized_map()
    known = missing.member(PFOR, "_pfor_converter_registry")
    assert {"Bitcast", "ZerosLike", "LookupTableFindV2"} <= set(known)
    words = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant([5, 6]), tf.constant([0, 1])), -1)
    np.testing.assert_array_equal(tf.vectorized_map(words.lookup, tf.constant([[5, 6], [7, 5]])), [[0, 1], [-1, 0]])
    counted = tf.vectorized_map(lambda row: tf.bitcast(row, tf.int32), tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(counted, np.array([[1, 2], [3, 4]], "float32").view("int32"))
    tf.random.set_seed(3)
    restore = private.generators()
    drawn = float(tf.random.uniform(()))
    restore()
    assert float(tf.random.uniform(())) == drawn


@pytest.fixture
def untaught():
    """TensorFlow as it comes."""
    known = missing.member(PFOR, "_pfor_converter_registry")
    before = dict(known)
    known.pop("Bitcast", None)
    known["ZerosLike"] = missing.member(PFOR, "_convert_zeros_like")
    private.teach_vectorized_map.cache_clear()
    yield known
    known.clear()
    known.update(before)
    private.teach_vectorized_map.cache_clear()


def test_a_tensorflow_that_has_learned_it_itself_keeps_its_own(untaught):
    untaught["Bitcast"] = own = object()
    private.teach_vectorized_map()
    assert untaught["Bitcast"] is own


@pytest.fixture(scope="module")
def expected(flowers, tmp_path_factory):
    """What `model.fit` logs."""
    return searched(flowers, tmp_path_factory.mktemp("expected"), "trial")


def searched(flowers, here, engine):
    terms = {"dir": str(here), "workers": 0, "epochs": 1, "learning_rate": [0.1, 0.01], "engine": engine}
    return nbtune.tune(recurrent, (flowers[0][..., None], flowers[1]), **terms).trials


def without(monkeypatch, gone):
    """As if a new TensorFlow had renamed these, for nbtune alone."""

    def asking(real):
        def ask(thing, asked, *needed_for):
            if asked in gone:
                raise missing.missing(asked, "tensorflow", *needed_for)
            return real(thing, asked, *needed_for)

        return ask

    monkeypatch.setattr(private, "attribute", asking(private.attribute))
    monkeypatch.setattr(private, "member", asking(private.member))


def assert_same(found, expected):
    assert [trial.status for trial in found] == ["done", "done"]
    for trial, plain in zip(found, expected, strict=True):
        for metric, values in plain.history.items():
            assert trial.history[metric] == pytest.approx(values, rel=1e-4), metric


@pytest.mark.parametrize("name", cases(names(private), ["PFor"]))
def test_without_the_name_the_numbers_are_the_same_and_what_trains_alone_says_why(
    flowers, here, monkeypatch, untaught, expected, name
):
    without(monkeypatch, {name})
    found = searched(flowers, here, "fused")
    assert_same(found, expected)
    assert all(not trial.alone or (name in trial.alone and tf.__version__ in trial.alone) for trial in found)


def test_without_any_of_the_names_trials_train_by_model_fit(flowers, here, monkeypatch, expected):
    without(monkeypatch, names(private))
    assert_same(searched(flowers, here, "trial"), expected)
