"""Initial weights against formulas worked out by hand, and signals against a forward pass done with NumPy."""

import math

import keras
import numpy as np
import pytest

import nbtune
from nbtune.errors import UsageError
from nbtune.training.initial import initial

L = keras.layers
X = np.random.default_rng(0).normal(size=(64, 12)).astype("float32")
CUT_OFF = 1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))  # what is left of a normal's variance within ±2


def network(init="glorot_uniform", units=256):
    return keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(units, "tanh", kernel_initializer=init, name="a"),
            L.Dense(3, kernel_initializer=init, name="b"),
        ]
    )


@pytest.mark.parametrize(
    ("init", "variance"),
    [
        ("glorot_uniform", 2 / (12 + 256)),
        ("glorot_normal", 2 / (12 + 256)),
        ("he_normal", 2 / 12),
        ("he_uniform", 2 / 12),
        ("lecun_normal", 1 / 12),
        (keras.initializers.RandomNormal(0.5, 0.2), 0.2**2),
        (keras.initializers.RandomUniform(-1, 3), 16 / 12),
        (keras.initializers.TruncatedNormal(stddev=0.1), 0.1**2 * CUT_OFF),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_drawn_weights_are_within_a_few_standard_errors_of_the_formula(init, variance):
    keras.utils.set_random_seed(1)
    first = initial(network(init), {}).weights[0]
    assert (first.layer, first.name, first.shape, first.fan_in, first.fan_out) == ("a", "kernel", (12, 256), 12, 256)
    assert first.expected_variance == pytest.approx(variance)
    assert abs(first.mean_errors) < 4
    assert abs(first.variance_errors) < 4
    assert sum(first.counts) == 12 * 256


def test_weights_that_do_not_follow_their_formula_are_many_standard_errors_off():
    model = network("glorot_uniform")
    model.layers[0].kernel.assign(2 * model.layers[0].kernel)
    assert initial(model, {}).weights[0].variance_errors > 50


def test_fans_of_convolutions_count_the_receptive_field():
    model = keras.Sequential(
        [keras.Input((9, 9, 4)), L.Conv2D(8, (3, 5), name="conv"), L.SeparableConv2D(6, 3, name="apart"), L.Flatten(), L.Dense(2)]
    )
    fans = {(each.layer, each.name): (each.fan_in, each.fan_out) for each in initial(model, {}).weights}
    assert fans["conv", "kernel"] == (3 * 5 * 4, 3 * 5 * 8)
    assert fans["apart", "depthwise_kernel"] == (9 * 8, 9)
    assert fans["apart", "pointwise_kernel"] == (8, 6)


def test_recurrent_and_embedding_weights_inside_of_wrappers_are_found():
    model = keras.Sequential([keras.Input((5,)), L.Embedding(50, 8), L.Bidirectional(L.LSTM(4)), L.Dense(1)])
    found = [(each.name, each.distribution) for each in initial(model, {}).weights]
    assert found.count(("recurrent_kernel", "orthogonal")) == 2
    assert found[0] == ("embeddings", "uniform")
    assert all(each.variance == pytest.approx(each.expected_variance, rel=0.01) for each in initial(model, {}).weights[2::2][:1])


def test_signals_are_those_of_a_forward_pass_and_the_model_stays_as_it_is():
    model = network()
    before = model.get_weights()
    signals = {each.initializer: each for each in initial(model, {}, X).signals}
    hidden = np.tanh(X @ before[0] + before[1])
    assert signals["this model"].activations == pytest.approx((hidden.std(), (hidden @ before[2] + before[3]).std()), rel=1e-4)
    assert signals["zeros"].activations == (0, 0)
    assert signals["normal:0.01"].activations[1] < signals["glorot_uniform"].activations[1] < signals["normal:1"].activations[1]
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_gradients_are_those_of_the_compiled_loss():
    model = network()
    model.compile("sgd", "mean_squared_error")
    y = np.zeros((64, 3), "float32")
    out = model.predict(X, verbose=0)
    signals = initial(model, {}, X, y).signals[0]
    assert signals.gradients[1] == pytest.approx(np.sqrt(np.mean((2 * out / out.size) ** 2)), rel=1e-4)


def test_a_model_to_which_layers_are_added_one_by_one_has_the_gradients_of_one_made_of_a_list():
    model = keras.Sequential([keras.Input((12,))])
    for units in (8, 6, 3):
        model.add(L.Dense(units, "tanh"))
    same = keras.Sequential([keras.Input((12,)), *(L.Dense(units, "tanh") for units in (8, 6, 3))])
    same.set_weights(model.get_weights())
    ours, theirs = (initial(each, {}, X).signals[0] for each in (model, same))
    assert np.all(np.isfinite(ours.gradients))
    assert ours.gradients == pytest.approx(theirs.gradients, rel=1e-4)
    assert ours.activations == pytest.approx(theirs.activations, rel=1e-4)


def test_deep_tanh_networks_vanish_when_weights_are_too_small():
    model = keras.Sequential([keras.Input((12,)), *(L.Dense(64, "tanh") for _ in range(6)), L.Dense(1)])
    signals = {each.initializer: each for each in initial(model, {}, X).signals}
    small, glorot = signals["normal:0.01"], signals["glorot_uniform"]
    assert small.activations[5] < 1e-4 * small.activations[0]
    assert glorot.activations[5] > 0.05 * glorot.activations[0]
    assert small.gradients[0] < 1e-4 * small.gradients[5]
    assert glorot.gradients[0] > 0.05 * glorot.gradients[5]


@pytest.mark.parametrize(
    ("made", "values", "words"),
    [
        (3, {}, "takes a Keras model"),
        (lambda units: None, {"units": 1}, "got NoneType"),
        (lambda units: None, {}, "missing a required argument: 'units'"),
        (keras.Sequential([L.Dense(3)]), {}, "give x"),
    ],
)
def test_a_mistake_is_one_line(made, values, words):
    with pytest.raises(UsageError, match=words):
        initial(made, values)


def test_plot_init_draws_a_function_by_its_arguments():
    figure = nbtune.plot_init(network, X, units=16)
    texts = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    assert "12×16, fan in 12, fan out 16" in texts
    assert "glorot_uniform" in texts
    assert figure._repr_png_()[:4] == b"\x89PNG"


def test_a_search_shows_what_its_best_network_started_from(tmp_path):
    x = np.random.default_rng(0).normal(size=(120, 12)).astype("float32")
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)
    inits = ["zeros", "he_normal", "glorot_uniform"]
    terms = {"init": inits, "units": [256], "epochs": 1, "workers": 0, "dir": str(tmp_path)}
    search = nbtune.tune(classifier, (x, y), **terms)
    info = search._run.crew.initial(search.best)
    assert [signals.initializer for signals in info.signals] == ["this model", *inits]
    kind = {"he_normal": 2 / 12, "glorot_uniform": 2 / (12 + 256)}.get(search.best.values["init"], 0)
    assert info.weights[0].expected_variance == pytest.approx(kind)
    assert search.plot("init")._repr_png_()[:4] == b"\x89PNG"


def classifier(units):
    return keras.Sequential([keras.Input((12,)), L.Dense(units, "relu"), L.Dense(3, "softmax")])
