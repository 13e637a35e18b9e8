"""How the rows were split is said where the search shows, and not only in its plan."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from nbtune import tune
from nbtune.views.notebook.bundle import headline_bundle

X = np.random.default_rng(0).normal(size=(50, 3)).astype("float32")
CLASSES = np.arange(50) % 2


def build(units):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dense(1)])


@pytest.mark.parametrize(
    ("y", "options", "said"),
    [
        (CLASSES, {}, "10 of 50 rows, stratified by class"),
        (X[:, 0], {}, "10 of 50 rows, drawn at random"),
        (X[:, 0], {"shuffle": False}, "10 of 50 rows, the last ones"),
    ],
)
def test_it_is_said(y, options, said, tmp_path, capsys):
    loss = {"loss": "mse"} if y.dtype.kind == "f" else {"loss": "binary_crossentropy"}
    search = tune(build, (X, y), units=[2], epochs=1, workers=0, dir=str(tmp_path), **loss, **options)
    assert f"Validated on {said}." in capsys.readouterr().err
    assert str(search).splitlines()[1] == f"validated on {said}"
    assert f"Validated on {said}." in headline_bundle(search._run.progress, 0.0)["text/html"]


def test_rows_of_ones_own_go_without_saying(tmp_path, capsys):
    tune(build, (X, CLASSES), validation_data=(X, CLASSES), units=[2], epochs=1, workers=0, dir=str(tmp_path))
    assert "Validated on" not in capsys.readouterr().err
