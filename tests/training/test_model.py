"""From the user's function to a compiled model: Glorot, what axes replace and what they leave alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from nbtune import tune
from nbtune.errors import UsageError
from nbtune.training.encoding import EncodedLoss
from nbtune.training.model import reinitialise
from tests.conftest import dense


def wide():
    return keras.Sequential([keras.Input((200,)), keras.layers.Dense(300), keras.layers.Dense(100)])


def test_kernels_are_glorot_unless_told():
    for layer in wide().layers:
        fan_in, fan_out = layer.kernel.shape
        kernel = np.array(layer.kernel)
        assert abs(kernel.mean()) < 0.002
        assert kernel.var() == pytest.approx(2 / (fan_in + fan_out), rel=0.05)
        assert abs(kernel).max() <= np.sqrt(6 / (fan_in + fan_out))


@pytest.mark.parametrize(
    ("init", "variance"),
    [
        ("glorot_normal", lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
        ("he_uniform", lambda fan_in, fan_out: 2 / fan_in),
        ("lecun_normal", lambda fan_in, fan_out: 1 / fan_in),
        ("zeros", lambda fan_in, fan_out: 0),
        ("normal:0.05", lambda fan_in, fan_out: 0.05**2),
        ("uniform:0.05", lambda fan_in, fan_out: 0.05**2 / 3),
        ("constant:0.1", lambda fan_in, fan_out: 0),
        ("orthogonal:2", lambda fan_in, fan_out: 2**2 / max(fan_in, fan_out)),
    ],
)
def test_init_replaces_every_kernel(init, variance):
    model = wide()
    reinitialise(model, init)
    for layer in model.layers:
        assert np.array(layer.kernel).var() == pytest.approx(variance(*layer.kernel.shape), rel=0.05)
        assert not np.array(layer.bias).any()
    first, second = (np.array(layer.kernel)[:100, :100] for layer in model.layers)
    assert init in ("zeros", "constant:0.1") or not np.array_equal(first, second)


def test_init_reaches_convolutions_and_recurrent_layers():
    layers = [keras.layers.SeparableConv1D(4, 2), keras.layers.LSTM(3), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((6, 3)), *layers])
    reinitialise(model, "ones")
    assert np.all(np.array(layers[0].depthwise_kernel) == 1)
    assert np.all(np.array(layers[0].pointwise_kernel) == 1)
    assert np.all(np.array(layers[1].cell.kernel) == 1)
    assert not np.all(np.array(layers[1].cell.recurrent_kernel) == 1), "only kernels"


class Named(keras.layers.Layer):
    def __init__(self, name_of_weight):
        super().__init__()
        self.weight = self.add_weight(shape=(6, 3), name=name_of_weight)

    def call(self, inputs):
        return keras.ops.matmul(inputs, self.weight)


def test_init_reaches_a_kernel_of_a_layer_of_ones_own():
    model = keras.Sequential([keras.Input((6,)), Named("kernel")])
    reinitialise(model, "ones")
    assert np.all(np.array(model.layers[0].weight) == 1)


def test_init_that_reaches_no_weight_is_refused_before_training(here):
    build = lambda: keras.Sequential([keras.Input((6,)), Named("w")])  # noqa: E731
    with pytest.raises(UsageError, match=r'no weight called kernel .* self.add_weight\(name="kernel"'):
        tune(build, (np.zeros((20, 6)), np.zeros((20, 3))), init=["ones"], workers=0, dir=str(here))


def seen(build, data, here, **options):
    """Tunes one combination in this process, and returns the model as it was compiled."""
    search = tune(build, data, workers=0, epochs=1, dir=str(here), **options)
    assert search.coverage.done == 1, search.trials[0].error
    return search.tuner.hypermodel.build(_values(search.trials[0].values))


def _values(values):
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp


def test_an_uncompiled_model_gets_adam(flowers, here):
    model = seen(dense, flowers, here, units=[4], learning_rate=[0.02])
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    assert model.loss == "sparse_categorical_crossentropy"


def test_optimizers_by_name_and_as_objects(flowers, here):
    model = seen(dense, flowers, here, units=[4], optimizer=["rmsprop"])
    assert isinstance(model.optimizer, keras.optimizers.RMSprop)
    model = seen(dense, flowers, here, optimizer=[keras.optimizers.SGD(momentum=0.5)], learning_rate=[0.3])
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert model.optimizer.momentum == 0.5
    assert float(model.optimizer.learning_rate) == pytest.approx(0.3)


def compiled(units):
    model = dense(1, units)
    model.compile(keras.optimizers.SGD(0.5, nesterov=True, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_a_compiled_model_keeps_what_no_axis_replaces(flowers, here):
    model = seen(compiled, flowers, here, units=[4])
    assert model.optimizer.nesterov
    assert float(model.optimizer.learning_rate) == pytest.approx(0.5)
    model = seen(compiled, flowers, here, units=[4], learning_rate=[0.01], loss=["mean_squared_error"])
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert model.optimizer.momentum == 0.9
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
    assert isinstance(model.loss, EncodedLoss)


def test_a_function_that_takes_a_value_itself_is_left_to_it(flowers, here):
    def build(learning_rate):
        model = dense()
        model.compile(keras.optimizers.Adam(learning_rate * 2), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    assert float(seen(build, flowers, here, learning_rate=[0.01]).optimizer.learning_rate) == pytest.approx(0.02)


def test_a_custom_loss(flowers, here):
    def cubed(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)

    search = tune(dense, flowers, workers=0, epochs=1, dir=str(here), loss=[cubed, "mean_squared_error"])
    assert [trial.values["loss"] for trial in search.trials] == ["cubed", "mean_squared_error"]
    assert search.coverage.done == 2


def test_a_model_of_keras_2_is_told_from_other_things(tmp_path):
    legacy = type("Sequential", (), {"__module__": "tf_keras.src.engine.sequential"})
    x, y = np.zeros((8, 2), "float32"), np.arange(8) % 2
    with pytest.raises(UsageError, match="a model of Keras 2"):
        tune(lambda units: legacy(), (x, y), units=[1], workers=0, dir=str(tmp_path))
    with pytest.raises(UsageError, match="which is no Keras model"):
        tune(lambda units: "a model", (x, y), units=[1], workers=0, dir=str(tmp_path))


def test_under_mixed_float16_the_learning_rate_is_that_of_the_optimizer_inside(tmp_path):
    x = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")

    def build():
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6), keras.layers.Dense(1, "sigmoid", dtype="float32")])
        model.compile(keras.optimizers.SGD(0.5, momentum=0.9), "binary_crossentropy", metrics=["accuracy"])
        return model

    keras.config.set_dtype_policy("mixed_float16")
    try:
        terms = {"epochs": 2, "workers": 0, "dir": str(tmp_path), "validation_data": (x, y)}
        (trial,) = tune(build, (x, y), learning_rate=[0.05], **terms).trials
        keras.config.set_dtype_policy("mixed_float16")
        keras.utils.set_random_seed(0)
        model = build()
        model.optimizer.learning_rate = 0.05
        keras.utils.set_random_seed(0)
        history = model.fit(x, y, validation_data=(x, y), epochs=2, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert trial.status == "done", trial.error
    assert trial.history["val_loss"] == pytest.approx(history["val_loss"], rel=1e-5)
