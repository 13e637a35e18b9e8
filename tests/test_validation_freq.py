"""Validation that does not come after every epoch, against `model.fit(validation_freq=...)`."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from keras import layers

from nbtune import tune
from nbtune.ask.objective import Objective
from nbtune.errors import UsageError
from nbtune.views.figures.curves import curves_info, draw_curves
from tests.cases import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 6)).astype("float32")
Y = np.digitize(X[:, 0], [-0.5, 0.5])
TRAIN, VAL = (X[:64], Y[:64]), (X[64:], Y[64:])


def build(units):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(units), layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def by_fit(units, every, epochs, patience):
    keras.utils.set_random_seed(0)
    model = build(units)
    keras.utils.set_random_seed(0)
    stopper = keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)
    terms = {"validation_data": VAL, "validation_freq": every, "epochs": epochs, "callbacks": [stopper], "verbose": 0}
    return model.fit(*TRAIN, **terms).history, stopper, model


def searched(here, **options):
    terms = {"workers": 0, "objective": "val_loss", "dir": str(here), "validation_data": VAL}
    return tune(build, TRAIN, units=[4, 8], **{**terms, **options})


@pytest.mark.parametrize("engine", cases(["trial", "fused"], ["fused"]))
@pytest.mark.parametrize(("every", "epochs", "patience"), cases([(2, 7, 1), ([1, 3, 4, 9], 10, 2)], [([1, 3, 4, 9], 10, 2)]))
def test_histories_and_the_best_epoch_are_those_of_fit(engine, every, epochs, patience, tmp_path):
    search = searched(tmp_path, engine=engine, validation_freq=every, epochs=epochs, patience=patience)
    for trial in search.trials:
        assert not trial.alone
        history, stopper, model = by_fit(trial.values["units"], every, epochs, patience)
        assert {name: len(values) for name, values in trial.history.items()} == {n: len(v) for n, v in history.items()}
        for name, values in history.items():
            np.testing.assert_allclose(trial.history[name], values, rtol=1e-4)
        assert trial.best_epoch == stopper.best_epoch + 1
        if trial == search.best:
            for own, other in zip(search.best_model.get_weights(), model.get_weights(), strict=True):
                np.testing.assert_allclose(own, other, atol=1e-4)


def test_whatever_shows_a_history_knows_its_epochs(tmp_path):
    search = searched(tmp_path, engine="trial", validation_freq=3, epochs=7, patience="off", log="tensorboard")
    best = search.best
    assert len(best.history["val_loss"]) == 2
    assert best.best_epoch in (3, 6)
    assert best.score == best.history["val_loss"][best.best_epoch // 3 - 1]
    assert search.verify().difference == 0
    assert str(search.verify()).splitlines()[2].split()[0] == "1"  # no validation in the first row, and none is made up
    (curve,) = (curve for curve in curves_info(search._run.progress).curves if curve.role == "best-1")
    assert [epoch for epoch, _ in curve.points] == [3, 6]
    assert curve.best_epoch == best.best_epoch
    from matplotlib.figure import Figure

    draw_curves(curves_info(search._run.progress), Figure())
    (metrics,) = (
        json.loads(path.read_text())["metrics"]["metrics"]["val_loss"]["observations"]
        for path in search.directory.glob(f"trial_{best.id}/trial.json")
    )
    assert metrics == [{"value": [best.score], "step": best.best_epoch - 1}]
    names = {"x": TRAIN[0], "y": TRAIN[1], "x_val": VAL[0], "y_val": VAL[1]}
    exec(str(search.code()), names)
    np.testing.assert_allclose(names["history"]["val_loss"], best.history["val_loss"], rtol=1e-5)
    again = searched(tmp_path, engine="trial", validation_freq=3, epochs=7, patience="off")
    assert [trial.history for trial in again.trials] == [trial.history for trial in search.trials]


def test_mistakes(tmp_path):
    with pytest.raises(UsageError, match="none of 3 epochs is validated"):
        searched(tmp_path, validation_freq=4, epochs=3)
    with pytest.raises(UsageError, match="not a whole number of 1 or more"):
        searched(tmp_path, validation_freq=0)
    with pytest.raises(UsageError, match="is for validation data"):
        searched(tmp_path, validation_freq=2, validation_data=None, validation_split=0, objective="loss")


def test_a_metric_is_looked_up_by_its_epoch():
    history = {"loss": [5.0, 4.0, 3.0, 2.0], "val_loss": [40.0, 20.0]}
    every_other = Objective("val_loss", "min", every=2)
    assert [every_other.at(epoch, "val_loss", history) for epoch in range(6)] == [None, None, 40.0, None, 20.0, None]
    assert every_other.at(3, "loss", history) == 3.0
    assert np.isnan(every_other.by_epoch("val_loss", history)).tolist() == [True, False, True, False]
    some = Objective("val_loss", "min", every=(1, 4))
    assert [some.at(epoch, "val_loss", history) for epoch in (1, 2, 4)] == [40.0, None, 20.0]
    assert Objective("val_loss", "min").by_epoch("val_loss", history) == [40.0, 20.0]
