"""Whatever labels Keras takes: a trial's history is that of `model.fit` of the same function on the same arrays."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from nbtune import tune
from nbtune.ask.labels import CLASSES, Labels
from nbtune.training.encoding import EncodedLoss
from tests.cases import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 6)).astype("float32")
Y1 = (X[:, :1] > 0).astype("float32")
Y3 = np.digitize(X[:, 0], [-0.5, 0.5])
SEQ = RNG.normal(size=(96, 5, 3)).astype("float32")
TAGS = RNG.integers(0, 4, (96, 5))
IMAGES = RNG.random((96, 6, 6, 1)).astype("float32")


def f1(t, p):
    hit = ops.sum(ops.round(t * p))
    return 2 * hit / (ops.sum(t) + ops.sum(ops.round(p)) + 1e-7)


def ordinal(t, p):
    return ops.mean(ops.square(ops.cast(t, p.dtype) - ops.sum(p, axis=-1)), axis=-1)


def weighted(t, p):
    weights = ops.take(ops.convert_to_tensor([1.0, 2.0, 3.0]), ops.cast(t, "int32"))
    return weights * keras.losses.sparse_categorical_crossentropy(t, p)


def quantiles(t, p):
    error = ops.cast(t, p.dtype)[:, None] - p
    return ops.mean(ops.maximum(ops.array([0.1, 0.5, 0.9]) * error, (ops.array([0.1, 0.5, 0.9]) - 1) * error), axis=-1)


def net(shape, end, loss, metrics=()):
    def build(units):
        model = keras.Sequential([keras.Input(shape), layers.Dense(units, activation="relu"), end()])
        own = [metric() if isinstance(metric, type) else metric for metric in metrics]
        model.compile("adam", loss() if isinstance(loss, type) else loss, metrics=own)
        return model

    return build


CASES = {
    "own metric on (n, 1)": (X, Y1, net((6,), lambda: layers.Dense(1, activation="sigmoid"), "binary_crossentropy", [f1])),
    "F1Score": (
        X, Y1, net((6,), lambda: layers.Dense(1, activation="sigmoid"), "binary_crossentropy", [keras.metrics.F1Score]),
    ),
    "own loss on classes": (X, Y3, net((6,), lambda: layers.Dense(3, activation="softmax"), weighted, ["accuracy"])),
    "own loss on whole numbers": (X, Y3, net((6,), lambda: layers.Dense(2, activation="sigmoid"), ordinal)),
    "a name of one's own": (
        X, Y3, net((6,), lambda: layers.Dense(3), keras.losses.SparseCategoricalCrossentropy(from_logits=True, name="ce")),
    ),
    "loss in a list": (X, Y3, net((6,), lambda: layers.Dense(3, activation="softmax"), ["sparse_categorical_crossentropy"])),
    "quantiles": (X, X[:, 0] * 2, net((6,), lambda: layers.Dense(3), quantiles)),
    "counts": (X, Y3.astype("int64"), net((6,), lambda: layers.Dense(1, activation="exponential"), "poisson")),
    "autoencoder": (X > 0, X > 0, net((6,), lambda: layers.Dense(6, activation="sigmoid"), "binary_crossentropy")),
    "tags": (
        SEQ, TAGS, net((5, 3), lambda: layers.Dense(4, activation="softmax"), "sparse_categorical_crossentropy", ["accuracy"]),
    ),
    "series": (SEQ, SEQ[..., 0].cumsum(1), net((5, 3), lambda: layers.Dense(1), "mse", ["mae"])),
    "masks": (
        IMAGES, (IMAGES > 0.5).astype("uint8"),
        net((6, 6, 1), lambda: layers.Dense(1, activation="sigmoid"), "binary_crossentropy", ["accuracy"]),
    ),
    "masks without channels": (
        IMAGES, (IMAGES[..., 0] > 0.5).astype("int32"),
        net((6, 6, 1), lambda: layers.Dense(2, activation="softmax"), "sparse_categorical_crossentropy"),
    ),
}  # fmt: skip


def by_fit(build, x, y, units):
    """What README says that a trial is."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    model = build(units)
    keras.utils.set_random_seed(0)
    return model.fit(x[:64], y[:64], validation_data=(x[64:], y[64:]), epochs=2, verbose=0).history


# Both engines see the same labels: what each of them makes of a loss is tested where it belongs.
EACH = [(case, ("trial", "fused")[i % 2]) for i, case in enumerate(CASES)]
QUICK = ["own loss on classes", "own loss on whole numbers", "loss in a list", "tags", "series", "autoencoder"]


@pytest.mark.parametrize(("case", "engine"), cases(EACH, [each for each in EACH if each[0] in QUICK]))
def test_a_history_is_that_of_fit(case, engine, here):
    x, y, build = CASES[case]
    data, held_out = (x[:64], y[:64]), (x[64:], y[64:])
    terms = {"workers": 0, "epochs": 2, "patience": "off", "dir": str(here), "engine": engine}
    search = tune(build, data, validation_data=held_out, units=[3, 4] if engine == "fused" else [4], **terms)
    for trial in search.trials:
        expected = by_fit(build, x, y, trial.values["units"])
        assert trial.status == "done", trial.error
        assert set(expected) <= set(trial.history)
        for name, values in expected.items():
            np.testing.assert_allclose(trial.history[name], np.ravel(values), rtol=2e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("objective", ["val_auc", "val_precision", "val_recall", "val_f1_score"])
@pytest.mark.parametrize(("y", "units"), [(Y3, 3), (Y1[:, 0].astype(int), 1)], ids=["softmax", "sigmoid"])
def test_usual_metrics_rank_whole_numbers(objective, y, units, here):
    def build():
        end = layers.Dense(units, activation="sigmoid" if units == 1 else "softmax")
        return keras.Sequential([keras.Input((6,)), end])

    search = tune(build, (X, y), workers=0, epochs=1, dir=str(here), objective=objective, engine="trial")
    assert search.trials[0].status == "done", search.trials[0].error
    assert 0 <= search.best.score <= 1


def test_metrics_of_the_function_see_the_users_labels_beside_a_loss_of_the_axis(here):
    seen = net((6,), lambda: layers.Dense(3, activation="softmax"), "mse", [keras.metrics.SparseCategoricalAccuracy])
    asked = {"loss": ["categorical_crossentropy"], "objective": "val_accuracy", "engine": "trial"}
    search = tune(seen, (X, Y3), units=[4], **asked, workers=0, epochs=1, dir=str(here))
    expected = EncodedLoss("categorical_crossentropy", Labels(CLASSES, 3).encoding("categorical_crossentropy", 3))
    assert isinstance(expected, EncodedLoss)
    (trial,) = search.trials
    assert trial.history["sparse_categorical_accuracy"] == trial.history["accuracy"]


def test_a_metric_that_is_not_there_is_named_before_anything_trains(here):
    build = net((6,), lambda: layers.Dense(3, activation="softmax"), "sparse_categorical_crossentropy", ["accuracy"])
    with pytest.raises(Exception, match="val_accuracy.*val_f2|val_f2.*val_accuracy"):
        tune(build, (X, Y3), units=[4], workers=0, epochs=1, dir=str(here), objective="max:val_f2")


def test_a_metric_of_one_number_a_class_is_logged_and_cannot_rank(here):
    build = net((6,), lambda: layers.Dense(3, activation="softmax"), "categorical_crossentropy", [keras.metrics.F1Score])
    hot = np.eye(3)[Y3]
    with pytest.raises(Exception, match="average='macro'"):
        tune(build, (X, hot), units=[4], workers=0, epochs=1, dir=str(here), objective="val_f1_score")
    search = tune(build, (X, hot), units=[4], workers=0, epochs=1, dir=str(here))
    assert {"f1_score_0", "f1_score_1", "f1_score_2"} <= set(search.trials[0].history)
