"""What is private in TensorFlow: it is there in this version, and where it is not, trials train on their own and say why."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import nbtune
from nbtune.training.fused import batches
from nbtune.training.private import missing
from nbtune.training.private import tensorflow as private
from tests.conftest import dense
from tests.training.private.test_keras import names

PFOR = "tensorflow.python.ops.parallel_for.pfor"


def recurrent():
    steps = [keras.Input((4, 1)), layers.LSTM(3), layers.Dense(3, activation="softmax")]
    return keras.Sequential(steps)


def test_each_name_is_there():
    """Seen in TensorFlow 2.16 to 2.21."""
    private.teach_vectorized_map()
    known = missing.member(PFOR, "_pfor_converter_registry")
    assert {"Bitcast", "ZerosLike"} <= set(known)
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


@pytest.mark.parametrize("name", names(private))
def test_without_the_name_a_search_finishes_and_says_why(flowers, here, monkeypatch, untaught, name):
    def ask(real):
        def ask(thing, asked, *needed_for):
            if asked == name:
                raise missing.missing(name, "tensorflow", *needed_for)
            return real(thing, asked, *needed_for)

        return ask

    monkeypatch.setattr(private, "attribute", ask(private.attribute))
    monkeypatch.setattr(private, "member", ask(private.member))
    batches._drawn.cache_clear()
    x, y = flowers
    found = nbtune.tune(
        recurrent, (x[..., None], y), dir=str(here), workers=0, epochs=1, learning_rate=[0.1, 0.01], engine="fused"
    )
    assert found.coverage.done == 2
    assert all((name in trial.alone or "operation" in trial.alone) for trial in found.trials if name not in OF_GENERATORS)
    plain = nbtune.tune(dense, flowers, dir=str(here / "plain"), workers=0, epochs=1, learning_rate=[0.1, 0.01], engine="trial")
    assert plain.coverage.done == 2


OF_GENERATORS = {"context", "_seed", "_rng", "_set_global_seed"}  # without which the user's draws go on elsewhere
