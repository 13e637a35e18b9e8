"""`Search.verify`: what it says of equal and of other histories."""

from __future__ import annotations

import numpy as np
import pytest

from nbtune import UsageError, tune
from nbtune.report.verification import Verification
from tests.conftest import dense
from tests.training.test_trial import by_hand


def test_the_histories_stand_beside_each_other(flowers, here):
    search = tune(
        dense, flowers, units=[8], learning_rate=[0.03, 0.01], epochs=3, patience=2, repeats=2, workers=0, dir=str(here)
    )
    found = search.verify()
    seed = int(np.argmax(search.best.scores))
    rate = search.best.values["learning_rate"]
    expected, _ = by_hand(*flowers, 1, 8, rate, "sparse_categorical_crossentropy", epochs=3, seed=seed, split=0)
    for name, values in expected.items():
        assert found.model_fit[name] == pytest.approx(values, rel=1e-6)
    assert found.difference < 1e-4
    lines = str(found).splitlines()
    assert "units 8" in lines[0]
    assert "largest relative difference from model.fit" in lines[0]
    assert "val_loss, model.fit" in lines[1]
    assert len(lines) == 2 + len(search.best.history["loss"])
    assert "<td>" in found._repr_html_()


def test_another_number_shows():
    found = Verification("units <8>", {"loss": [1.0, 0.5]}, {"loss": [1.0, 0.4]})
    assert found.difference == pytest.approx(0.25)
    assert "&lt;8&gt;" in found._repr_html_()
    assert Verification("", {"loss": [1.0]}, {"loss": [1.0, 0.5]}).difference == float("inf")


def test_what_was_not_trained_cannot_be_verified(flowers, here):
    search = tune(dense, flowers, units=[8], plan=True, workers=0, dir=str(here))
    with pytest.raises(UsageError, match="no history to compare: .* is pending"):
        search.verify(search.trials[0])
