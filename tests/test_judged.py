"""The winner on the validation rows and on a test set: numbers, pictures, and how often it was looked at."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from nbtune import UsageError, tune
from nbtune.views.figures.confusion import confusion_info
from nbtune.views.figures.mistakes import mistakes_info
from nbtune.views.figures.residuals import residuals_info
from tests.conftest import dense


@pytest.fixture(scope="module")
def pictures():
    """Three classes of 6 × 6 pixels as flat rows: (x, y)."""
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    x = rng.normal(size=(150, 36))
    x[np.arange(150), 7 * y] += 2.5
    return x.astype("float32"), y


@pytest.fixture(scope="module")
def found(pictures, tmp_path_factory):
    where = str(tmp_path_factory.mktemp("judged"))
    return tune(with_pictures, pictures, units=[4, 8], epochs=4, workers=1, dir=where)


def with_pictures(units):
    return dense(1, units, features=36)


def test_the_confusion_matrix_is_that_of_the_best_model_on_the_validation_rows(found):
    """The reference is Keras in this process, on rows that the score tells to be the right ones."""
    predicted = found._run.crew.predict(found.best, found._winner.weights())
    info = confusion_info(predicted)
    said = found.best_model.predict(predicted.x, verbose=0).argmax(axis=1)
    expected = np.zeros((3, 3), int)
    np.add.at(expected, (predicted.y, said), 1)
    assert info.counts.tolist() == expected.tolist()
    assert info.counts.trace() / info.counts.sum() == pytest.approx(found.best.score)
    assert info.rows == 30


def test_mistakes_are_pictures_the_surest_first(found):
    predicted = found._run.crew.predict(found.best, found._winner.weights())
    info = mistakes_info(predicted)
    assert info.wrong == confusion_info(predicted).wrong > 1
    assert [m.sure for m in info.mistakes] == sorted((m.sure for m in info.mistakes), reverse=True)
    first = info.mistakes[0]
    assert first.picture.shape == (6, 6)
    assert first.picture.reshape(-1).tolist() == predicted.x[first.row].tolist()
    assert first.says != first.truth == str(predicted.y[first.row])


@pytest.mark.parametrize("kind", ["confusion", "mistakes"])
def test_the_plots_are_figures(found, kind):
    assert found.plot(kind)._repr_png_().startswith(b"\x89PNG")


def test_residuals_are_for_numbers(found):
    with pytest.raises(UsageError, match="confusion"):
        found.plot("residuals")


def test_a_test_set_is_evaluated_as_keras_does_and_its_looks_are_counted(found, pictures, capfd):
    x, y = pictures[0][:40] + 0.1, pictures[1][:40]
    first, second = found.evaluate(x, y), found.evaluate(x, y)
    expected = found.best_model.evaluate(x, y, verbose=0, return_dict=True)
    assert dict(first.metrics) == pytest.approx(expected, rel=1e-5)
    assert first["accuracy"] == pytest.approx(expected["accuracy"])
    assert (first.looks, second.looks, found.evaluate(x[:39], y[:39]).looks) == (1, 2, 1)
    assert "40 rows" in str(first)
    assert "looked at twice" in str(second)
    again = tune(with_pictures, pictures, units=[4, 8], epochs=4, workers=1, dir=str(found.directory.parent))
    assert again.evaluate(x, y).looks == 3


def test_rows_that_are_not_like_those_of_the_search(found):
    with pytest.raises(UsageError, match=r"\(5,\).*\(36,\)"):
        found.evaluate(np.ones((3, 5)), np.zeros(3, int))


def test_the_winner_is_saved_as_a_whole_model(found, pictures, tmp_path):
    model = keras.saving.load_model(found.save(tmp_path / "winner.keras"))
    x = pictures[0][:5]
    assert model.predict(x, verbose=0) == pytest.approx(found.best_model.predict(x, verbose=0), rel=1e-5)
    with pytest.raises(UsageError, match=r"\.keras"):
        found.save(tmp_path / "winner.h5")


def test_residuals_of_numbers(here):
    def linear(units):
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dense(1)])

    x = np.random.default_rng(0).normal(size=(100, 3))
    search = tune(linear, (x, x @ [1.0, 2.0, 3.0]), units=[4], epochs=2, workers=1)
    predicted = search._run.crew.predict(search.best, search._winner.weights())
    (target,) = residuals_info(predicted).targets
    assert target.error == pytest.approx(search.best.score, rel=1e-4)
    assert target.residuals == pytest.approx(predicted.y.reshape(-1) - predicted.output[:, 0])
    assert search.plot("residuals")._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match="residuals"):
        search.plot("confusion")


def test_rows_that_are_no_pictures(flowers, here):
    search = tune(dense, flowers, units=[4], epochs=1, workers=1)
    with pytest.raises(UsageError, match=r"no pictures.*\(4,\)"):
        search.plot("mistakes")


def test_a_search_is_widened_and_only_what_is_new_trains(flowers, here, capsys):
    search = tune(dense, flowers, units=[4, 8], epochs=2, workers=1)
    before, where = search.trials, search.directory
    search.widen(units=16)
    search.wait()
    assert [trial.values["units"] for trial in search.trials] == [4, 8, 16]
    assert [trial.history for trial in search.trials[:2]] == [trial.history for trial in before]
    assert search.directory == where
    assert search.coverage.done == 3
    assert "2 of 3 done before" in capsys.readouterr().err
    with pytest.raises(UsageError, match="units"):
        search.widen(unit=32)
