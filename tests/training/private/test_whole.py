"""What Keras's own pickles lose is there in the worker: attributes, generators, frozen weights, classes nobody registered."""

from __future__ import annotations

import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers, ops

from nbtune import tune
from nbtune.execution.local import pickling
from nbtune.training.private import whole

ROW = np.arange(4.0, dtype="float32")[None]


class Damped(keras.optimizers.SGD):
    """As people write one: without `get_config`, and with a parameter that Keras's does not know."""

    def __init__(self, damping):
        super().__init__(0.1)
        self.damping = damping

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(self.damping * gradient, variable, learning_rate)


class Power(keras.losses.Loss):
    def __init__(self, power):
        super().__init__()
        self.power = power

    def call(self, y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred) ** self.power, axis=-1)


class Masked(layers.Dense):
    def __init__(self, size):
        super().__init__(size)
        self.mask = np.ones(size, "float32")

    def call(self, inputs):
        return super().call(inputs) * self.mask


def undecayed():
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.3)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.iterations.assign(50)
    return optimizer


def excluded(optimizer):
    decayed = [optimizer._use_weight_decay(keras.Variable([0.0], name=name)) for name in ("kernel", "bias")]
    return [*decayed, int(optimizer.iterations)]


def masked():
    layer = Masked(3)
    layer.build((None, 4))
    layer.mask[1] = 0
    layer.kernel.trainable = False
    return layer


def drawn():
    layer = layers.Dropout(0.5, seed=1)
    layer(ROW, training=True)
    return layer


def deep():
    """A graph with a layer of one's own, a function with a closure, a shared layer, one of many steps, a frozen weight."""
    shift, shared = np.float32(3.0), layers.Dense(4)
    inputs = keras.Input((4,))
    hidden = layers.Lambda(lambda x: x + shift)(inputs)
    for _ in range(150):
        hidden = ops.tanh(hidden) + 0.1
    own = masked()
    model = keras.Model(inputs, own(shared(shared(layers.Dropout(0.2, seed=3)(hidden)))))
    model.compile(Damped(0.5), Power(3.0), metrics=["mae"])
    model.fit(np.repeat(ROW, 8, 0), np.ones((8, 3)), verbose=0)
    return model


def after_a_step(model):
    """A model that has arrived can be evaluated, and trained on."""
    rows = np.repeat(ROW, 8, 0)
    before = [float(model.loss.power), *model.evaluate(rows, np.ones((8, 3)), verbose=0)]
    model.compile(Damped(0.5), Power(2.0))
    model.fit(rows, np.ones((8, 3)), epochs=2, verbose=0)
    return [*before, np.asarray(model(ROW)).round(4).tolist(), [w.trainable for w in model.weights], len(model.weights)]


THINGS = [
    (undecayed, excluded),
    (lambda: keras.optimizers.LossScaleOptimizer(undecayed()), lambda optimizer: excluded(optimizer.inner_optimizer)),
    (lambda: Damped(0.25), lambda optimizer: optimizer.damping),
    (lambda: Power(3.0), lambda loss: loss.power),
    (masked, lambda layer: [layer.mask.tolist(), [w.trainable for w in layer.weights], np.asarray(layer(ROW)).tolist()]),
    (drawn, lambda layer: np.asarray(layer(ROW, training=True)).tolist()),
    (lambda: layers.RandomFlip(seed=2), lambda layer: layer.get_config()["seed"]),
    (deep, after_a_step),
]
READ = "import pickle, sys; things = pickle.load(sys.stdin.buffer); pickle.dump([f(t) for t, f in things], sys.stdout.buffer)"


def test_another_process_has_them_as_they_are():
    made = [(make(), look) for make, look in THINGS]
    sent = pickling.dumps(made)
    arrived = subprocess.run([sys.executable, "-c", READ], input=sent, check=True, stdout=subprocess.PIPE).stdout
    assert pickle.loads(arrived) == [look(thing) for thing, look in made]


def test_weights_that_only_this_process_knows_are_refused():
    layer, optimizer = masked(), keras.optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_list=[layer.bias])
    with pytest.raises(ValueError, match="exclude_from_weight_decay"):
        pickling.dumps(optimizer)


def test_a_copy_shares_no_variable():
    optimizer = undecayed()
    copy = whole.copied(optimizer)
    copy.learning_rate = 0.5
    copy.build([keras.Variable([0.0])])
    assert [excluded(copy), type(copy)] == [[True, False, 50], keras.optimizers.AdamW]
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    assert not optimizer.built


RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
Y = X[:, :3]


def test_a_search_has_them_as_model_fit_has(tmp_path):
    loss, layer, decay = Power(3.0), masked(), undecayed()

    def build(optimizer):
        inputs = keras.Input((4,))
        model = keras.Model(inputs, layers.Dense(3)(layer(layers.Dense(4)(inputs))))
        model.compile(optimizer, loss)
        return model

    def fitted(optimizer):
        layer.bias.assign([0, 0, 0])  # where each trial begins
        keras.utils.set_random_seed(0)
        model = build(optimizer)
        keras.utils.set_random_seed(0)
        return model.fit(X[:40], Y[:40], validation_data=(X[40:], Y[40:]), epochs=2, verbose=0).history

    terms = {"axis": {"optimizer": [decay, Damped(0.25)]}, "epochs": 2, "objective": "val_loss", "workers": 1, "dir": tmp_path}
    search = tune(build, (X[:40], Y[:40]), validation_data=(X[40:], Y[40:]), **terms)
    for trial, optimizer in zip(search.trials, [undecayed(), Damped(0.25)], strict=True):
        for name, values in fitted(optimizer).items():
            assert trial.history[name] == pytest.approx(values, rel=1e-5)
